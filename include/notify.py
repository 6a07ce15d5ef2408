"""Sends a message to people: to the log, or to the address of one setting.

`CUVEE_NOTIFY_URL` is an Apprise URL, which names a mail server, a webhook or one of many chat services. It holds
passwords and tokens, in places that differ by service, so nothing of it is ever logged or shown.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote

from include.errors import ConfigurationError, NotificationFailed
from include.security.redaction import redact_values

logger = logging.getLogger(__name__)

_TALKATIVE = ("apprise", "urllib3", "requests_oauthlib", "oauthlib")
"""Loggers that would write the address with its secrets at level DEBUG."""


def notify(title: str, body: str, url: str) -> None:
    """Send a message of plain text to `url`, an Apprise URL; if it is empty, log the message as a warning.

    Raises ConfigurationError for a URL that Apprise does not understand, NotificationFailed when the service did not
    take the message. Neither names a secret.
    """
    if not url:
        logger.warning("%s\n%s", title, body)
        return
    import apprise

    channel = apprise.Apprise()
    with _captured_logs() as remarks:
        if not channel.add(url):
            raise ConfigurationError(
                "CUVEE_NOTIFY_URL is no address that Apprise understands: for a mail server it looks like "
                "mailtos://user:password@host?from=a@b.org&to=c@d.org, for a webhook like jsons://host/path"
            )
        sent = channel.notify(title=title, body=body, body_format=apprise.NotifyFormat.TEXT)
    if not sent:
        reason = _without_secrets("; ".join(remarks), url) or "no reason was given"
        raise NotificationFailed(
            f"the message {title!r} was not taken by the service of CUVEE_NOTIFY_URL ({reason}). Batches are not "
            "affected. Check that the service can be reached and that its password or token is still good; an empty "
            "CUVEE_NOTIFY_URL writes messages to the log"
        )
    logger.info("sent: %s", title)


@contextmanager
def _captured_logs() -> Iterator[list[str]]:
    """The warnings and errors that the sending libraries log, kept from every other log."""
    remarks: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            remarks.append(record.getMessage())

    listener = Listener(logging.WARNING)
    loggers = [logging.getLogger(name) for name in _TALKATIVE]
    before: list[tuple[Any, ...]] = [(each.level, each.propagate, each.handlers) for each in loggers]
    for each in loggers:
        each.propagate, each.handlers = False, [listener]
        each.setLevel(logging.WARNING)
    try:
        yield remarks
    finally:
        for each, (level, propagate, handlers) in zip(loggers, before, strict=True):
            each.propagate, each.handlers = propagate, handlers
            each.setLevel(level)


def _without_secrets(text: str, url: str) -> str:
    """A remark of the service without any part of the URL: for some services even the host is a token."""
    parts = re.split(r"[/?&=:@]+", url.partition("://")[2])
    return redact_values(text, {part for part in (*parts, *map(unquote, parts)) if len(part) > 2})
