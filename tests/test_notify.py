"""A message reaches a real mail server and a real webhook, the log by default, and takes no secret along."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest

from include.errors import ConfigurationError, NotificationFailed
from include.notify import notify
from tests.fixtures.storage import free_port
from tests.fixtures.webhook import Webhook

TITLE, BODY = "Cuvée 2026-01-05: 1 failed batch", "edamam: failed at fetch.\nreason <b>with</b> & \u201cquotes\u201d"


class Mailbox:
    """A mail server's messages and logins."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.logins: list[tuple[bytes, bytes]] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        self.messages.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"

    def authenticate(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> Any:
        from aiosmtpd.smtp import AuthResult

        self.logins.append((data.login, data.password))
        return AuthResult(success=data.password == b"geheim-word")


@pytest.fixture
def mail_server() -> Iterator[tuple[Mailbox, int]]:
    from aiosmtpd.controller import Controller

    mailbox, port = Mailbox(), free_port()
    controller = Controller(
        mailbox, hostname="127.0.0.1", port=port, authenticator=mailbox.authenticate, auth_require_tls=False
    )
    controller.start()
    yield mailbox, port
    controller.stop()


def test_without_an_address_the_message_is_a_warning_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    notify(TITLE, BODY, "")
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert TITLE in record.getMessage()
    assert BODY in record.getMessage()


def test_a_webhook_gets_title_and_body_as_json(webhook: Webhook) -> None:
    notify(TITLE, BODY, f"json://{webhook.address}/hooks/token-9f3a")
    ((path, _headers, content),) = webhook.received
    assert path == "/hooks/token-9f3a"
    assert (content["title"], content["message"]) == (TITLE, BODY)


def test_a_mail_server_gets_a_mail_that_reads_as_it_was_written(mail_server: tuple[Mailbox, int]) -> None:
    mailbox, port = mail_server
    notify(
        TITLE,
        BODY,
        f"mailto://ana:geheim-word@127.0.0.1:{port}?from=cuvee@example.org&to=bo@example.org&mode=insecure",
    )
    assert mailbox.logins == [(b"ana", b"geheim-word")]
    (mail,) = mailbox.messages
    assert mail["subject"] == TITLE
    assert "bo@example.org" in mail["to"]
    plain = mail.get_body(("plain",))
    assert plain is not None
    assert plain.get_content().strip().replace("\r\n", "\n") == BODY
    html = mail.get_body(("html",))
    assert html is None or "<b>with</b>" not in html.get_content(), "text from outside is no markup"


@pytest.mark.parametrize(
    "url",
    [
        "json://ana:geheim-word@{refusing}/hooks/token-9f3a?+X-Key=geheim-key",
        "json://ana:geheim-word@127.0.0.1:9/hooks/token-9f3a?+X-Key=geheim-key",
        "mailto://ana:geheim-word@127.0.0.1:9?from=cuvee@example.org&to=bo@example.org&mode=insecure",
    ],
)
def test_a_message_that_is_not_taken_is_an_error_that_says_what_to_do_and_no_secret(
    url: str, webhook: Webhook, caplog: pytest.LogCaptureFixture
) -> None:
    webhook.answer = 500
    with caplog.at_level(logging.DEBUG), pytest.raises(NotificationFailed) as failure:
        notify(TITLE, BODY, url.format(refusing=webhook.address))
    assert "CUVEE_NOTIFY_URL" in str(failure.value)
    assert "no reason was given" not in str(failure.value)
    for secret in ("geheim-word", "token-9f3a", "geheim-key"):
        assert secret not in str(failure.value)
        assert secret not in caplog.text


def test_a_message_that_is_taken_leaves_no_secret_in_any_log(
    webhook: Webhook, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        notify(TITLE, BODY, f"json://ana:geheim-word@{webhook.address}/hooks/token-9f3a?+X-Key=geheim-key")
    assert len(webhook.received) == 1
    for secret in ("geheim-word", "token-9f3a", "geheim-key"):
        assert secret not in caplog.text
    assert logging.getLogger("urllib3").propagate, "the libraries' logs are as they were"


@pytest.mark.parametrize("url", ["nosuch://ana:geheim-word@host", "json://", "geheim-word"])
def test_an_address_of_no_known_kind_is_a_wrong_setting(url: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(ConfigurationError, match="CUVEE_NOTIFY_URL") as failure:
        notify(TITLE, BODY, url)
    assert "geheim-word" not in str(failure.value) + caplog.text
