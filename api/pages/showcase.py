"""What the landing page shows of a demonstration (演示环境): filled by what loads it, absent in production."""

from __future__ import annotations

from dataclasses import dataclass

from domains.kernel.slots import Slot


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """Somebody to sign in as: by a password, or without one by a code that is sent to the phone. What `part` they
    play, and what for, the labels `demo:…` and `demo-use:…` say."""

    part: str
    name: str
    login: str
    password: str = ""


@dataclass(frozen=True, slots=True)
class DemoHouse:
    """The house of the guided walk, whose owner is among the accounts; `gate` is where its guests come in."""

    building: str
    unit: str
    room: str
    gate: str

    @property
    def number(self) -> str:
        """As the registers write it."""
        return f"{self.building}{self.unit}{self.room}"


@dataclass(frozen=True, slots=True)
class Showcase:
    """A demonstration: its compound with the code to register by, its accounts, and where the stand-ins
    of the platforms are, if they run; `visitor_path` is where the page of a visitor's pass is, if there is one."""

    compound: str
    code: str
    accounts: tuple[DemoAccount, ...]
    platform_url: str
    visitor_path: str = ""
    house: DemoHouse | None = None

    @property
    def sms_url(self) -> str:
        """Where codes are read."""
        return self.platform_url and f"{self.platform_url}/sms"

    @property
    def phone_url(self) -> str:
        """Where all that phones show is read."""
        return self.platform_url and f"{self.platform_url}/phone"

    @property
    def cast(self) -> dict[str, DemoAccount]:
        """The accounts by the part that they play."""
        return {account.part: account for account in self.accounts}


showcase: Slot[Showcase | None] = Slot("showcase")
