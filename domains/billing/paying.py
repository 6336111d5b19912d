"""What a house's money pays (预存抵扣): the oldest bill first, all of a bill or nothing of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

ANYTHING = ""
"""The purpose of money that pays any bill."""


@dataclass(frozen=True, slots=True)
class Owed:
    """A bill with something to pay: fen of principal and late fee, and the categories of its lines."""

    bill_id: UUID
    due_on: date
    number: int
    principal_fen: int
    late_fee_fen: int
    categories: frozenset[str]

    @property
    def total_fen(self) -> int:
        """All that is to be paid."""
        return self.principal_fen + self.late_fee_fen

    @property
    def pots(self) -> tuple[str, ...]:
        """Whose money may pay it, by purpose: that of its category, if it is of one alone, before any other."""
        return (*self.categories, ANYTHING) if len(self.categories) == 1 else (ANYTHING,)


@dataclass(frozen=True, slots=True)
class Payment:
    """A bill that is paid in full, and how many fen come out of which purpose."""

    bill: Owed
    parts: Mapping[str, int]


def pay(owed: Iterable[Owed], balances: Mapping[str, int]) -> list[Payment]:
    """What the balances, by purpose, pay. Money that falls short of a bill waits for it: nothing younger is paid from
    it, while money kept for another purpose goes on with its own bills."""
    left, payments = dict(balances), list[Payment]()
    for bill in sorted(owed, key=lambda each: (each.due_on, each.number)):
        parts = _drawn(bill, left)
        if parts is None:
            for pot in bill.pots:
                left.pop(pot, None)
            continue
        for pot, fen in parts.items():
            left[pot] -= fen
        payments.append(Payment(bill, parts))
    return payments


def _drawn(bill: Owed, left: Mapping[str, int]) -> dict[str, int] | None:
    parts, wanted = dict[str, int](), bill.total_fen
    for pot in bill.pots:
        if drawn := min(left.get(pot, 0), wanted):
            parts[pot] = drawn
            wanted -= drawn
    return None if wanted else parts


def parts_of(
    payables: Sequence[tuple[UUID, int]], parts: Mapping[str, int]
) -> list[tuple[str, dict[UUID, int]]]:
    """Which purpose pays how much of which payable: both are gone through in their order."""
    open_ = dict(payables)
    shares = list[tuple[str, dict[UUID, int]]]()
    for pot, fen in parts.items():
        share, rest = dict[UUID, int](), fen
        for payable_id, wanted in open_.items():
            if taken := min(wanted, rest):
                share[payable_id], open_[payable_id] = taken, wanted - taken
                rest -= taken
        shares.append((pot, share))
    return shares


def state_of(outstanding_fen: int, settled_fen: int) -> Literal["open", "partly_paid", "paid"]:
    """A bill's state (账单状态) by its payables, late fee included."""
    if outstanding_fen == 0:
        return "paid"
    return "partly_paid" if settled_fen else "open"
