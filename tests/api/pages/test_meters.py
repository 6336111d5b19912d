"""Meters and readings at the desk: the register, entering, reviewing, importing."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from starlette.applications import Starlette

from domains.billing import permissions
from domains.billing.models import Meter, MeterReading
from schema.relay import encode
from tests.api.pages.test_registrations import staff_of
from tests.api.pages.visitors import HTMX, Visitor, seen, visiting
from tests.factories import meters, residents
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")
PAGE = "/staff/meters"
READ = (permissions.METERS_READ,)
ALL = (*READ, permissions.METERS_WRITE, "estate.read")


@pytest.fixture
async def scene() -> Scene:
    """Places that no other test uses."""
    return await residents.scene()


async def entered(visitor: Visitor, values: dict[UUID, str], **more: str) -> str:
    """What a person reads after sending these readings."""
    fields = {f"value:{encode('Meter', id)}": value for id, value in values.items()}
    done = await visitor.post(f"{PAGE}/enter", {**fields, "key": str(uuid4()), **more})
    return seen(await visitor.get(done.headers["location"]) if done.status_code == 303 else done)


async def test_one_is_put_in_replaced_and_taken_out(app: Starlette, scene: Scene) -> None:
    new = {
        "kind": "WATER", "number": "S-1", "house": "1号楼1单元101", "digits": "5", "firstValue": "12.5",
        "multiplier": "1", "installedOn": "2026-01-01",
    }  # fmt: skip
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *ALL))
        await visitor.get(f"{PAGE}/new")
        for bad in (
            {"digits": "两"},
            {"number": ""},
            {"house": "九万"},
            {"installedOn": ""},
            {"firstValue": "-1"},
        ):
            shown = await visitor.post(f"{PAGE}/new", {**new, **bad})
            assert shown.status_code == 200 and 'role="alert"' in shown.text, bad
        assert await Meter.filter(compound_id=scene.compound_id).count() == 0
        done = await visitor.post(f"{PAGE}/new", new)
        assert "装表底数" in seen(await visitor.get(done.headers["location"]))
        id = encode("Meter", (await Meter.get(compound_id=scene.compound_id)).id)
        assert (
            await visitor.post(f"{PAGE}/one", {"meter": id, "number": "S-2", "digits": "6"})
        ).status_code == 303
        swap = {
            **new,
            "meter": id,
            "number": "S-3",
            "finalValue": "40",
            "installedOn": "2026-03-01",
            "firstValue": "0",
        }
        assert 'role="alert"' in (await visitor.post(f"{PAGE}/replace", {**swap, "finalValue": ""})).text
        done = await visitor.post(f"{PAGE}/replace", swap)
        assert "原来的表" in seen(await visitor.get(done.headers["location"]))
        gone = {
            "meter": done.headers["location"].partition("meter=")[2],
            "onDay": "2026-04-01",
            "finalValue": "9",
        }
        assert (await visitor.post(f"{PAGE}/remove", gone)).status_code == 303
        part = seen(await visitor.get(f"{PAGE}?unread=gone", **HTMX))
    assert "S-2" in part and "S-3" in part


async def test_readings_are_entered_and_reviewed(app: Starlette, scene: Scene) -> None:
    ids = [await meters.meter(scene.compound_id, scene.house_id, number=f"R-{n}") for n in range(3)]
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *ALL))
        page = await visitor.get(f"{PAGE}/enter")
        assert page.text.count('name="value:') == 3
        assert "请至少填写" in await entered(visitor, {})
        assert "请填写数字" in await entered(visitor, {ids[0]: "百五", ids[1]: "105"})
        assert await MeterReading.filter(meter_id__in=ids, source="staff").count() == 0
        assert "其中 1 个待审核" in await entered(visitor, {ids[0]: "105", ids[1]: "99000"})
        assert "没有录入" in await entered(visitor, {ids[2]: "1234567"})
        waiting = await MeterReading.get(meter_id=ids[1], state="held")
        card = {"reading": encode("MeterReading", waiting.id)}
        assert "R-1" in seen(await visitor.get(f"{PAGE}/review"))
        await visitor.post(f"{PAGE}/review", {**card, "decision": "REJECT"})
        assert (await MeterReading.get(pk=waiting.id)).state == "held"
        shown = await visitor.post(f"{PAGE}/review", {**card, "decision": "ACCEPT", "value": "108"}, **HTMX)
        assert "已确认" in seen(shown)
        assert "105" in seen(await visitor.get(f"{PAGE}/one?meter={encode('Meter', ids[0])}"))
        assert "各户" in seen(await visitor.get(f"{PAGE}/use"))
    assert float((await MeterReading.get(pk=waiting.id)).value) == 108


async def test_a_file_is_brought_in_whole_or_not_at_all(app: Starlette, scene: Scene) -> None:
    id = await meters.meter(scene.compound_id, scene.house_id, number="F-1")
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *ALL))
        await visitor.get(f"{PAGE}/import")
        for row, said in (("F-9,110,2026-02-01", "处错误"), ("F-1,110,2026-02-01", "已导入")):
            file = {"file": ("r.csv", f"表号,读数,抄表日期\n{row}\n".encode(), "text/csv")}
            sent = {"what": "readings", "form_token": visitor.token}
            assert said in seen(await visitor.http.post(f"{PAGE}/import", data=sent, files=file))
        assert "请先选择文件" in seen(await visitor.post(f"{PAGE}/import", {"what": "readings"}))
    assert await MeterReading.filter(meter_id=id, state="accepted").count() == 2


async def test_without_the_permission_or_elsewhere_nothing_is_written(app: Starlette, scene: Scene) -> None:
    id = await meters.meter(scene.compound_id, scene.house_id)
    meter = encode("Meter", id)
    acts: dict[str, dict[str, str]] = {
        "enter": {f"value:{meter}": "120", "key": str(uuid4())},
        "one": {"meter": meter, "number": "X", "digits": "6"},
        "remove": {"meter": meter, "onDay": "2026-04-01", "finalValue": "120"},
    }  # fmt: skip
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *READ))
        assert "确认拆表" not in seen(await visitor.get(f"{PAGE}/one?meter={meter}"))
        for path, given in acts.items():
            assert (await visitor.post(f"{PAGE}/{path}", given)).status_code == 403, path
        for path in ("enter", "new", "import"):
            assert (await visitor.get(f"{PAGE}/{path}")).status_code == 403
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(await residents.scene(), *ALL))
        assert (await visitor.get(f"{PAGE}/one?meter={meter}")).status_code == 404
        for path, given in acts.items():
            await visitor.post(f"{PAGE}/{path}", given)
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *ALL))
        for path, given in acts.items():
            assert (await visitor.post(f"{PAGE}/{path}", given, token="forged")).status_code == 403
    assert await MeterReading.filter(meter_id=id).count() == 1
    now = await Meter.get(pk=id)
    assert now.removed_on is None and now.digits == 5
