"""The register of devices at the desk: list, one device, registering, keys."""

from __future__ import annotations

import re

import pytest
from starlette.applications import Starlette

from domains.devices import permissions
from domains.devices.models import Device, DeviceKey
from schema.relay import encode
from tests.api.pages.test_registrations import staff_of
from tests.api.pages.visitors import HTMX, seen, visiting
from tests.factories import devices, residents

pytestmark = pytest.mark.usefixtures("instance")
PAGE = "/staff/devices"
BOTH = (permissions.READ, permissions.WRITE)
NEW = {
    "code": "TANK-01",
    "name": "生活水箱",
    "kind": "WATER_TANK",
    "place": "地下室",
    "cost": "1280.50",
    "vendor": "水务公司",
}


async def test_they_are_found_and_narrowed(app: Starlette) -> None:
    scene = await residents.scene()
    await devices.device(scene.compound_id, "lift", name="1号梯")
    await devices.device(scene.compound_id, "manhole", name="井盖甲", is_online=False)
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, permissions.READ))
        shown = await visitor.get(PAGE)
        assert "1号梯" in seen(shown) and "井盖甲" in seen(shown) and "登记设备" not in seen(shown)
        for query in ("q=井盖", "kind=MANHOLE", "online=no"):
            part = seen(await visitor.get(f"{PAGE}?{query}", **HTMX))
            assert "井盖甲" in part and "1号梯" not in part, query
        assert "没有符合条件的设备" in seen(await visitor.get(f"{PAGE}?state=RETIRED", **HTMX))


async def test_one_is_registered_and_shown_with_its_ledger(app: Starlette) -> None:
    scene = await residents.scene()
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *BOTH))
        await visitor.get(f"{PAGE}/new")
        for bad in ({"cost": "很多"}, {"cost": "1.234"}, {"code": ""}):
            shown = await visitor.post(f"{PAGE}/new", {**NEW, **bad})
            assert shown.status_code == 200 and 'value="生活水箱"' in shown.text
        assert await Device.filter(compound_id=scene.compound_id).count() == 0
        done = await visitor.post(f"{PAGE}/new", NEW)
        assert done.status_code == 303
        text = seen(await visitor.get(done.headers["location"]))
        assert all(each in text for each in ("设备已登记", "水箱监测", "地下室", "水务公司", "1,280.50"))
        assert "已经用过" in seen(await visitor.post(f"{PAGE}/new", NEW))


async def test_a_private_key_is_shown_once(app: Starlette) -> None:
    scene = await residents.scene()
    device = encode("Device", await devices.device(scene.compound_id))
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *BOTH))
        page = f"{PAGE}/one?device={device}"
        await visitor.get(page)
        refused = await visitor.post(f"{PAGE}/key", {"device": device, "public_key": "不是公钥"})
        assert "Ed25519" in seen(refused) and "PRIVATE KEY" not in refused.text
        issued = await visitor.post(f"{PAGE}/key", {"device": device})
        assert "PRIVATE KEY" in issued.text
        again = await visitor.get(page)
        assert "PRIVATE KEY" not in again.text
        key = re.search(r'name="key_id" value="([0-9a-f]{16})"', again.text)
        assert key is not None
        done = await visitor.post(f"{PAGE}/key/revoke", {"device": device, "key_id": key[1]})
        assert done.status_code == 303 and "密钥已停用" in seen(await visitor.get(page))
        assert await DeviceKey.filter(key_id=key[1], revoked_at=None).count() == 0


async def test_without_the_permission_nothing_is_written_and_elsewhere_nothing_seen(app: Starlette) -> None:
    scene = await residents.scene()
    id = await devices.device(scene.compound_id)
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, permissions.READ))
        await visitor.get(PAGE)
        for path, given in (("new", NEW), ("key", {"device": encode("Device", id)})):
            assert (await visitor.post(f"{PAGE}/{path}", given)).status_code == 403
    assert await Device.filter(compound_id=scene.compound_id).count() == 1
    assert await DeviceKey.filter(device_id=id).count() == 0
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(await residents.scene(), *BOTH))
        assert (await visitor.get(f"{PAGE}/one?device={encode('Device', id)}")).status_code == 404
