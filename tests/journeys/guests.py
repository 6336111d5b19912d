"""A guest with a browser: the page behind a link, read as a camera and a person read it, and the compound's form."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urljoin

import httpx

from tests.browser.qr import decode, matrix_of

DRAWN = re.compile(r'class="qr" viewBox="0 0 (\d+) \d+".*?<path d="([^"]+)"', re.S)
DIGITS = re.compile(r'<b aria-label="((?:\d ){5}\d)">')
SCREEN = re.compile(r'data-screen="([a-z_]+)"')
TOKEN = re.compile(r'name="form_token" value="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Shown:
    """A visitor's page as it is now."""

    html: str

    @property
    def screen(self) -> str:
        """Which of its screens."""
        return self._found(SCREEN)

    @property
    def text(self) -> str:
        """What a gate's camera reads from the QR code."""
        drawn = DRAWN.search(self.html)
        assert drawn, self.html
        side, path = drawn.groups()
        return decode(matrix_of(path, int(side)))

    @property
    def digits(self) -> str:
        """What a guest types at a keypad."""
        return self._found(DIGITS).replace(" ", "")

    def _found(self, pattern: re.Pattern[str]) -> str:
        match = pattern.search(self.html)
        assert match, self.html
        return match[1]


def opened(url: str, link: str) -> Shown:
    """The page of a link, whoever opens it."""
    answer = httpx.get(urljoin(url, link), timeout=20)
    assert answer.status_code == 200 and "no-referrer" in answer.headers["referrer-policy"], answer
    return Shown(answer.text)


def ask_to_come_in(url: str, code: str, **fields: str) -> str:
    """Fill in the form that the compound's code leads to, as a browser without scripts; the link of the page."""
    with httpx.Client(base_url=url, timeout=20) as browser:
        token = TOKEN.search(browser.get(f"/visit/{code}").text)
        assert token, "the form has its token"
        sent = browser.post(f"/visit/{code}", data={"form_token": token[1], "purpose": "DELIVERY", **fields})
    assert sent.status_code == 303 and sent.headers["location"].startswith("/v/"), sent.text
    return sent.headers["location"]
