"""The last months of the demo's office (示范账单): bills in every state, corrections, reminders and open books."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID, uuid5

from api.demo import fees
from api.demo.fees import Place
from api.demo.people import demo_people
from api.demo.telling import settled
from domains.billing.proration import months_after
from domains.billing.service.at_once import bill_one_off
from domains.billing.service.corrections import decide_correction, request_waiver
from domains.billing.service.dunning import remind_due
from domains.billing.service.dunning_steps import set_dunning_steps
from domains.billing.service.expenses import add_expense
from domains.billing.service.one_offs import add_one_off_charges
from domains.billing.service.opening_balances import set_opening_balance
from domains.billing.service.pooled_costs import record_pooled_cost
from domains.billing.service.posting import post
from domains.billing.service.promises import record_promise
from domains.billing.service.publishing import publish_accounts
from domains.billing.service.runs import approve_billing_run, start_billing_run
from domains.billing.service.settings import set_billing_rules, set_late_fee_rule
from domains.kernel import clock, database
from domains.kernel.actor import SYSTEM, Actor
from domains.kernel.clock import SHANGHAI, FixedClock

HISTORY, HELD_SINCE = 6, 2
"""Months whose fees are billed, and how many months ago the office began to bill with this system."""
PAYS_NOT, PAID_AHEAD_FEN = 9, 600_000
"""Every ninth house has not paid ahead; the others enough for all."""
OPENING = UUID("5c1d2f0e-8a3b-4c6d-9e7f-0a1b2c3d4e5f")

SPENT = (
    ("staff", 4_860_000, "保安、保洁与客服工资"), ("cleaning", 386_500, "保洁用品与外墙清洗"),
    ("energy", 612_340, "公共照明与水泵电费"), ("lift", 445_000, "电梯维保与年检"), ("greening", 178_000, "绿化养护"),
)  # fmt: skip
"""What a month costs: category, fen, for what."""

TOTAL = "SELECT expected_fen FROM billing_run WHERE id = $1"
OVERDUE = """
SELECT b.id, b.house_id FROM bill b WHERE b.compound_id = $1 AND b.state = 'open' AND b.payer = 'owner' AND b.due_on < $2
ORDER BY b.number
"""


@dataclass
class HalfYear:
    """Half a year of the office: the clerk prepares what the manager approves."""

    compound_id: UUID
    manager: Actor
    clerk: Actor
    month: date = field(default_factory=lambda: clock.today().replace(day=1))
    houses: list[Place] = field(default_factory=list)
    items: dict[str, UUID] = field(default_factory=dict)

    async def live(self) -> None:
        """Month by month, and the run of this month waits for approval."""
        self.houses = await fees.places(self.compound_id)
        metered = [each for each in self.houses if each.unit == fees.METERED_UNIT]
        installed_on = self._ago(HISTORY)
        await fees.install_meters(self.manager, self.compound_id, metered, installed_on)
        await fees.read_meters(self.manager, self.compound_id, metered, installed_on, HISTORY)
        with self._at(self._ago(HELD_SINCE), 9):
            await self._set_up()
        for ago in range(HELD_SINCE, 0, -1):
            await self._bill(ago)
        await self._collect()
        await self._open_books()
        await start_billing_run(
            self.clerk, compound_id=self.compound_id, month=self.month, from_month=self.month
        )
        await settled()

    def _ago(self, months: int) -> date:
        return months_after(self.month, -months)

    @contextmanager
    def _at(self, day: date, hour: int) -> Iterator[None]:
        with clock.use(FixedClock(datetime.combine(day, time(hour), SHANGHAI))):
            yield

    async def _set_up(self) -> None:
        first, known = self._ago(HISTORY), self.compound_id
        await set_billing_rules(
            self.manager, compound_id=known,
            changes={"due_days": 15, "deducts_automatically": True, "allows_part_payment": True},
        )  # fmt: skip
        await set_late_fee_rule(
            self.manager,
            compound_id=known,
            from_on=first,
            daily_rate=Decimal("0.0005"),
            cap_percent=Decimal(100),
        )
        building_id = self.houses[0].building_id
        self.items = await fees.set_items(self.manager, known, building_id, first, self._ago(1))
        await set_dunning_steps(
            self.manager, compound_id=known, steps=[(-3, "message"), (1, "message"), (30, "letter")]
        )
        for place in self._paying():
            await set_opening_balance(
                self.manager, house_id=place.id, purpose="", amount_fen=self._ahead(place), note="启用系统前的预存款",
                idempotency_key=uuid5(OPENING, place.number),
            )  # fmt: skip

    def _paying(self) -> list[Place]:
        return [each for index, each in enumerate(self.houses) if index % PAYS_NOT and each.state != "unsold"]

    def _ahead(self, place: Place) -> int:
        """The owner who is shown has paid ahead for the first bills and owes the last."""
        owner = demo_people().owner
        is_shown = (place.unit, place.room) == (owner.unit, owner.room)
        return 140_000 if is_shown else PAID_AHEAD_FEN

    async def _bill(self, ago: int) -> None:
        """The run of a month, begun and approved on its first day; the first one makes up for what came before."""
        month = self._ago(ago)
        first = self._ago(HISTORY - 1) if ago == HELD_SINCE else month
        with self._at(month, 10):
            await self._share_costs(first, month)
            run_id = await start_billing_run(
                self.clerk, compound_id=self.compound_id, month=month, from_month=first
            )
            expected_fen = await database.fetchval(TOTAL, run_id)
            await approve_billing_run(self.manager, run_id=run_id, expected_fen=expected_fen)
            await post(SYSTEM, run_id)
            await settled()

    async def _share_costs(self, first: date, month: date) -> None:
        due = first
        while due <= month:
            # Paid afterwards: what falls due in a month is the cost of the one before.
            await record_pooled_cost(
                self.clerk, fee_item_id=self.items["公摊电费"], period_from=months_after(due, -1),
                total_fen=386_420 + due.month * 1_730,
            )  # fmt: skip
            due = months_after(due, 1)

    async def _collect(self) -> None:
        """What is not paid: reminders, a letter, a promise, a waiver that was decided and one that waits."""
        with self._at(self._ago(1) + timedelta(days=19), 9):
            await self._deposit()
            await remind_due()
            await settled()
        owing = await database.fetch(OVERDUE, self.compound_id, clock.today())
        first, second, third = owing[0], owing[1], owing[2]
        done = await request_waiver(
            self.clerk,
            bill_id=first["id"],
            concern="principal",
            amount_fen=None,
            reason="房屋漏水维修期间无法居住",
        )
        await decide_correction(self.manager, correction_id=done, approve=True, note="情况属实")
        await request_waiver(
            self.clerk,
            bill_id=second["id"],
            concern="principal",
            amount_fen=5_000,
            reason="电梯停运,业主申请减免",
        )
        await record_promise(
            self.clerk, house_id=third["house_id"], promised_on=clock.today() + timedelta(days=7),
            note="电话沟通,发工资后缴清",
        )  # fmt: skip
        await remind_due()
        await settled()

    async def _deposit(self) -> None:
        item, house = self.items["装修押金"], self._paying()[-1]
        (charge,) = await add_one_off_charges(
            self.clerk, fee_item_id=item, house_ids=[house.id], charged_on=clock.today(), amount_fen=200_000,
            note="装修申请已受理",
        )  # fmt: skip
        await bill_one_off(self.manager, charge_id=charge)

    async def _open_books(self) -> None:
        """Two months are published, and what this month has cost so far is entered."""
        for ago in (2, 1, 0):
            month = self._ago(ago)
            for number, (category, fen, note) in enumerate(SPENT if ago else SPENT[:1]):
                spent_on = month + timedelta(days=0 if not ago else 4 * number + 2)
                with self._at(spent_on, 11):
                    await add_expense(
                        self.clerk, compound_id=self.compound_id, spent_on=spent_on, category=category,
                        amount_fen=fen + ago * 1_300, note=note, voucher=None,
                    )  # fmt: skip
            if ago:
                await publish_accounts(self.manager, compound_id=self.compound_id, month=month)
