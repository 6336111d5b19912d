"""What happened to what is owed. Payments know nothing of what a payable is for: its subject says."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from domains.kernel.events import Event


@dataclass(frozen=True, slots=True)
class PayableSettled(Event):
    """Something was paid on a payable, or taken back; `outstanding_fen` is what is left of it."""

    payable_id: UUID
    compound_id: UUID
    subject_type: str
    subject_id: UUID
    outstanding_fen: int
    journal_id: UUID


@dataclass(frozen=True, slots=True)
class PayableChanged(Event):
    """What is owed became more or less without a payment."""

    payable_id: UUID
    compound_id: UUID
    subject_type: str
    subject_id: UUID
    outstanding_fen: int


@dataclass(frozen=True, slots=True)
class BalanceChanged(Event):
    """A prepayment or deposit rose or fell (预存款、押金)."""

    account_id: UUID
    compound_id: UUID
    holder_id: UUID
    balance_fen: int
    changed_fen: int
    kind: str


@dataclass(frozen=True, slots=True)
class PaymentSucceeded(Event):
    """A payment was paid; `amount_fen` is what it was for."""

    order_id: UUID
    compound_id: UUID
    holder_id: UUID
    payer_id: UUID | None
    attempt_id: UUID
    channel: str
    amount_fen: int


@dataclass(frozen=True, slots=True)
class PaymentClosed(Event):
    """A payment ended without money."""

    order_id: UUID
    compound_id: UUID


@dataclass(frozen=True, slots=True)
class RefundRequested(Event):
    """Staff ask that money goes back."""

    refund_id: UUID
    compound_id: UUID


@dataclass(frozen=True, slots=True)
class RefundApproved(Event):
    """Money may go back: by a second person, or by rule."""

    refund_id: UUID
    compound_id: UUID


@dataclass(frozen=True, slots=True)
class RefundEnded(Event):
    """Money went back, or will not."""

    refund_id: UUID
    compound_id: UUID
    order_id: UUID
    state: str


@dataclass(frozen=True, slots=True)
class PaymentTroubled(Event):
    """Something about money waits for a person."""

    exception_id: UUID
    compound_id: UUID | None
    kind: str


EVENTS = (
    PayableSettled, PayableChanged, BalanceChanged, PaymentSucceeded, PaymentClosed, RefundRequested, RefundApproved,
    RefundEnded, PaymentTroubled,
)  # fmt: skip
