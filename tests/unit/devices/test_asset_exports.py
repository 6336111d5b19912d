"""The asset ledger as a file: whole, harmless to a spreadsheet, within one's reach, on record, and forgotten."""

from __future__ import annotations

import csv
import io
from uuid import UUID

import pytest

from domains.devices import permissions
from domains.devices.jobs import forget_exports
from domains.devices.models import AssetExport
from domains.devices.queries.devices import DeviceFilter
from domains.devices.service import exporting, ledger
from domains.estate.models import Compound
from domains.kernel import clock, exports
from domains.kernel.actor import Actor
from domains.kernel.errors import Conflict, DomainError, Forbidden, Throttled
from domains.kernel.files import audience_of, links, storage
from tests.factories import devices, guards, identity, residents
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


@pytest.fixture
async def keeper(scene: Scene) -> Actor:
    return await guards.guard(scene, permissions.READ, permissions.WRITE)


async def exported(actor: Actor, compound_id: UUID, narrowed: DeviceFilter) -> list[list[str]]:
    """The rows of a file."""
    file = await exporting.export_asset_ledger(actor, compound_id=compound_id, narrowed=narrowed, form="csv")
    grant = links().open(file.address.rsplit("/", 1)[1], clock.now(), audience_of(actor))
    body = b"".join([chunk async for chunk in await storage().open(grant.key)])
    rows = list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")))
    assert rows[0] == list(exporting.HEADER) and file.rows == len(rows) - 1
    return rows[1:]


async def test_every_line_of_every_device_is_in_it(
    scene: Scene, keeper: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "BATCH", 1)
    lift = await devices.device(scene.compound_id, "lift", code="A1", name="1号梯")
    await devices.device(scene.compound_id, "manhole", code="B1", state="retired")
    for note, fen in (("换钢丝绳", 128050), ("=1+1", 5)):
        await ledger.record_asset_entry(keeper, device_id=lift, kind="repaired", note=note, cost_fen=fen)
    rows = await exported(keeper, scene.compound_id, DeviceFilter())
    assert [(row[0], row[3], row[13], row[15], row[17]) for row in rows] == [
        ("A1", "在用", "维修", "换钢丝绳", "1280.50"), ("A1", "在用", "维修", "'=1+1", "0.05"), ("B1", "报废", "", "", ""),
    ]  # fmt: skip
    assert rows[0][2] == "电梯监测" and rows[0][19] == "王师傅"
    narrowed = await exported(keeper, scene.compound_id, DeviceFilter(kind="manhole", search="B1"))
    assert [row[0] for row in narrowed] == ["B1"]
    details = [row["details"] for row in await residents.audited("asset_ledger.export", scene.compound_id)]
    assert sorted(details) == [
        '{"form": "csv", "rows": 1, "filters": ["kind", "search"]}', '{"form": "csv", "rows": 3, "filters": []}',
    ]  # fmt: skip


async def test_others_are_refused_and_leave_nothing(scene: Scene) -> None:
    await devices.device(scene.compound_id)
    elsewhere = await guards.guard(await residents.scene(), permissions.READ)
    without = await guards.guard(scene, permissions.ALARMS_READ)
    owner = await residents.resident(scene.owner.account_id)
    stranger = await identity.actor(await identity.resident(identity.new_phone()))
    for actor in (elsewhere, without, owner, stranger):
        with pytest.raises(Forbidden):
            await exported(actor, scene.compound_id, DeviceFilter())
    assert await AssetExport.filter(compound_id=scene.compound_id).count() == 0


async def test_staff_of_some_buildings_get_theirs(scene: Scene) -> None:
    await devices.device(scene.compound_id, "lift", scene.building_id, code="A1")
    await devices.device(scene.compound_id, "gate", code="B1")
    company = (await Compound.get(pk=scene.compound_id).select_related("company")).company.name
    account = await identity.staff(company, (permissions.READ,), scope="building", place_id=scene.building_id)
    limited = await identity.actor(account)
    assert [row[0] for row in await exported(limited, scene.compound_id, DeviceFilter())] == ["A1"]


async def test_too_much_and_too_often_are_refused(
    scene: Scene, keeper: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    await devices.device(scene.compound_id)
    with pytest.raises(Throttled, match="EXPORT_TOO_OFTEN"):
        for _ in range(exporting.PER_ACCOUNT.burst + 1):
            await exported(keeper, scene.compound_id, DeviceFilter())
    monkeypatch.setattr(exporting, "MOST_ROWS", 0)
    with pytest.raises(Conflict, match="EXPORT_TOO_LARGE"):
        await exported(keeper, scene.compound_id, DeviceFilter())


async def test_the_file_is_soon_gone(scene: Scene, keeper: Actor) -> None:
    await exported(keeper, scene.compound_id, DeviceFilter())
    made = await AssetExport.get(compound_id=scene.compound_id)
    await forget_exports(None)
    assert await AssetExport.exists(pk=made.id)
    await AssetExport.filter(pk=made.id).update(made_at=clock.now() - exports.KEPT)
    await forget_exports(None)
    assert not await AssetExport.exists(pk=made.id)
    with pytest.raises(DomainError, match="FILE_NOT_FOUND"):
        await storage().stat(made.file_key)
