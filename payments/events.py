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


EVENTS = (PayableSettled, PayableChanged, BalanceChanged)
