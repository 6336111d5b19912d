"""Records as files: whole, harmless to a spreadsheet, for the one who asked, and forgotten."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from openpyxl import load_workbook

from domains.access import permissions
from domains.access.jobs import forget_exports
from domains.access.models import RecordExport
from domains.access.queries.records import RecordFilter
from domains.access.service import exporting
from domains.kernel import clock, exports, sheets
from domains.kernel.actor import Actor
from domains.kernel.errors import Conflict, DomainError, Throttled
from domains.kernel.files import audience_of, links, storage
from tests.factories import access, guards, residents
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


@pytest.fixture
async def reader(scene: Scene) -> Actor:
    return await guards.guard(scene, permissions.RECORDS_READ)


async def exported(
    actor: Actor, scene: Scene, form: sheets.Form, **narrowed: Any
) -> list[list[str]]:  # Any: a filter
    file = await exporting.export_access_records(
        actor, compound_id=scene.compound_id, narrowed=RecordFilter(**narrowed), form=form
    )
    grant = links().open(file.address.rsplit("/", 1)[1], clock.now(), audience_of(actor))
    body = b"".join([chunk async for chunk in await storage().open(grant.key)])
    if form == "csv":
        assert body.startswith(b"\xef\xbb\xbf")
        rows = list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")))
    else:
        sheet = load_workbook(io.BytesIO(body)).worksheets[0]
        assert "f" not in {cell.data_type for row in sheet.iter_rows() for cell in row}
        rows = [[str(value or "") for value in row] for row in sheet.iter_rows(values_only=True)]
    assert rows[0] == list(exporting.HEADER)
    assert file.rows == len(rows) - 1
    return rows[1:]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
async def test_a_file_holds_what_was_asked_for(scene: Scene, reader: Actor, form: sheets.Form) -> None:
    door = await access.door(scene.compound_id)
    at = clock.now().replace(microsecond=0)
    await access.record(
        door, at=at, house_id=scene.house_id, note='两行\n,"引号"', guard_id=reader.id, method="guard"
    )
    await access.record(
        door,
        at=at - timedelta(hours=1),
        result="refused",
        reason="EXPIRED",
        plate="浙A12345",
        is_vehicle=True,
    )
    first, second = await exported(reader, scene, form)
    local = f"{at.astimezone(clock.SHANGHAI):%Y-%m-%d %H:%M:%S}"
    assert first == [
        local, "", "南门", "进", "保安放行", "已通行", "", "张建国", "1号楼1单元101", "", "", "王师傅", '两行\n,"引号"',
    ]  # fmt: skip
    assert (second[5], second[6], second[9], second[10]) == ("未通行", "EXPIRED", "浙A12345", "是")
    assert await exported(reader, scene, form, result="refused") == [second]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
@pytest.mark.parametrize("said", ["=1+1", "+86", "-1", "@SUM(A1)", "\t=1", '=HYPERLINK("http://x")'])
async def test_nothing_in_it_is_a_formula(scene: Scene, reader: Actor, form: sheets.Form, said: str) -> None:
    await access.record(await access.door(scene.compound_id), note=said)
    [row] = await exported(reader, scene, form)
    assert row[-1] == "'" + said


async def test_a_file_may_have_many_batches(
    scene: Scene, reader: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "BATCH", 3)
    door, at = await access.door(scene.compound_id), clock.now()
    for n in range(9):
        await access.record(door, at=at - timedelta(minutes=n // 4), who=f"{n}")
    rows = await exported(reader, scene, "csv")
    assert sorted(row[7] for row in rows) == [str(n) for n in range(9)]


async def test_too_much_is_refused_and_leaves_no_file(
    scene: Scene, reader: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "MOST_ROWS", 2)
    door = await access.door(scene.compound_id)
    for _ in range(3):
        await access.record(door)
    with pytest.raises(Conflict, match="EXPORT_TOO_LARGE"):
        await exported(reader, scene, "csv")
    assert not await RecordExport.filter(compound_id=scene.compound_id).exists()


async def test_one_asks_for_so_many_files_an_hour(scene: Scene, reader: Actor) -> None:
    with pytest.raises(Throttled, match="EXPORT_TOO_OFTEN"):
        for _ in range(exporting.PER_ACCOUNT.burst + 1):
            await exported(reader, scene, "csv")


async def test_an_export_is_on_record_and_the_file_soon_gone(scene: Scene, reader: Actor) -> None:
    await access.record(await access.door(scene.compound_id))
    await exported(reader, scene, "csv", name="张")
    [row] = await residents.audited("access_record.export", scene.compound_id)
    assert row["actor_id"] == reader.id
    assert row["details"] == '{"form": "csv", "rows": 1, "filters": ["name"]}'
    made = await RecordExport.get(compound_id=scene.compound_id)
    await forget_exports(None)
    assert await RecordExport.exists(pk=made.id)
    await RecordExport.filter(pk=made.id).update(made_at=clock.now() - exports.KEPT)
    await forget_exports(None)
    assert not await RecordExport.exists(pk=made.id)
    with pytest.raises(DomainError, match="FILE_NOT_FOUND"):
        await storage().stat(made.file_key)


async def test_a_process_that_dies_leaves_no_file_for_ever(
    scene: Scene, reader: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object, **__: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(type(links()), "address", dies)
    with pytest.raises(KeyboardInterrupt):
        await exported(reader, scene, "csv")
    made = await RecordExport.get(compound_id=scene.compound_id)
    assert (await storage().stat(made.file_key)).size
    monkeypatch.setattr(type(storage()), "save", dies)
    with pytest.raises(KeyboardInterrupt):
        await exported(reader, scene, "csv")
    assert await RecordExport.filter(compound_id=scene.compound_id).count() == 2, (
        "on the books before the file"
    )
    await RecordExport.filter(compound_id=scene.compound_id).update(made_at=clock.now() - exports.KEPT)
    await forget_exports(None)
    assert not await RecordExport.filter(compound_id=scene.compound_id).exists()
    with pytest.raises(DomainError, match="FILE_NOT_FOUND"):
        await storage().stat(made.file_key)


async def test_the_address_opens_for_nobody_else(scene: Scene, reader: Actor) -> None:
    file = await exporting.export_access_records(
        reader, compound_id=scene.compound_id, narrowed=RecordFilter(), form="csv"
    )
    token = file.address.rsplit("/", 1)[1]
    other = await guards.guard(scene)
    with pytest.raises(DomainError, match="FILE_LINK_INVALID"):
        links().open(token, clock.now(), audience_of(other))
    with pytest.raises(DomainError, match="FILE_LINK_EXPIRED"):
        links().open(token, clock.now() + exports.LIFETIME, audience_of(reader))


async def broken(_: UUID) -> AsyncIterator[list[sheets.Row]]:
    yield [("a",)]
    raise RuntimeError("broken")


@pytest.mark.parametrize("form", ["csv", "xlsx"])
async def test_a_file_that_breaks_off_leaves_nothing(scene: Scene, form: sheets.Form) -> None:
    chunks = sheets.written(form, ("x",), broken(scene.house_id))
    with pytest.raises(RuntimeError, match="broken"):
        await storage().save(
            "exports/test", chunks, content_type=sheets.CONTENT_TYPES[form], limit_bytes=10_000
        )
