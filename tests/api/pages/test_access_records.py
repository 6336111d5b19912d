"""Records of doors at the desk: search by everything there is, figures, and a file of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest
from starlette.applications import Starlette

from domains.access import permissions
from domains.kernel import clock
from schema.relay import encode
from tests.api.pages.test_registrations import staff_of
from tests.api.pages.visitors import HTMX, Visitor, seen, visiting
from tests.factories import access, residents
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")
PAGE = "/staff/access-records"


@dataclass(frozen=True, slots=True)
class Desk:
    """A compound with three records, and a desk before it."""

    scene: Scene
    gate_id: UUID
    pass_id: UUID
    visitor: Visitor

    async def found(self, **wanted: str) -> str:
        """What a search shows."""
        part = await self.visitor.post(PAGE, wanted, **HTMX)
        assert part.status_code == 200 and "<html" not in part.text
        return seen(part)


@pytest.fixture
async def desk(app: Starlette) -> AsyncIterator[Desk]:
    """Staff who may read records, signed in."""
    scene = await residents.scene()
    gate, back = await access.door(scene.compound_id, "南门"), await access.door(scene.compound_id, "北门")
    pass_id = await access.visitor_pass(scene.compound_id, scene.house_id, scene.owner.account_id)
    await access.record(gate, who="张建国", person_id=scene.owner.person_id, house_id=scene.house_id)
    await access.record(
        gate, who="王来访", method="qr", result="refused", reason="EXPIRED", visitor_pass_id=pass_id, direction="out",
        at=clock.now() - timedelta(days=40),
    )  # fmt: skip
    await access.record(back, who="", method="plate", plate="粤B12345", is_vehicle=True)
    async with visiting(app) as visitor:
        granted = (permissions.RECORDS_READ, permissions.DOORS_READ, "estate.read")
        await visitor.sign_in(await staff_of(scene, *granted))
        await visitor.get(PAGE)
        yield Desk(scene, gate, pass_id, visitor)


async def test_every_filter_narrows(desk: Desk) -> None:
    everything = seen(await desk.visitor.get(PAGE))
    assert all(each in everything for each in ("张建国", "王来访", "粤B12345", "已过期"))
    day = str(clock.today())
    for wanted, expected in (
        ({"name": "建国"}, "张建国"), ({"plate": "B123"}, "粤B12345"), ({"method": "QR"}, "王来访"),
        ({"result": "REFUSED"}, "王来访"), ({"direction": "OUT"}, "王来访"), ({"by": "vehicle"}, "粤B12345"),
        ({"house": "1号楼1单元101"}, "张建国"), ({"until": str(clock.today() - timedelta(days=30))}, "王来访"),
        ({"since": day, "by": "foot"}, "张建国"), ({"pass": encode("VisitorPass", desk.pass_id)}, "王来访"),
        ({"person": encode("Person", desk.scene.owner.person_id)}, "张建国"),
        ({"door": encode("Door", desk.gate_id), "method": "APP"}, "张建国"),
    ):  # fmt: skip
        text = await desk.found(**wanted)
        assert [name for name in ("张建国", "王来访", "粤B12345") if name in text] == [expected], wanted
    by_address = seen(await desk.visitor.get(f"{PAGE}?pass={encode('VisitorPass', desk.pass_id)}"))
    assert "王来访" in by_address and "粤B12345" not in by_address


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"house": "9号楼"}, "请写出完整的房号"), ({"since": "2026-02-30"}, "日期不正确"),
        ({"name": "没有这人"}, "没有符合条件的通行记录"), ({"method": "MAGIC", "name": "<b>"}, "没有符合条件的通行记录"),
    ],
)  # fmt: skip
async def test_bad_input_is_told_in_words(desk: Desk, wanted: dict[str, str], expected: str) -> None:
    assert expected in await desk.found(**wanted)


async def test_there_is_another_page(desk: Desk) -> None:
    for n in range(30):
        await access.record(desk.gate_id, who=f"路人{n:02}")
    first = await desk.visitor.post(PAGE, {}, **HTMX)
    after = first.text.split('name="after" value="')[1].split('"')[0]
    assert "张建国" not in seen(first) and "张建国" in await desk.found(after=after)


async def test_figures_by_day_door_and_method(desk: Desk) -> None:
    text = seen(await desk.visitor.get(f"{PAGE}/statistics"))
    assert "通行总次数 2" in text and "南门 1" in text and "车牌识别 1" in text
    since = clock.today() - timedelta(days=60)
    assert "通行总次数 3" in seen(await desk.visitor.get(f"{PAGE}/statistics?since={since}"))
    bad = await desk.visitor.get(f"{PAGE}/statistics?since=0001-01-01")
    assert bad.status_code == 400


async def test_a_file_of_what_was_searched(desk: Desk) -> None:
    made = await desk.visitor.post(f"{PAGE}/export", {"name": "建国"})
    assert made.status_code == 303 and made.headers["location"].startswith("/files/")
    file = await desk.visitor.get(made.headers["location"])
    assert file.status_code == 200 and file.content.startswith(b"PK")


async def test_without_the_permission_nothing_is_shown(app: Starlette, desk: Desk) -> None:
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(desk.scene, permissions.DOORS_READ))
        for path in (PAGE, f"{PAGE}/statistics"):
            assert (await visitor.get(path)).status_code == 403
        assert "张建国" not in (await visitor.post(PAGE, {"name": "张"}, **HTMX)).text
        assert (await visitor.post(f"{PAGE}/export", {})).status_code == 403
