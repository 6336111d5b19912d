"""What the landing page shows of a demonstration (演示环境): filled by what loads it, absent in production."""

from __future__ import annotations

from dataclasses import dataclass

from domains.kernel.slots import Slot


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """Somebody to sign in as. `secret` is a password, or where the code of a phone can be read."""

    title: str
    login: str
    secret: str


@dataclass(frozen=True, slots=True)
class Showcase:
    """A demonstration: its compound with the code to register by, its accounts, and the address of the
    platforms' stand-ins."""

    compound: str
    code: str
    accounts: tuple[DemoAccount, ...]
    platform_url: str


showcase: Slot[Showcase | None] = Slot("showcase")
