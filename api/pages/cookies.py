"""Cookies of the staff pages (登录状态): the session's tokens, the form token, one message for the next page."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import quote, unquote
from uuid import UUID

from starlette.responses import Response

from domains.kernel.slots import Slot

Tone = Literal["success", "warning", "danger"]
Name = Literal["access", "refresh", "form", "flash", "compound", "door"]
TONES: tuple[Tone, ...] = ("success", "warning", "danger")
MOST_FLASH = 300
KEPT_S: Mapping[Name, int] = {"door": 365 * 24 * 3600}
"""What stays in a browser that is closed: at which door it is used, whoever uses it."""


form_key: Slot[bytes] = Slot("form key")


def _form_token(session_id: UUID | None, kept: str) -> str:
    return hmac.digest(form_key(), f"{session_id} {kept}".encode(), "sha256").hex()


@dataclass(frozen=True, slots=True)
class Flash:
    """A message that is shown once."""

    tone: Tone
    text: str


@dataclass(slots=True)
class Jar:
    """The cookies of one request, and what its response changes in them.

    They last as long as the browser is open, but for KEPT_S. Over https their names are bound to this very host, so
    that no other host of the domain can plant one.
    """

    received: Mapping[str, str]
    https: bool
    changes: dict[Name, str | None] = field(default_factory=dict)

    def _full(self, name: Name) -> str:
        return f"__Host-linli-{name}" if self.https else f"linli-{name}"

    def get(self, name: Name) -> str | None:
        """The value that counts now; None for none."""
        if name in self.changes:
            return self.changes[name]
        return self.received.get(self._full(name)) or None

    def set(self, name: Name, value: str | None) -> None:
        """Keep a value; None forgets it."""
        self.changes[name] = value

    def write(self, response: Response) -> None:
        """Put the changes on the response."""
        for name, value in self.changes.items():
            response.set_cookie(
                self._full(name), value or "", max_age=KEPT_S.get(name) if value else 0,
                secure=self.https, httponly=True, samesite="lax", path="/",
            )  # fmt: skip

    def form_token(self, session_id: UUID | None) -> str:
        """What every form that is shown in this session, or before there is one, carries.

        It is made of a cookie and of the session: a cookie that somebody planted is not enough.
        """
        kept = self.get("form")
        if kept is None:
            kept = secrets.token_urlsafe(24)
            self.set("form", kept)
        return _form_token(session_id, kept)

    def vouches_for(self, sent: str, session_id: UUID | None) -> bool:
        """Whether a form comes from a page that was shown in this browser and session."""
        kept = self.received.get(self._full("form"), "")
        return bool(kept) and hmac.compare_digest(_form_token(session_id, kept).encode(), sent.encode())

    def leave(self, flash: Flash) -> None:
        """A message for the next page."""
        self.set("flash", f"{flash.tone}:{quote(flash.text[:MOST_FLASH])}")

    def take(self) -> Flash | None:
        """The message that the last page left; it is gone then."""
        tone, _, text = (self.received.get(self._full("flash")) or "").partition(":")
        found = next((Flash(known, unquote(text)) for known in TONES if known == tone), None)
        if found is not None and "flash" not in self.changes:
            self.set("flash", None)
        return found

    def sign_in(self, access: str, refresh: str) -> None:
        """Hold the tokens of a session that has just begun: nothing of what was before goes on."""
        self.renew(access, refresh)
        self.set("form", secrets.token_urlsafe(24))
        self.set("compound", None)

    def renew(self, access: str, refresh: str) -> None:
        """Hold the next tokens of the session."""
        self.set("access", access)
        self.set("refresh", refresh)

    def forget(self) -> None:
        """Hold no session any more."""
        names: tuple[Name, ...] = ("access", "refresh", "form", "compound")
        for name in names:
            self.set(name, None)
