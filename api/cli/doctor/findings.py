"""What an examination found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; a problem or a warning says in `advice` what to do."""

    check: str
    state: Literal["ok", "warning", "problem"]
    message: str
    advice: str = ""


def fine(check: str, message: str) -> Finding:
    """Nothing is wrong."""
    return Finding(check, "ok", message)


def doubtful(check: str, message: str, advice: str) -> Finding:
    """It works, and should be looked at."""
    return Finding(check, "warning", message, advice)


def wrong(check: str, message: str, advice: str) -> Finding:
    """It does not work, or not safely."""
    return Finding(check, "problem", message, advice)
