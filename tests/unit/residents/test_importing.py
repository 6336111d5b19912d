"""A register into the tables: whole, again, changed, refused."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest

from api.demo.places import COMPOUND
from api.demo.register import demo_register
from domains.estate.models import Building, House, Unit
from domains.estate.service.organisation import found_compound
from domains.kernel import database
from domains.kernel.actor import SYSTEM
from domains.residents.models import Occupancy, Person, RegisterImport, Vehicle
from domains.residents.register.template import template_workbook
from domains.residents.service import imports
from domains.residents.service.imports import import_register

pytestmark = pytest.mark.usefixtures("instance")

JINGUI = Path(__file__).parents[2] / "data" / "registers" / "register-jingui.xlsx"
DEFECTS = Path(__file__).parents[2] / "data" / "registers" / "register-defects.xlsx"


ANALYZED = """
SELECT min(coalesce(last_analyze, '-infinity')) FROM pg_stat_user_tables
WHERE relname IN ('building', 'unit', 'house', 'person', 'occupancy')
"""


async def compound(name: str) -> UUID:
    region = ("浙江省", "杭州市", "沐湖区", "桂湾街道", "桂语社区")
    return await found_compound(SYSTEM, region_names=region, company="桂语物业", name=name)


async def sizes(compound_id: UUID) -> dict[str, int]:
    tables = (Building, Unit, House, Person, Occupancy, Vehicle)
    return {table.__name__: await table.filter(compound_id=compound_id).count() for table in tables}


async def test_a_real_register_loads_whole_and_a_second_time_changes_nothing() -> None:
    id = await compound("金桂苑")
    data = JINGUI.read_bytes()
    first = await import_register(SYSTEM, compound_id=id, file_name="金桂苑.xlsx", data=data, apply=True)
    assert (first.state, first.error_count) == ("applied", 0)
    assert first.counts["houses_created"] == 612
    before = await sizes(id)
    assert before["House"] == 612
    assert before["Building"] == 6
    second = await import_register(SYSTEM, compound_id=id, file_name="again.xlsx", data=data, apply=True)
    assert set(second.counts.values()) == {0}
    assert await sizes(id) == before


async def test_a_large_register_is_known_to_the_planner_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "MANY_ROWS", 600)
    id = await compound("统计苑")
    before = await database.fetchval("SELECT clock_timestamp()")
    await import_register(SYSTEM, compound_id=id, file_name="r.xlsx", data=JINGUI.read_bytes(), apply=True)
    looked_at = await database.fetchval(ANALYZED)
    assert looked_at is not None and looked_at >= before


async def test_a_register_with_defects_imports_nothing_and_names_each() -> None:
    id = await compound("有错苑")
    report = await import_register(
        SYSTEM, compound_id=id, file_name="defects.xlsx", data=DEFECTS.read_bytes(), apply=True
    )
    assert report.state == "refused"
    assert report.error_count >= 9
    assert set((await sizes(id)).values()) == {0}
    assert (await RegisterImport.get(pk=report.id)).state == "refused"


async def test_the_demo_register_loads_through_the_importer() -> None:
    id = await compound(COMPOUND.name)
    report = await import_register(
        SYSTEM, compound_id=id, file_name="demo.xlsx", data=demo_register(), apply=True
    )
    assert report.errors == []
    counts = await sizes(id)
    assert counts["House"] == 1200
    assert counts["Building"] == 12
    assert 2800 < counts["Person"] < 3100
    again = await import_register(
        SYSTEM, compound_id=id, file_name="demo.xlsx", data=demo_register(), apply=False
    )
    assert set(again.counts.values()) == {0}


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("a\x00b.xlsx", "ab.xlsx"),
        ("\ud800.xlsx", ".xlsx"),
        ("\u202excod.xlsx", "xcod.xlsx"),
        ("长" * 300, "长" * 200),
    ],
)
async def test_a_file_may_be_called_anything(sent: str, kept: str) -> None:
    """A name comes from the head of a multipart body, which nothing before this has read."""
    id = await compound(f"名字苑{len(kept)}{kept[0]}")
    report = await import_register(
        SYSTEM, compound_id=id, file_name=sent, data=template_workbook(), apply=False
    )
    assert (await RegisterImport.get(pk=report.id)).file_name == kept
