"""Reads a page of the application as a person does."""

from __future__ import annotations

import html
import re

from fastapi.testclient import TestClient

from tests.pages.outline import Outline


def read_page(client: TestClient, address: str) -> Outline:
    """A page that is there, whose elements close in order and whose ids are its own; `text` has single spaces."""
    answer = client.get(address)
    assert answer.status_code == 200, (address, answer.text)
    page = Outline(answer.text)
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    page.text = re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", answer.text)))
    return page
