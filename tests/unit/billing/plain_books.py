"""Bills and money as plain numbers, a day at a time: what the ledger has to agree with after every move."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction

Pots = dict[str, int]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of late fees: thousandths a day, and percent of what was issued at most."""

    rate: str
    grace_days: int = 0
    is_grace_charged: bool = False
    cap_percent: int | None = None


@dataclass
class PlainBill:
    """A bill: fen by line, what was let go of it, and what was paid on which day."""

    number: int
    house: int
    due_on: date
    lines: dict[str, int]
    rule: Rule | None = None
    is_void: bool = False
    held_until: date = date.min
    waived: int = 0
    payments: list[tuple[date, int]] = field(default_factory=list)
    late_due: int = 0
    late_settled: int = 0
    late_waived: int = 0

    def __post_init__(self) -> None:
        self.issued = sum(self.lines.values())

    @property
    def due(self) -> int:
        """The principal after corrections."""
        return 0 if self.is_void else sum(self.lines.values()) - self.waived

    @property
    def settled(self) -> int:
        """What was paid of the principal."""
        return sum(fen for _, fen in self.payments)

    @property
    def open(self) -> int:
        """What is left of the principal."""
        return self.due - self.settled

    @property
    def late_open(self) -> int:
        """What is left of the late fee that was written down."""
        return self.late_due - self.late_settled

    @property
    def state(self) -> str:
        """As people read it."""
        if self.is_void:
            return "void"
        if not self.open + self.late_open:
            return "paid"
        return "partly_paid" if self.settled + self.late_settled else "open"

    @property
    def deposit(self) -> int:
        """What is kept of a deposit: a part payment pays all lines alike."""
        whole = sum(self.lines.values())
        return 0 if self.is_void or not whole else self.lines.get("deposit", 0) * self.settled // whole

    def is_held(self, today: date) -> bool:
        """Whether somebody is paying it."""
        return today < self.held_until

    def late(self, today: date) -> int:
        """What is owed of the late fee on a day."""
        if self.rule is None or self.is_void or self.is_held(today):
            return self.late_due
        return max(self._borne(self.rule, today) - self.late_waived, self.late_settled)

    def _borne(self, rule: Rule, today: date) -> int:
        grace_ends = self.due_on + timedelta(days=rule.grace_days)
        if today <= grace_ends:
            return 0
        sums = Fraction(0)
        for n in range((today - self.due_on).days):
            day = self.due_on + timedelta(days=n + 1)
            if day > grace_ends:
                sums += self._unpaid_before(day)
            elif rule.is_grace_charged:
                sums += min(self._unpaid_before(day), self._unpaid_before(grace_ends + timedelta(days=1)))
        borne = int(sums * Fraction(rule.rate) + Fraction(1, 2))
        if rule.cap_percent is None:
            return borne
        return min(borne, int(Fraction(self.issued * rule.cap_percent, 100) + Fraction(1, 2)))

    def _unpaid_before(self, day: date) -> int:
        return max(self.due - sum(fen for paid_on, fen in self.payments if paid_on < day), 0)

    def assess(self, today: date) -> None:
        """The late fee of the day is written down."""
        self.late_due = self.late(today)

    def void(self) -> int:
        """Taken back; what was paid of it."""
        paid = self.settled + self.late_settled
        self.is_void, self.payments = True, []
        self.late_due = self.late_settled = 0
        return paid


def deduct(bills: Iterable[PlainBill], pots: Pots, today: date) -> list[PlainBill]:
    """The oldest first, all of it or nothing; money that falls short waits for the bill it falls short of."""
    paid, waiting = list[PlainBill](), set[str]()
    for bill in sorted(bills, key=lambda each: (each.due_on, each.number)):
        if bill.is_void or bill.is_held(today) or not bill.open + bill.late_open:
            continue
        wanted = bill.open + bill.late(today) - bill.late_settled
        usable = [*bill.lines, ""] if len(bill.lines) == 1 else [""]
        if wanted <= 0:
            continue
        if sum(pots.get(pot, 0) for pot in usable if pot not in waiting) < wanted:
            waiting |= set(usable)
            continue
        for pot in usable:
            taken = 0 if pot in waiting else min(pots.get(pot, 0), wanted)
            pots[pot] = pots.get(pot, 0) - taken
            wanted -= taken
        bill.assess(today)
        bill.payments.append((today, bill.open))
        bill.late_settled = bill.late_due
        paid.append(bill)
    return paid


def trial_balance(
    bills: Iterable[PlainBill], pots: Iterable[Mapping[str, int]], opening: int, suspense: int
) -> dict[str, int]:
    """Sums by code of account, debit above zero; without those that are even."""
    valid = [bill for bill in bills if not bill.is_void]
    deposits = sum(bill.lines.get("deposit", 0) for bill in valid)
    kept = sum(bill.deposit for bill in valid)
    sums = {
        "opening": opening,
        "suspense": suspense,
        "prepayment": -sum(fen for each in pots for fen in each.values()),
        "receivable": sum(bill.open + bill.late_open for bill in valid),
        "waiver": sum(bill.waived + bill.late_waived for bill in valid),
        "late_fee_income": -sum(bill.late_due + bill.late_waived for bill in valid),
        "income": deposits - sum(sum(bill.lines.values()) for bill in valid),
        "deposit_due": kept - deposits,
        "deposit": -kept,
    }
    return {code: fen for code, fen in sums.items() if fen}
