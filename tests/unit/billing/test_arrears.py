"""Arrears: by house, by how long, by building, in pages, within one's reach, and as a file."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from uuid import UUID

import pytest

from domains.billing import permissions
from domains.billing.dunning_jobs import forget_exports
from domains.billing.models import BillingExport
from domains.billing.queries import arrears as queries
from domains.billing.queries.arrears import ArrearsFilter, HouseArrears, Sort
from domains.billing.service import arrears_export
from domains.billing.service.dunning import remind_now
from domains.billing.service.promises import record_promise
from domains.kernel import clock, database, exports
from domains.kernel.actor import Actor
from domains.kernel.errors import Conflict, DomainError, Throttled
from domains.kernel.files import audience_of, links, storage
from domains.kernel.phones import mask
from tests.factories import bills, dunning, guards, residents
from tests.factories.residents import CALLERS, Scene

pytestmark = pytest.mark.usefixtures("instance")

TODAY, DAY = date(2026, 6, 30), timedelta(days=1)
NOTHING = ArrearsFilter()


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


@pytest.fixture
async def reader(scene: Scene) -> Actor:
    return await guards.guard(scene, permissions.BILLS_READ, permissions.DUNNING_WRITE)


async def owed(house_id: UUID, fen: int, days: int, payer: str = "owner", **columns: UUID) -> UUID:
    """A bill that has been due for so many days."""
    return await bills.bill(
        house_id, fen, due_on=TODAY - days * DAY, month=date(2025, 1, 1), payer=payer, **columns
    )


async def found(
    actor: Actor, scene: Scene, narrowed: ArrearsFilter = NOTHING, sort: Sort = "age"
) -> list[HouseArrears]:
    with clock.use(dunning.on(TODAY)):
        return await queries.arrears(actor, scene.compound_id, narrowed, sort=sort, after=None, limit=50)


async def test_what_a_house_owes(scene: Scene, reader: Actor) -> None:
    rule = await bills.late_fee_rule(scene.compound_id)
    old = await owed(scene.house_id, 100_00, 40, late_fee_rule_id=rule)
    part = await owed(scene.house_id, 50_00, 10)
    await bills.pay(part, 20_00, TODAY - DAY)
    await owed(scene.house_id, 70_00, 0)
    await owed(scene.house_id, 90_00, -5)
    await owed(scene.next_door_id, 10_00, 400, payer="tenant")
    with clock.use(dunning.on(TODAY)):
        await remind_now(reader, house_id=scene.house_id)
        await record_promise(reader, house_id=scene.house_id, promised_on=TODAY + DAY)
    far, near = await found(reader, scene)
    assert (far.house_id, near.house_id) == (scene.next_door_id, scene.house_id)
    assert near.bill_ids == (old, part)
    # A tenth of a percent of 100.00 for forty days.
    assert (near.principal_fen, near.late_fee_fen, near.total_fen) == (130_00, 4_00, 134_00)
    assert near.oldest_due_on == TODAY - 40 * DAY
    with clock.use(dunning.on(TODAY)):
        assert near.age_days == 40
    assert [(each.from_days, each.bills, each.principal_fen) for each in near.ages][:3] == [
        (0, 1, 30_00), (31, 1, 100_00), (61, 0, 0),
    ]  # fmt: skip
    assert [(each.capacity, each.name, each.phone) for each in near.people] == [
        ("owner", "张建国", mask(scene.owner.phone))
    ]
    assert near.promise is not None and near.promise.state == "open"
    assert near.reminded_on == TODAY
    assert far.people == () and far.promise is None and far.reminded_on is None
    assert far.ages[-1].principal_fen == 10_00


async def test_order_filters_and_pages(scene: Scene, reader: Actor) -> None:
    await owed(scene.house_id, 100_00, 5)
    await owed(scene.next_door_id, 300_00, 50)
    await owed(scene.far_house_id, 200_00, 100, payer="tenant")
    a, b, c = scene.house_id, scene.next_door_id, scene.far_house_id

    async def houses(sort: Sort = "age", **narrowed: object) -> list[UUID]:
        rows = await found(reader, scene, ArrearsFilter(**narrowed), sort)  # type: ignore[arg-type]  # as given
        assert await queries.count(reader, scene.compound_id, ArrearsFilter(**narrowed)) == len(rows)  # type: ignore[arg-type]  # as given
        return [row.house_id for row in rows]

    with clock.use(dunning.on(TODAY)):
        assert await houses() == [c, b, a]
        assert await houses("amount") == [b, c, a]
        assert await houses(age_at_least=50) == [c, b]
        assert await houses(age_at_least=2**31 - 1) == []
        assert await houses(fen_at_least=200_01) == [b]
        assert await houses(building_id=scene.other_building_id) == [c]
        assert await houses(payer="tenant") == [c] and await houses(payer="developer") == []
        assert await houses(words="101") == [a] and await houses(words="没有") == []
        assert await houses(words="钱邻") == [b]
        assert await houses(words=scene.neighbour.phone) == [b]
        assert b in await houses(words=scene.neighbour.phone[-4:])
        assert await houses(words="%") == []
        for sort in ("age", "amount"):
            seen: list[UUID] = []
            after: tuple[object, ...] | None = None
            while page := await queries.arrears(
                reader, scene.compound_id, NOTHING, sort=sort, after=after, limit=1
            ):
                seen += [row.house_id for row in page]
                after = (
                    (page[-1].oldest_due_on if sort == "age" else page[-1].principal_fen),
                    page[-1].house_id,
                )
            assert seen == ([c, b, a] if sort == "age" else [b, c, a])


async def test_a_name_on_the_bill_is_found(scene: Scene, reader: Actor) -> None:
    person = await residents.person(scene.compound_id, "孙前业主", phone="13812345678")
    await owed(scene.far_house_id, 100_00, 5, person_id=person)
    (row,) = await found(reader, scene, ArrearsFilter(words="孙前业主"))
    assert [(each.name, each.phone) for each in row.people] == [("孙前业主", "138****5678")]


async def test_the_statements_do_not_grow_with_the_houses(scene: Scene, reader: Actor) -> None:
    async def cost() -> int:
        async with database.counted() as statements:
            await found(reader, scene)
        return statements.count

    await owed(scene.house_id, 100_00, 5)
    one = await cost()
    for house_id in (scene.next_door_id, scene.far_house_id):
        for days in (5, 50):
            await owed(house_id, 100_00, days)
    # Houses, bills, people, promises, reminders, and the audit's row.
    assert await cost() == one == 6


async def test_the_summary_is_one_statement(scene: Scene, reader: Actor) -> None:
    with clock.use(dunning.on(TODAY)):
        (nothing,) = await queries.summary(reader, scene.compound_id)
    assert (nothing.houses, nothing.bills, nothing.principal_fen, len(nothing.ages)) == (0, 0, 0, 6)
    await owed(scene.house_id, 100_00, 5)
    await owed(scene.house_id, 50_00, 400)
    await owed(scene.next_door_id, 30_00, 5)
    await owed(scene.far_house_id, 200_00, 31)
    with clock.use(dunning.on(TODAY)):
        async with database.counted() as statements:
            everything, here, there = await queries.summary(reader, scene.compound_id)
    assert statements.count == 1
    assert (everything.building_id, everything.houses, everything.bills) == (None, 3, 4)
    assert everything.principal_fen == 380_00
    assert [each.principal_fen for each in everything.ages] == [130_00, 200_00, 0, 0, 0, 50_00]
    assert (here.building_id, here.building_name, here.houses, here.bills) == (
        scene.building_id,
        "1号楼",
        2,
        3,
    )
    assert [each.bills for each in here.ages] == [2, 0, 0, 0, 0, 1]
    assert (there.building_id, there.principal_fen) == (scene.other_building_id, 200_00)


@pytest.mark.parametrize(
    "kind", [kind for kind in CALLERS if kind not in ("staff", "staff of another building")]
)
async def test_others_read_nothing(scene: Scene, kind: str) -> None:
    await owed(scene.house_id, 100_00, 5)
    caller = await residents.caller(scene, kind, permissions.BILLS_READ)
    for attempt in (
        found(caller, scene), queries.summary(caller, scene.compound_id),
        queries.count(caller, scene.compound_id, NOTHING), exported(caller, scene.compound_id),
    ):  # fmt: skip
        with pytest.raises(DomainError) as refusal:
            await attempt
        assert refusal.value.code in ("FORBIDDEN", "UNAUTHENTICATED")
    done = [
        row for row in await residents.audited("arrears.list", scene.compound_id) if row["outcome"] == "done"
    ]
    assert done == []  # fmt: skip
    assert await BillingExport.filter(compound_id=scene.compound_id).count() == 0


async def test_staff_of_some_buildings_read_theirs(scene: Scene) -> None:
    await owed(scene.house_id, 100_00, 5)
    await owed(scene.far_house_id, 200_00, 5)
    limited = residents.staff(
        permissions.BILLS_READ, compound_id=scene.compound_id, building_id=scene.other_building_id
    )
    assert [row.house_id for row in await found(limited, scene)] == [scene.far_house_id]
    with clock.use(dunning.on(TODAY)):
        everything, _ = await queries.summary(limited, scene.compound_id)
    assert everything.principal_fen == 200_00


async def exported(actor: Actor, compound_id: UUID, narrowed: ArrearsFilter = NOTHING) -> list[list[str]]:
    """The rows of a file."""
    file = await arrears_export.export_arrears(
        actor, compound_id=compound_id, narrowed=narrowed, sort="amount", form="csv"
    )
    grant = links().open(file.address.rsplit("/", 1)[1], clock.now(), audience_of(actor))
    body = b"".join([chunk async for chunk in await storage().open(grant.key)])
    rows = list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")))
    assert rows[0] == list(arrears_export.HEADER) and file.rows == len(rows) - 1
    return rows[1:]


async def test_a_file_has_all_pages_and_is_forgotten(
    scene: Scene, reader: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrears_export, "BATCH", 1)
    await owed(scene.house_id, 1234_50, 5)
    await owed(scene.next_door_id, 300_00, 50)
    with clock.use(dunning.on(TODAY)):
        rows = await exported(reader, scene.compound_id)
        assert [(row[1], row[2], row[3], row[5], row[9], row[10]) for row in rows] == [
            ("1号楼1单元101", "张建国", mask(scene.owner.phone), "1234.50", "5", "1234.50"),
            ("1号楼1单元102", "钱邻居", mask(scene.neighbour.phone), "300.00", "50", "0.00"),
        ]
        narrowed = await exported(reader, scene.compound_id, ArrearsFilter(fen_at_least=1_000_00))
        assert len(narrowed) == 1
    details = [row["details"] for row in await residents.audited("arrears.export", scene.compound_id)]
    assert details == [
        '{"form": "csv", "rows": 2, "filters": []}', '{"form": "csv", "rows": 1, "filters": ["fen_at_least"]}',
    ]  # fmt: skip
    kept = await BillingExport.filter(compound_id=scene.compound_id)
    assert len(kept) == 2
    later = dunning.on(TODAY)
    later.advance(exports.KEPT + timedelta(minutes=1))
    with clock.use(later):
        await forget_exports(None)
    assert await BillingExport.filter(compound_id=scene.compound_id).count() == 0


async def test_too_much_and_too_often(scene: Scene, reader: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    await owed(scene.house_id, 100_00, 5)
    with clock.use(dunning.on(TODAY)):
        with pytest.raises(Throttled):
            for _ in range(7):
                await exported(reader, scene.compound_id)
        monkeypatch.setattr(arrears_export, "MOST_ROWS", 0)
        with pytest.raises(Conflict) as refusal:
            await exported(reader, scene.compound_id)
    assert refusal.value.code == "EXPORT_TOO_LARGE"
