"""Random days of a small compound beside its books in plain numbers: after every move both say the same."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from domains.billing import permissions
from domains.billing.bill_handlers import follow_payables
from domains.billing.models import BillLine, Correction
from domains.billing.service import deductions
from domains.billing.service.assessing import assess, follow, freeze
from domains.billing.service.corrections import (
    decide_correction,
    request_adjustment,
    request_void,
    request_waiver,
)
from domains.kernel import clock, database
from domains.kernel.actor import Actor
from domains.kernel.clock import FixedClock
from domains.kernel.errors import DomainError
from payments.events import PayableSettled
from payments.service import ledger as books
from payments.service import payables
from payments.service.ledger import Account
from tests.factories import bills, estate, ledger, residents
from tests.factories.identity import places
from tests.unit.billing.plain_books import PlainBill, Pots, Rule, deduct, trial_balance

pytestmark = pytest.mark.usefixtures("instance")

FIRST = datetime(2026, 3, 1, 4, tzinfo=UTC)
ITEMS = ("property", "water", "deposit")
RULES = (None, Rule("0.001"), Rule("0.003", 4, False, 5), Rule("0.0007", 3, True, 100))
REASON = "更正"
DEBTS = "SELECT id, subject_type FROM payable WHERE subject_id = $1"


@dataclass
class Desk:
    """The compound as it is kept, and as it ought to be."""

    compound_id: UUID
    houses: list[UUID]
    items: dict[str, UUID]
    rules: dict[Rule, UUID]
    time: FixedClock
    bills: list[PlainBill] = field(default_factory=list)
    ids: list[UUID] = field(default_factory=list)
    pots: list[Pots] = field(default_factory=lambda: [{}, {}])
    opening: int = 0
    suspense: int = 0
    payments: list[tuple[int, UUID, str, int]] = field(default_factory=list)

    @property
    def today(self) -> date:
        """The business date."""
        return self.time.now().date()

    def chosen(self, which: int) -> tuple[PlainBill, UUID] | None:
        """One of the bills there are: mostly one of the last that are not void."""
        known = list(zip(self.bills, self.ids, strict=True))
        valid = [each for each in known if not each[0].is_void][-3:]
        among = known if which % 16 == 0 or not valid else valid
        return among[which // 3 % len(among)] if among else None

    async def later(self, which: int, fen: int) -> None:
        """Days go by."""
        self.time.advance(timedelta(days=1 + fen % 9))

    async def bill(self, which: int, fen: int) -> None:
        """A bill of one item or of several, with one of the rules."""
        names = [name for n, name in enumerate(ITEMS) if which >> n & 1] or ["property"]
        lines = {name: fen + 31 * n for n, name in enumerate(names)}
        rule, house, due_on = RULES[which >> 3 & 3], which >> 5, self.today + timedelta(days=which % 5 - 3)
        made = await bills.bill(
            self.houses[house], {self.items[name]: each for name, each in lines.items()}, due_on=due_on,
            # One of an item and a month is all that a house ever has.
            month=date(2000 + len(self.bills), 1, 1), issued_on=min(self.today, due_on),
            late_fee_rule_id=None if rule is None else self.rules[rule],
        )  # fmt: skip
        self.ids.append(made)
        self.bills.append(PlainBill(len(self.ids), house, due_on, lines, rule))

    async def prepay(self, which: int, fen: int) -> None:
        """A house brings money, for one purpose or for any."""
        house, purpose = which % 2, ("", "", "water", "property")[which // 2 % 4]
        await ledger.prepay(self.compound_id, self.houses[house], 3 * fen, purpose)
        self.pots[house][purpose] = self.pots[house].get(purpose, 0) + 3 * fen
        self.opening += 3 * fen

    async def deduct(self, which: int, fen: int) -> None:
        """A house pays from what it has."""
        house = which % 2
        paid = deduct([each for each in self.bills if each.house == house], self.pots[house], self.today)
        assert await deductions.deduct(self.houses[house]) == len(paid)

    async def pay(self, which: int, fen: int) -> None:
        """Somebody pays a part, or all, of what was written down of a bill."""
        if (found := self.chosen(which)) is None:
            return
        bill, id = found
        kind, left = ("bill", bill.open) if which % 3 else ("late_fee", bill.late_open)
        if not left:
            return
        fen = min(fen, left) if which % 5 else left
        journal = await bills.pay(id, fen, self.today, kind)
        self.suspense += fen
        self.payments.append((self.bills.index(bill), journal, kind, fen))
        await self._followed(bill, id, kind, fen, journal)

    async def take_back(self, which: int, fen: int) -> None:
        """A payment is undone, unless some of it was given back before."""
        if not self.payments:
            return
        at, journal, kind, paid = self.payments.pop(which % len(self.payments))
        bill, id = self.bills[at], self.ids[at]
        if (bill.settled if kind == "bill" else bill.late_settled) < paid:
            return
        async with database.transaction():
            await payables.take_back(ledger.posting(self.compound_id, "reversal"), journal)
        self.suspense -= paid
        await self._followed(bill, id, kind, -paid, journal)

    async def _followed(self, bill: PlainBill, id: UUID, kind: str, fen: int, journal: UUID) -> None:
        if kind == "bill":
            bill.payments.append((self.today, fen))
            if not bill.open:
                bill.assess(self.today)
        else:
            bill.late_settled += fen
        left = bill.open if kind == "bill" else bill.late_open
        event = PayableSettled(uuid4(), self.compound_id, kind, id, left, journal)
        async with database.transaction():
            await follow_payables(event, uuid4())

    async def accrue(self, which: int, fen: int) -> None:
        """The late fees of the day are written down."""
        async with database.transaction():
            await assess(self.ids, self.today)
            for bill, id in zip(self.bills, self.ids, strict=True):
                bill.assess(self.today)
                await follow(id)

    async def freeze(self, which: int, fen: int) -> None:
        """A payment begins, and has two days."""
        if (found := self.chosen(which)) is None:
            return
        bill, id = found
        is_taken = bill.is_held(self.today) and bill.open + bill.late_open > 0
        until = self.time.now() + timedelta(days=2)
        assert await outcome(self._freeze(id, until)) == ("BILL_BEING_PAID" if is_taken else "")
        if not is_taken:
            bill.assess(self.today)
            if bill.open + bill.late_open:
                bill.held_until = until.date()

    async def _freeze(self, id: UUID, until: datetime) -> None:
        async with database.transaction():
            await freeze([id], self.today, until, uuid4())
            await follow(id)

    async def waive(self, which: int, fen: int) -> None:
        """Some is let go of the principal or of the late fee, or all that is open."""
        if (found := self.chosen(which)) is None:
            return
        bill, id = found
        is_late, asked = which % 3 == 0, fen if which % 5 else None
        left = bill.late(self.today) - bill.late_settled if is_late else bill.open
        too_much = (
            "NOTHING_TO_WAIVE"
            if not left
            else "WAIVER_TOO_MUCH"
            if asked is not None and asked > left
            else ""
        )
        expected = self._refusal(bill, too_much)
        request = request_waiver(
            self._staff(permissions.CORRECTIONS_REQUEST), bill_id=id, concern="late_fee" if is_late else "principal",
            amount_fen=asked, reason=REASON,
        )  # fmt: skip
        assert await outcome(self._corrected(request)) == expected
        if not expected and is_late:
            bill.assess(self.today)
            bill.late_due -= left if asked is None else asked
            bill.late_waived += left if asked is None else asked
        elif not expected:
            bill.waived += left if asked is None else asked
        if not expected:
            bill.assess(self.today)

    async def adjust(self, which: int, fen: int) -> None:
        """A line becomes more, or less: what was paid too much is the house's."""
        if (found := self.chosen(which)) is None:
            return
        bill, id = found
        name, fen = sorted(bill.lines)[which % len(bill.lines)], fen if which % 3 == 0 else -fen
        is_too_much = bill.lines[name] + fen < 0 or bill.due + fen < 0
        expected = self._refusal(bill, "ADJUSTMENT_TOO_MUCH" if is_too_much else "")
        line = await BillLine.get(bill_id=id, fee_item_id=self.items[name], kind="charge")
        request = request_adjustment(
            self._staff(permissions.CORRECTIONS_REQUEST), line_id=line.id, amount_fen=fen, reason=REASON
        )
        assert await outcome(self._corrected(request)) == expected
        if not expected:
            back = max(-fen - bill.open, 0)
            bill.lines[name] += fen
            if back:
                bill.payments.append((self.today, -back))
                self._give(bill.house, back)
            bill.assess(self.today)

    async def void(self, which: int, fen: int) -> None:
        """A bill is taken back with all that became of it."""
        if (found := self.chosen(which)) is None:
            return
        bill, id = found
        expected = self._refusal(bill)
        request = request_void(self._staff(permissions.CORRECTIONS_REQUEST), bill_id=id, reason=REASON)
        assert await outcome(self._corrected(request)) == expected
        if not expected:
            self._give(bill.house, bill.void())

    def _give(self, house: int, fen: int) -> None:
        self.pots[house][""] = self.pots[house].get("", 0) + fen

    def _refusal(self, bill: PlainBill, too_much: str = "") -> str:
        if bill.is_void:
            return "BILL_VOID"
        return too_much or ("BILL_BEING_PAID" if bill.is_held(self.today) else "")

    def _staff(self, permission: str) -> Actor:
        return residents.staff(permission, compound_id=self.compound_id)

    async def _corrected(self, request: Awaitable[UUID]) -> None:
        asked = await request
        try:
            await decide_correction(
                self._staff(permissions.CORRECTIONS_DECIDE), correction_id=asked, approve=True
            )
        finally:
            await Correction.filter(pk=asked, state="requested").update(state="withdrawn")

    async def agrees(self) -> None:
        """The books are what they ought to be, to the fen."""
        await ledger.check_books()
        expected = trial_balance(self.bills, self.pots, self.opening, self.suspense)
        assert await ledger.trial_balance(self.compound_id) == expected
        for bill, id in zip(self.bills, self.ids, strict=True):
            told = (bill.state, bill.due, bill.settled, bill.late_due, bill.late_settled)
            assert await bills.state_of(id) == told, bill
        for house_id, pots in zip(self.houses, self.pots, strict=True):
            for purpose, fen in pots.items():
                account = Account("prepayment", house_id, purpose)
                assert await books.balance(self.compound_id, account) == fen >= 0


async def outcome(call: Awaitable[object]) -> str:
    """The code of a refusal; empty where it was done."""
    try:
        await call
    except DomainError as refusal:
        return refusal.code
    return ""


async def open_desk(time: FixedClock) -> Desk:
    """A compound of its own with two houses."""
    at = await places()
    houses = [await estate.house(at.building_id, room) for room in ("101", "102")]
    items = {name: await bills.item(at.compound_id, name) for name in ITEMS}
    rules = {
        rule: await bills.late_fee_rule(
            at.compound_id, rule.rate, grace_days=rule.grace_days, is_grace_charged=rule.is_grace_charged,
            cap_percent=None if rule.cap_percent is None else Decimal(rule.cap_percent), from_on=date(2020, 1, n + 1),
        )
        for n, rule in enumerate(RULES) if rule is not None
    }  # fmt: skip
    return Desk(at.compound_id, houses, items, rules, time)


MOVES = (
    "later", "later", "bill", "bill", "prepay", "prepay", "deduct", "deduct", "deduct", "pay", "pay", "pay", "take_back",
    "accrue", "accrue", "freeze", "waive", "waive", "waive", "adjust", "adjust", "void",
)  # fmt: skip
moves = st.tuples(st.sampled_from(MOVES), st.integers(0, 63), st.integers(1, 4_000))
openings = st.tuples(st.just("bill"), st.integers(0, 63), st.integers(1, 4_000))


# A walk is minutes long to shrink: what failed is told as it was found.
@settings(
    max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), phases=(Phase.reuse, Phase.generate)
)  # fmt: skip
@given(first=openings, days=st.lists(moves, min_size=25, max_size=45))
async def test_the_books_agree_with_plain_numbers(
    first: tuple[str, int, int], days: list[tuple[str, int, int]]
) -> None:
    time = FixedClock(FIRST)
    with clock.use(time):
        desk = await open_desk(time)
        for name, which, fen in (first, *days):
            note(f"{desk.today} {name} {which} {fen}")
            await getattr(desk, name)(which, fen)
            await desk.agrees()
        time.advance(timedelta(days=40))
        await desk.accrue(0, 0)
        await desk.agrees()
