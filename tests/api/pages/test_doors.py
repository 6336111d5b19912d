"""Doors at the desk: the register, one door with its orders, and how it is held."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from starlette.applications import Starlette

from domains.access import permissions
from domains.access.models import Door, DoorCommand
from domains.devices import permissions as devices_permissions
from domains.kernel import clock
from schema.relay import encode
from tests.api.pages.test_registrations import staff_of
from tests.api.pages.visitors import HTMX, seen, visiting
from tests.factories import access, devices, residents
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")
PAGE = "/staff/doors"
READ = (permissions.DOORS_READ,)
ALL = (*READ, permissions.DOORS_WRITE, devices_permissions.READ, "estate.read")


def one(id: UUID) -> str:
    """The page of a door."""
    return f"{PAGE}/one?door={encode('Door', id)}"


@pytest.fixture
async def scene() -> Scene:
    """Places that no other test uses."""
    return await residents.scene()


async def test_they_are_found_and_an_old_list_is_seen(app: Starlette, scene: Scene) -> None:
    now = clock.now()
    await access.door(scene.compound_id, "南门", list_sequence=7, listed_at=now - timedelta(hours=5))
    await access.door(scene.compound_id, "北门", list_sequence=9, listed_at=now)
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *READ))
        shown = seen(await visitor.get(PAGE))
        assert "登记门禁点位" not in shown and shown.count("名单过旧") == 1
        part = seen(await visitor.get(f"{PAGE}?q=北门", **HTMX))
        assert "第 9 号" in part and "南门" not in part and "名单过旧" not in part
        assert "没有符合条件的门" in seen(await visitor.get(f"{PAGE}?kind=FACILITY", **HTMX))


async def test_one_is_registered_changed_and_removed(app: Starlette, scene: Scene) -> None:
    await devices.device(scene.compound_id, "gate", code="ZJ-01")
    await devices.device(scene.compound_id, "gate", code="ZJ-02")
    new = {
        "code": "ZJ-01",
        "name": "南门",
        "kind": "GATE",
        "direction": "IN",
        "methods": "QR",
        "visitors": "on",
    }
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *ALL))
        form = await visitor.get(f"{PAGE}/new?code=ZJ-01")
        assert 'value="ZJ-01"' in form.text and "1号楼1单元" in seen(form)
        for bad in ({"code": "ZJ-99"}, {"kind": "UNIT_DOOR"}, {"name": ""}):
            shown = await visitor.post(f"{PAGE}/new", {**new, **bad})
            assert shown.status_code == 200 and 'role="alert"' in shown.text
        assert await Door.filter(compound_id=scene.compound_id).count() == 0
        done = await visitor.post(f"{PAGE}/new", new)
        text = seen(await visitor.get(done.headers["location"]))
        assert "门禁点位已登记" in text and "只进" in text and "二维码" in text
        door = await Door.get(compound_id=scene.compound_id)
        changed = {"door": encode("Door", door.id), "name": "南大门", "direction": "BOTH", "methods": "APP"}
        assert "没有找到" in seen(await visitor.post(f"{PAGE}/one", {**changed, "code": "ZJ-99"}))
        assert (await visitor.post(f"{PAGE}/one", {**changed, "code": "ZJ-02"})).status_code == 303
        now = await Door.get(pk=door.id).select_related("device")
        assert (now.name, now.methods, now.is_for_visitors) == ("南大门", ["app"], False)
        assert now.device.code == "ZJ-02"
        await visitor.post(f"{PAGE}/remove", {"door": encode("Door", door.id)})
        assert "门禁点位已移除" in seen(await visitor.get(PAGE))
        assert (await visitor.get(one(door.id))).status_code == 404


async def test_it_is_held_for_a_reason_and_the_order_is_seen(app: Starlette, scene: Scene) -> None:
    id = await access.door(scene.compound_id)
    given = {"door": encode("Door", id), "mode": "HELD_OPEN", "reason": "搬家", "key": str(uuid4())}
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *ALL))
        assert "还没有下发过指令" in seen(await visitor.get(one(id)))
        refused = await visitor.post(f"{PAGE}/mode", {**given, "reason": "", "key": str(uuid4())})
        assert refused.status_code == 200 and 'role="alert"' in refused.text
        for _ in range(2):
            assert (await visitor.post(f"{PAGE}/mode", given)).status_code == 303
        assert "保持常开" in seen(await visitor.get(one(id)))
    [order] = await DoorCommand.filter(door_id=id)
    assert order.action == "hold_open"


async def test_without_the_permission_or_elsewhere_nothing_happens(app: Starlette, scene: Scene) -> None:
    id = await access.door(scene.compound_id)
    door = encode("Door", id)
    acts: dict[str, dict[str, str]] = {
        "one": {"door": door, "name": "后门", "methods": "APP"}, "remove": {"door": door},
        "mode": {"door": door, "mode": "CLOSED", "reason": "试", "key": str(uuid4())},
    }  # fmt: skip
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *READ))
        page = seen(await visitor.get(one(id)))
        assert "南门" in page and "下发指令" not in page and "移除" not in page
        for path, given in acts.items():
            assert (await visitor.post(f"{PAGE}/{path}", given)).status_code == 403
        assert (await visitor.get(f"{PAGE}/new")).status_code == 403
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(await residents.scene(), *ALL))
        assert (await visitor.get(one(id))).status_code == 404
        for path, given in acts.items():
            assert (await visitor.post(f"{PAGE}/{path}", given)).status_code == 403
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *ALL))
        for path, given in acts.items():
            assert (await visitor.post(f"{PAGE}/{path}", given, token="forged")).status_code == 403
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, permissions.RECORDS_READ))
        assert (await visitor.get(PAGE)).status_code == 403
    now = await Door.get(pk=id)
    assert (now.name, now.mode, now.removed_at) == ("南门", "normal", None)
    assert await DoorCommand.filter(door_id=id).count() == 0
