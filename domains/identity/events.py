"""What happened to accounts."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from domains.kernel.events import Event


@dataclass(frozen=True, slots=True)
class AccountOpened(Event):
    """A resident signed in for the first time, or a staff account was made."""

    account_id: UUID
    kind: str


@dataclass(frozen=True, slots=True)
class PhoneVerified(Event):
    """An account proved a number that it did not have before; `replaces` another that it had."""

    account_id: UUID
    replaces: bool = False


@dataclass(frozen=True, slots=True)
class AccountsJoined(Event):
    """Two accounts turned out to be one human's: the empty one was closed."""

    account_id: UUID
    closed_account_id: UUID


@dataclass(frozen=True, slots=True)
class StaffDisabled(Event):
    """A staff account may not sign in any more, and its sessions ended."""

    account_id: UUID


EVENTS: tuple[type[Event], ...] = (AccountOpened, PhoneVerified, AccountsJoined, StaffDisabled)
