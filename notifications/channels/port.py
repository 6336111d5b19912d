"""What every channel is: it is given one parcel, calls its platform once, and says what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Protocol
from uuid import UUID

from notifications.kinds import Channel, Kind, Language, Urgency, Written


@dataclass(frozen=True, slots=True)
class Address:
    """Where a parcel goes: an open id, a phone, or an address on the web with what encrypts or signs for it."""

    to: str
    app_id: str = ""
    keys: str = ""
    """Web Push: `p256dh` and `auth` as JSON; webhook: the secret."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """One delivery as a channel sends it."""

    delivery_id: UUID
    notice_id: UUID
    kind: Kind
    urgency: Urgency
    language: Language
    written: Written
    data: dict[str, object]
    """The fields as the notice keeps them."""
    keywords: dict[str, str]
    """The platform template's keywords, filled; empty for a channel without templates."""
    template_id: str
    address: Address
    compound_id: UUID | None
    created_at: datetime
    expires_at: datetime
    subject: tuple[str, UUID] | None = None
    """GraphQL type and id of what it is about."""


class Aftermath(StrEnum):
    """What a refusal means beyond this delivery."""

    NOTHING = "nothing"
    NO_CONSENT = "no_consent"
    """The platform says that no consent is left: those we count are void."""
    DEAD_ADDRESS = "dead_address"
    """Nobody is there any more: the address is forgotten."""
    OUR_FAULT = "our_fault"
    """The platform cannot be asked like this: somebody must mend our template or settings."""


@dataclass(frozen=True, slots=True)
class Sent:
    """The platform took it."""

    platform_id: str = ""


@dataclass(frozen=True, slots=True)
class TryAgain:
    """It was certainly not sent, and may be later; `after_s` where the platform says when."""

    code: str
    detail: str = ""
    after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """It was not sent and never will be."""

    code: str
    detail: str = ""
    aftermath: Aftermath = Aftermath.NOTHING


@dataclass(frozen=True, slots=True)
class Unknown:
    """It was handed over and nothing came back: it may have been sent."""

    code: str
    detail: str = ""


Outcome = Sent | TryAgain | Refused | Unknown


class Sender(Protocol):
    """A channel's adapter."""

    channel: ClassVar[Channel]
    is_repeatable: ClassVar[bool]
    """Whether the receiver tells a repetition from a second message, so that an unknown outcome may be
    tried again; where it does not, a parcel is at most sent once."""
    needs_consent: ClassVar[bool]
    """Whether a message takes one of the person's consents with it."""

    async def send(self, parcel: Parcel) -> Outcome:
        """Hand it over, once, outside of any transaction. Raises nothing a platform can cause."""

    async def was_sent(self, parcel: Parcel, since: datetime) -> bool | None:
        """Whether a parcel of unknown outcome was sent, by asking the platform; None where it cannot tell."""
