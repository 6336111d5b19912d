"""Channels that take money online (支付渠道): what is asked of them, and what they say.

Whatever is asked raises NotSent or OutcomeUnknown of `domains.platforms.calling` where nobody answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

from domains.kernel.slots import Slot

Product = Literal["mini_program", "h5", "qr"]
"""Paid inside the mini-program, in a browser, or by scanning a code at the desk."""
Return = Callable[[UUID], str]
"""The whole address that a browser comes back to from the cashier of a payment."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A payment as the channel is asked for it, `payment_id` ours. Amounts are fen."""

    payment_id: UUID
    out_trade_no: str
    amount_fen: int
    title: str
    expires_at: datetime
    product: Product
    buyer: str = ""
    client_ip: str = ""


@dataclass(frozen=True, slots=True)
class Sighting:
    """How a payment stands at its channel. `absent`: the channel does not know the number (yet)."""

    out_trade_no: str
    state: Literal["paid", "waiting", "closed", "absent"]
    channel_no: str = ""
    amount_fen: int = 0
    paid_at: datetime | None = None
    given_back_fen: int = 0
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class RefundAsk:
    """A refund as the channel is asked for it; asked again with the same number it is the same refund. What was paid is
    named by the channel's own number where that is known: of two transactions of one payment ours names neither."""

    out_trade_no: str
    channel_no: str
    out_refund_no: str
    amount_fen: int
    paid_fen: int
    reason: str


@dataclass(frozen=True, slots=True)
class RefundSighting:
    """How a refund stands at its channel. `absent`: it does not know the number, or not yet what becomes of it.

    `amount_fen` is this refund's own; a channel that tells instead how much of the payment went back so far, this and
    others together, says so in `given_back_fen`.
    """

    out_trade_no: str
    out_refund_no: str
    state: Literal["succeeded", "processing", "abnormal", "closed", "absent"]
    amount_fen: int = 0
    channel_refund_no: str = ""
    body: bytes = b""
    given_back_fen: int = 0
    channel_no: str = ""
    """Of the transaction that it gives back, where the channel tells."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A notification that is genuine and for us, in the channel's words and in ours."""

    external_id: str
    about: Sighting | RefundSighting


class Declined(Exception):
    """The channel refused for good: there is, and will be, no such payment or refund. `code` is its own."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Refused(Exception):
    """A notification that is not believed: forged, stale, or not for us. `reason` is for the operator."""

    def __init__(self, reason: str, out_trade_no: str = "") -> None:
        super().__init__(reason)
        self.reason, self.out_trade_no = reason, out_trade_no


@dataclass(frozen=True, slots=True)
class Reply:
    """What a channel wants to hear on a notification."""

    status: int
    body: bytes
    media_type: str
    headers: Mapping[str, str] = field(default_factory=dict)


class Gateway(Protocol):
    """One merchant's account at a channel."""

    channel: str
    app_id: str
    payee: str
    products: frozenset[str]
    notify_url: str

    async def create(self, ask: Ask) -> Mapping[str, str]:
        """What the payer's client hands to the platform. Asked again with the same number it is the same payment.
        Raises Declined."""

    async def query(self, out_trade_no: str) -> Sighting:
        """How the payment stands."""

    async def close(self, out_trade_no: str) -> bool:
        """Let nobody begin to pay it any more; False where that is too late or not known to have happened: ask."""

    async def refund(self, ask: RefundAsk) -> RefundSighting:
        """Ask for money to go back. Raises Declined."""

    async def query_refund(self, ask: RefundAsk) -> RefundSighting:
        """How the refund stands."""

    def read(self, headers: Mapping[str, str], body: bytes) -> Notice:
        """What a notification says. Raises Refused unless its signature, time, application and merchant are right."""

    def reply(self, *, taken: bool) -> Reply:
        """What the channel stops, or goes on, repeating a notification for."""


gateways: Slot[Mapping[str, Gateway]] = Slot("payment gateways")
"""By channel; those that are not set up are left out."""
