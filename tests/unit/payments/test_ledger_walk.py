"""Random walks over the ledger beside a model in plain integers: the books agree after every walk."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from uuid import UUID, uuid4

import pytest

from domains.kernel import clock, database
from domains.kernel.errors import Conflict
from payments.service import ledger, payables
from payments.service.ledger import Account
from tests.factories.ledger import check_books, payable, posting, prepay, trial_balance

pytestmark = pytest.mark.usefixtures("instance")


@dataclass
class Books:
    """What ought to be, and the keys under which it was posted."""

    random: Random
    compound: UUID = field(default_factory=uuid4)
    house: UUID = field(default_factory=uuid4)
    balance: int = 0
    paid_in: int = 0
    waived: int = 0
    income: int = 0
    due: dict[UUID, int] = field(default_factory=dict)
    settled: dict[UUID, int] = field(default_factory=dict)
    payments: dict[UUID, tuple[UUID, int]] = field(default_factory=dict)

    @property
    def funds(self) -> Account:
        return Account("prepayment", self.house)

    async def open(self) -> None:
        fen = self.random.randint(1, 900)
        made = await payable(self.compound, self.house, fen)
        self.due[made], self.settled[made] = fen, 0
        self.income += fen

    async def prepay(self) -> None:
        fen = self.random.randint(1, 900)
        await prepay(self.compound, self.house, fen)
        self.balance += fen
        self.paid_in += fen

    async def settle(self) -> None:
        owed, fen = self.random.choice(list(self.due)), self.random.randint(1, 600)
        allowed = fen <= self.due[owed] - self.settled[owed] and fen <= self.balance
        journal, key = None, str(uuid4())
        with suppress(Conflict):
            for _ in range(self.random.randint(1, 2)):
                journal = await self._pay(owed, fen, key)
        assert (journal is not None) == allowed
        if journal is not None:
            self.payments[journal] = owed, fen
            self.settled[owed] += fen
            self.balance -= fen

    async def _pay(self, owed: UUID, fen: int, key: str) -> UUID:
        once = posting(self.compound, "deduction", key)
        async with database.transaction():
            return await payables.settle(once, self.funds, {owed: fen}, clock.today())

    async def take_back(self) -> None:
        if not self.payments:
            return
        journal = self.random.choice(list(self.payments))
        owed, fen = self.payments[journal]
        if self.settled[owed] < fen:
            return  # what it paid has already been given back
        self.payments.pop(journal)
        async with database.transaction():
            await payables.take_back(posting(self.compound, "reversal", f"back:{journal}"), journal)
        self.settled[owed] -= fen
        self.balance += fen

    async def waive(self) -> None:
        owed, fen = self.random.choice(list(self.due)), self.random.randint(1, 600)
        allowed = fen <= self.due[owed] - self.settled[owed]
        done = False
        with suppress(Conflict):
            async with database.transaction():
                await payables.change(posting(self.compound, "waiver"), owed, -fen, Account("waiver"))
            done = True
        assert done == allowed
        if done:
            self.due[owed] -= fen
            self.waived += fen

    async def give_back(self) -> None:
        owed = self.random.choice(list(self.due))
        if not self.settled[owed]:
            return
        fen = self.random.randint(1, self.settled[owed])
        back = posting(self.compound, "void")
        async with database.transaction():
            await payables.give_back(back, owed, fen, self.funds, Account("income", self.compound))
        self.due[owed] -= fen
        self.settled[owed] -= fen
        self.income -= fen
        self.balance += fen


@pytest.mark.parametrize("seed", range(4))
async def test_the_books_agree_after_every_walk(seed: int) -> None:
    books = Books(Random(seed))
    await books.open()
    steps = (
        books.open,
        books.prepay,
        books.settle,
        books.settle,
        books.take_back,
        books.waive,
        books.give_back,
    )
    for _ in range(60):
        await books.random.choice(steps)()
    assert await ledger.balance(books.compound, books.funds) == books.balance
    states = await payables.of_subjects("bill", await _subjects(books.compound))
    assert {each.id: (each.due_fen, each.settled_fen) for each in states.values()} == {
        owed: (books.due[owed], books.settled[owed]) for owed in books.due
    }
    expected = {
        "income": -books.income, "opening": books.paid_in, "prepayment": -books.balance, "waiver": books.waived,
        "receivable": sum(books.due.values()) - sum(books.settled.values()),
    }  # fmt: skip
    assert await trial_balance(books.compound) == {code: fen for code, fen in expected.items() if fen}
    await check_books()


async def _subjects(compound_id: UUID) -> list[UUID]:
    rows = await database.fetch("SELECT subject_id FROM payable WHERE compound_id = $1", compound_id)
    return [row["subject_id"] for row in rows]
