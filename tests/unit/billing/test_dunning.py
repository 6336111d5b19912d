"""Reminders: the latest step that is due, once each for ever, to who pays, and to nobody who has paid."""

from __future__ import annotations

import asyncio
import random
from datetime import date, timedelta
from uuid import UUID, uuid4

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domains.billing import dunning, permissions
from domains.billing.dunning import Form, Step, turn
from domains.billing.models import DunningLetter, DunningSent, DunningStep, PaymentPromise
from domains.billing.service import dunning as service
from domains.billing.service.assessing import follow
from domains.billing.service.dunning import remind_due
from domains.billing.service.dunning_steps import set_dunning_steps
from domains.kernel import clock, database
from domains.kernel.errors import DomainError, Forbidden, Invalid
from payments.service import payables
from tests.factories import bills, relaying, residents
from tests.factories import dunning as days
from tests.factories.residents import CALLERS, Scene

pytestmark = pytest.mark.usefixtures("instance")

DUE_ON = date(2026, 3, 15)
DAY = timedelta(days=1)
USUAL: tuple[tuple[int, Form], ...] = ((-3, "message"), (1, "message"), (30, "letter"))


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


async def paid(bill_id: UUID, fen: int, on: date) -> None:
    with clock.use(days.on(on)):
        await bills.pay(bill_id, fen, on)
        async with database.transaction():
            await follow(bill_id)


def test_the_latest_step_that_is_due() -> None:
    steps = [Step(uuid4(), day, "letter" if day == 30 else "message") for day in (-3, 1, 30)]
    before, after, letter = steps
    assert turn(steps, DUE_ON, DUE_ON - 4 * DAY).take is None
    assert turn(steps, DUE_ON, DUE_ON - 3 * DAY).take == before
    assert turn(steps, DUE_ON, DUE_ON, had=[before.id], had_days=-3).take is None
    assert turn(steps, DUE_ON, DUE_ON + DAY, had=[before.id], had_days=-3) == dunning.Turn(after, ())
    assert turn(steps, DUE_ON, DUE_ON + 400 * DAY) == dunning.Turn(letter, (before, after))
    # Nobody reads messages to a developer.
    assert turn(steps, DUE_ON, DUE_ON + 2 * DAY, payer="developer") == dunning.Turn(None, ())
    assert turn(steps, DUE_ON, DUE_ON + 30 * DAY, payer="developer") == dunning.Turn(letter, ())
    # A step that was added later than one that a bill had goes back to nobody.
    assert turn(steps, DUE_ON, DUE_ON + 20 * DAY, had=[], had_days=15) == dunning.Turn(None, (before, after))


@given(
    st.lists(st.integers(-60, 90), unique=True, max_size=6),
    st.lists(st.integers(0, 40), min_size=1, max_size=12),
)
def test_over_any_days_each_step_comes_once_and_they_rise(places: list[int], gaps: list[int]) -> None:
    steps = [Step(uuid4(), day, "message") for day in places]
    had, taken, today = set[UUID](), list[int](), DUE_ON - 61 * DAY
    for gap in gaps:
        today += gap * DAY
        known = [step.days for step in steps if step.id in had]
        its = turn(steps, DUE_ON, today, had=had, had_days=max(known, default=None))
        new = {step.id for step in (*its.passed, *([its.take] if its.take else []))}
        assert not new & had
        had |= new
        taken += [its.take.days] if its.take else []
        assert {step.id for step in steps if DUE_ON + step.days * DAY <= today} == had
    assert taken == sorted(set(taken))


@pytest.mark.parametrize("age", [0, 30, 31, 60, 61, 90, 91, 180, 181, 365, 366, 9_999])
def test_ages(age: int) -> None:
    first, last = dunning.AGES[dunning.age_of(age)]
    assert first <= age and (last is None or age <= last)


@pytest.mark.parametrize(
    ("steps", "field"),
    [
        ([(1, "message"), (1, "letter")], "steps"), ([(day, "message") for day in range(13)], "steps"),
        ([(3, "message"), (-61, "message")], "steps.1.days"), ([(1_001, "letter")], "steps.0.days"),
        ([(0, "letter")], "steps.0.days"),
    ],
)  # fmt: skip
async def test_steps_that_cannot_be(scene: Scene, steps: list[tuple[int, Form]], field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        await days.steps(scene, *steps)
    assert (refusal.value.code, refusal.value.field) == ("DUNNING_STEPS_INVALID", field)
    assert await DunningStep.filter(compound_id=scene.compound_id).count() == 0


async def test_a_step_that_stays_is_the_same_one(scene: Scene) -> None:
    await days.steps(scene, *USUAL)
    first = {step.days: step.id for step in await DunningStep.filter(compound_id=scene.compound_id)}
    await days.steps(scene, (1, "message"), (30, "message"), (60, "letter"))
    current = await DunningStep.filter(compound_id=scene.compound_id, ended_at=None).order_by("days")
    assert [(step.days, step.form) for step in current] == [(1, "message"), (30, "message"), (60, "letter")]
    assert current[0].id == first[1] and current[1].id != first[30]
    assert len(await residents.audited("dunning_steps.set", scene.compound_id)) == 2


async def test_steps_are_set_by_staff_of_the_whole_compound(scene: Scene) -> None:
    for kind in CALLERS:
        caller = await residents.caller(scene, kind, permissions.DUNNING_WRITE)
        if kind == "staff":
            continue
        with pytest.raises(DomainError) as refusal:
            await set_dunning_steps(caller, compound_id=scene.compound_id, steps=[(1, "message")])
        assert refusal.value.code in ("FORBIDDEN", "UNAUTHENTICATED")
    limited = residents.staff(
        permissions.DUNNING_WRITE, compound_id=scene.compound_id, building_id=scene.building_id
    )
    with pytest.raises(Forbidden):
        await set_dunning_steps(limited, compound_id=scene.compound_id, steps=[(1, "message")])
    assert await DunningStep.filter(compound_id=scene.compound_id).count() == 0
    done = [
        row
        for row in await residents.audited("dunning_steps.set", scene.compound_id)
        if row["outcome"] == "done"
    ]
    assert done == []  # fmt: skip


async def test_a_bill_goes_through_its_steps(scene: Scene) -> None:
    await days.steps(scene, *USUAL)
    rule = await bills.late_fee_rule(scene.compound_id)
    await bills.bill(scene.house_id, 100_00, late_fee_rule_id=rule)
    for day in (-4, -3, -2, 0, 1, 2, 29, 30, 31, 60):
        await days.remind(DUE_ON + day * DAY)
    assert await days.sent(scene.compound_id) == [(1, -3, "sent"), (1, 1, "sent"), (1, 30, "letter")]
    letter = await DunningLetter.get(compound_id=scene.compound_id)
    # A tenth of a percent a day on 100.00 for thirty days.
    assert (letter.number, letter.owed_fen, letter.made_on) == ("CJH-2026-0001", 103_00, date(2026, 4, 14))
    on_it = await DunningSent.get(letter_id=letter.id)
    assert on_it.principal_fen == 100_00


async def test_who_pays_is_told_what_is_owed_on_that_day(scene: Scene) -> None:
    await days.steps(scene, *USUAL)
    rule = await bills.late_fee_rule(scene.compound_id)
    await bills.bill(scene.house_id, 100_00, late_fee_rule_id=rule)
    await bills.bill(scene.house_id, 50_00)
    await days.remind(DUE_ON - 3 * DAY)
    with clock.use(days.on(DUE_ON - 3 * DAY)):
        await relaying.deliver()
    data = await relaying.data_of(scene.owner.account_id, "bill.due")
    assert (data["fen"], data["late"], data["bills"], data["due"]) == (150_00, 0, 2, "2026-03-15")
    await days.remind(DUE_ON + 2 * DAY)
    with clock.use(days.on(DUE_ON + 2 * DAY)):
        await relaying.deliver()
    data = await relaying.data_of(scene.owner.account_id, "bill.overdue")
    assert (data["fen"], data["late"]) == (150_20, 20)
    assert await relaying.told(scene.owner.account_id) == ["bill.due", "bill.overdue"]
    assert await relaying.told(scene.family.account_id) == ["bill.due", "bill.overdue"]
    assert await relaying.told(scene.tenant.account_id) == []
    await relaying.deliver_again()
    assert await relaying.told(scene.owner.account_id) == ["bill.due", "bill.overdue"]


async def test_what_was_paid_in_between_is_not_told(scene: Scene) -> None:
    await days.steps(scene, (1, "message"))
    bill_id = await bills.bill(scene.house_id, 100_00)
    await days.remind(DUE_ON + DAY)
    await paid(bill_id, 100_00, DUE_ON + DAY)
    await relaying.deliver()
    assert "bill.overdue" not in await relaying.told(scene.owner.account_id)


async def test_a_late_beginning_takes_the_last_step_alone(scene: Scene) -> None:
    await bills.bill(scene.house_id, 100_00)
    await days.steps(scene, *USUAL)
    await days.remind(DUE_ON + 200 * DAY)
    assert await days.sent(scene.compound_id) == [(1, -3, "skipped"), (1, 1, "skipped"), (1, 30, "letter")]
    assert await days.reminders(scene.compound_id) == 1


async def test_a_tenants_bill_reaches_the_owner_after_thirty_days(scene: Scene) -> None:
    await days.steps(scene, (29, "message"), (30, "message"))
    await bills.bill(scene.house_id, 100_00, payer="tenant")
    for day in (29, 30):
        await days.remind(DUE_ON + day * DAY)
        with clock.use(days.on(DUE_ON + day * DAY)):
            await relaying.deliver()
    assert await relaying.told(scene.tenant.account_id) == ["bill.overdue"] * 2
    assert await relaying.told(scene.owner.account_id) == ["bill.overdue"]


async def test_who_is_named_is_told_alone(scene: Scene) -> None:
    await days.steps(scene, (1, "message"))
    await bills.bill(scene.house_id, 100_00, person_id=scene.neighbour.person_id)
    await days.remind(DUE_ON + DAY)
    await relaying.deliver()
    assert await relaying.told(scene.neighbour.account_id) == ["bill.overdue"]
    assert await relaying.told(scene.owner.account_id) == []


async def test_a_developer_gets_letters_alone(scene: Scene) -> None:
    await days.steps(scene, *USUAL)
    await bills.bill(scene.house_id, 100_00, payer="developer")
    await days.remind(DUE_ON + DAY)
    assert await days.sent(scene.compound_id) == []
    await days.remind(DUE_ON + 30 * DAY)
    assert await days.sent(scene.compound_id) == [(1, 30, "letter")]
    await relaying.deliver()
    assert await relaying.told(scene.owner.account_id) == []


async def test_one_reminder_for_all_bills_of_who_pays(scene: Scene) -> None:
    await days.steps(scene, *USUAL)
    old = await bills.bill(scene.house_id, 100_00, due_on=DUE_ON - 40 * DAY, month=date(2026, 2, 1))
    new = await bills.bill(scene.house_id, 50_00)
    tenants = await bills.bill(scene.house_id, 20_00, payer="tenant")
    await days.remind(DUE_ON + DAY)
    rows = await database.fetch(days.EVENTS, str(scene.compound_id))
    told = sorted(sorted(UUID(id) for id in orjson.loads(row["payload"])["bill_ids"]) for row in rows)
    assert told == sorted([sorted([old, new]), [tenants]])
    letter = await DunningLetter.get(compound_id=scene.compound_id)
    assert letter.owed_fen == 100_00
    assert await DunningSent.filter(letter_id=letter.id).values_list("bill_id", flat=True) == [old]


async def test_a_promise_and_a_payment_under_way_keep_reminders_away(scene: Scene) -> None:
    await days.steps(scene, (1, "message"))
    await bills.bill(scene.house_id, 100_00)
    held = await bills.bill(scene.next_door_id, 80_00)
    await PaymentPromise.create(
        compound_id=scene.compound_id, house_id=scene.house_id, promised_on=DUE_ON + 5 * DAY,
        recorded_by=uuid4(), recorded_at=clock.now(),
    )  # fmt: skip
    payable = (await payables.of_subjects("bill", [held]))[held].id
    await payables.hold([payable], days.on(DUE_ON + 2 * DAY).now(), uuid4())
    await days.remind(DUE_ON + DAY)
    assert await days.sent(scene.compound_id) == []
    await days.remind(DUE_ON + 3 * DAY)
    assert await days.sent(scene.compound_id) == [(2, 1, "sent")]
    await days.remind(DUE_ON + 5 * DAY)
    assert len(await days.sent(scene.compound_id)) == 1
    await days.remind(DUE_ON + 6 * DAY)
    assert await days.sent(scene.compound_id) == [(2, 1, "sent"), (1, 1, "sent")]


async def test_two_machines_at_once_remind_once(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "HOUSES_AT_ONCE", 1)
    await days.steps(scene, (30, "letter"))
    for house_id in (scene.house_id, scene.next_door_id, scene.far_house_id):
        for _ in range(2):
            await bills.bill(house_id, 100_00)
    with clock.use(days.on(DUE_ON + 30 * DAY)):
        await asyncio.gather(*(remind_due() for _ in range(4)))
    assert await days.reminders(scene.compound_id) == 3
    letters = await DunningLetter.filter(compound_id=scene.compound_id).order_by("number")
    assert [each.number for each in letters] == ["CJH-2026-0001", "CJH-2026-0002", "CJH-2026-0003"]
    assert len(await days.sent(scene.compound_id)) == 6


async def test_what_was_cut_short_goes_on(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "HOUSES_AT_ONCE", 1)
    await days.steps(scene, (30, "letter"))
    for house_id in (scene.house_id, scene.next_door_id, scene.far_house_id):
        await bills.bill(house_id, 100_00)
    written, calls = service._make_letters, 0

    async def die_in_the_second(*arguments: object) -> list[UUID | None]:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise ConnectionError("killed")
        return await written(*arguments)  # type: ignore[arg-type]  # what it was given

    monkeypatch.setattr(service, "_make_letters", die_in_the_second)
    with pytest.raises(ConnectionError):
        await days.remind(DUE_ON + 30 * DAY)
    assert len(await days.sent(scene.compound_id)) == await days.reminders(scene.compound_id) == 1
    await days.remind(DUE_ON + 30 * DAY)
    assert len(await days.sent(scene.compound_id)) == await days.reminders(scene.compound_id) == 3
    # The number that the one that died had taken was given back.
    letters = await DunningLetter.filter(compound_id=scene.compound_id).values_list("number", flat=True)
    assert sorted(str(each) for each in letters) == [f"CJH-2026-000{count}" for count in (1, 2, 3)]


@pytest.mark.parametrize("seed", range(3))
async def test_over_days_and_payments_nothing_twice_and_nothing_for_the_paid(scene: Scene, seed: int) -> None:
    chance = random.Random(seed)
    await days.steps(scene, (-5, "message"), (0, "message"), (7, "message"), (20, "letter"), (40, "letter"))
    open_ = {
        await bills.bill(house_id, 100_00, due_on=DUE_ON + chance.randrange(30) * DAY): 100_00
        for house_id in (scene.house_id, scene.next_door_id, scene.far_house_id)
        for _ in range(2)
    }
    settled: dict[UUID, date] = {}
    today = DUE_ON - 10 * DAY
    while today < DUE_ON + 80 * DAY:
        today += chance.randrange(1, 9) * DAY
        for _ in range(chance.randrange(1, 3)):
            await days.remind(today)
        if chance.random() < 0.4 and open_:
            bill_id = chance.choice(list(open_))
            fen = min(open_[bill_id], chance.choice([30_00, 100_00]))
            await paid(bill_id, fen, today)
            open_[bill_id] -= fen
            if not open_[bill_id]:
                del open_[bill_id]
                settled[bill_id] = today
    sent = await DunningSent.filter(bill__compound_id=scene.compound_id)
    assert len({(each.bill_id, each.step_id) for each in sent}) == len(sent)  # type: ignore[attr-defined]  # columns
    for each in sent:
        assert each.sent_on <= settled.get(each.bill_id, each.sent_on)  # type: ignore[attr-defined]  # a column
    # What is still open has had them all.
    for bill_id in open_:
        assert sum(each.bill_id == bill_id for each in sent) == 5  # type: ignore[attr-defined]  # a column
