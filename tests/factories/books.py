"""A ledger of fees with a history of its own, moved at random on given days."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from random import Random
from uuid import UUID, uuid4

from domains.billing.models import BillLine, Expense
from domains.kernel import clock, database
from domains.kernel.clock import FixedClock
from payments.service import payables
from payments.service.ledger import Account
from payments.service.payables import NewPayable
from tests.factories import bills, estate, ledger


@contextmanager
def on(day: date) -> Iterator[None]:
    """Noon of a day in China."""
    with clock.use(FixedClock(datetime.combine(day, time(4), UTC))):
        yield


async def expense(
    compound_id: UUID, fen: int, spent_on: date, category: str = "cleaning", voucher_key: str | None = None
) -> UUID:
    """Something that was spent."""
    made = await Expense.create(
        compound_id=compound_id, spent_on=spent_on, category=category, amount_fen=fen, entered_by=uuid4(),
        entered_at=clock.now(), note="保洁", voucher_key=voucher_key,
    )  # fmt: skip
    return made.id


@dataclass
class Walk:
    """Moves of a compound's fees: each is what a day at the desk may bring."""

    random: Random
    compound_id: UUID
    building_id: UUID
    items: list[UUID]
    deposit: UUID
    known: list[UUID] = field(default_factory=list)
    paid: list[UUID] = field(default_factory=list)

    async def move(self, day: date) -> None:
        """Something happens on that day."""
        moves = (
            self.bill,
            self.bill,
            self.pay,
            self.pay,
            self.pay,
            self.waive,
            self.adjust,
            self.late,
            self.undo,
        )
        with on(day):
            await self.random.choice(moves)(day)

    async def bill(self, day: date) -> None:
        """A bill of some items, now and then with a deposit."""
        chosen = self.random.sample(self.items, self.random.randint(1, len(self.items)))
        lines = {item: self.random.randint(1, 9_999) for item in chosen}
        if self.random.random() < 0.3:
            lines[self.deposit] = 5_000
        # One of an item and a month is all that a house ever has.
        house = await estate.house(self.building_id, str(101 + len(self.known)))
        self.known.append(await bills.bill(house, lines, month=day.replace(day=1), due_on=day, issued_on=day))

    async def pay(self, day: date) -> None:
        """A part of something that is owed, or all of it."""
        kind, state = await self._owed()
        if state is not None:
            fen = self.random.choice((state.outstanding_fen, self.random.randint(1, state.outstanding_fen)))
            self.paid.append(await bills.pay(state.subject_id, fen, day, kind))

    async def waive(self, day: date) -> None:
        """Some of what is owed is let go."""
        _, state = await self._owed()
        if state is not None:
            fen = self.random.randint(1, state.outstanding_fen)
            posting = ledger.posting(self.compound_id, "waiver")
            async with database.transaction():
                await payables.change(posting, state.id, -fen, Account("waiver"))

    async def adjust(self, day: date) -> None:
        """A bill's item becomes more, or less."""
        kind, state = await self._owed()
        if state is not None and kind == "bill":
            item, fen = (
                self.random.choice(self.items),
                self.random.choice((300, -min(200, state.outstanding_fen))),
            )
            line = await BillLine.filter(bill_id=state.subject_id).first()
            assert line is not None, "a bill has lines"
            await BillLine.create(
                bill_id=state.subject_id, house_id=state.holder_id, fee_item_id=item, kind="adjustment", basis={},
                period_from=line.period_from, period_until=line.period_until, amount_fen=fen, correction_id=uuid4(),
            )  # fmt: skip
            posting = ledger.posting(self.compound_id, "adjustment")
            async with database.transaction():
                await payables.change(posting, state.id, fen, Account("income", item))

    async def late(self, day: date) -> None:
        """A bill bears a late fee."""
        kind, state = await self._owed()
        subjects = await payables.of_subjects("late_fee", [state.subject_id]) if state else {}
        if state is not None and kind == "bill" and not subjects:
            new, income = NewPayable(state.subject_id, state.holder_id, 77, day), Account("late_fee_income")
            async with database.transaction():
                await payables.open_many(
                    ledger.posting(self.compound_id, "late_fee"), "late_fee", [new], {income: 77}
                )

    async def undo(self, day: date) -> None:
        """A payment is taken back."""
        if self.paid:
            journal_id = self.paid.pop(self.random.randrange(len(self.paid)))
            async with database.transaction():
                await payables.take_back(ledger.posting(self.compound_id, "reversal"), journal_id)

    async def _owed(self) -> tuple[str, payables.PayableState | None]:
        kind = self.random.choice(("bill", "bill", "late_fee"))
        states = (await payables.of_subjects(kind, self.known)).values()
        open_ = sorted((each for each in states if each.outstanding_fen), key=lambda each: each.id)
        return kind, self.random.choice(open_) if open_ else None
