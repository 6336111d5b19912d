"""What the landing page shows of a demonstration (演示环境): filled by what loads it, absent in production."""

from __future__ import annotations

from dataclasses import dataclass

from domains.kernel.slots import Slot


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """Somebody to sign in as: by a password, or without one by a code that is sent to the phone."""

    title: str
    login: str
    password: str = ""


@dataclass(frozen=True, slots=True)
class Showcase:
    """A demonstration: its compound with the code to register by, its accounts, and where the stand-ins
    of the platforms are, if they run; `visitor_path` is where the page of a visitor's pass is, if there is one."""

    compound: str
    code: str
    accounts: tuple[DemoAccount, ...]
    platform_url: str
    visitor_path: str = ""

    @property
    def sms_url(self) -> str:
        """Where codes are read."""
        return self.platform_url and f"{self.platform_url}/sms"

    @property
    def phone_url(self) -> str:
        """Where all that phones show is read."""
        return self.platform_url and f"{self.platform_url}/phone"


showcase: Slot[Showcase | None] = Slot("showcase")
