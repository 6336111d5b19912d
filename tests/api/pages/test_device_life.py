"""A device's life at the desk: its state, work on it, and the ledger as a file."""

from __future__ import annotations

import io
from uuid import UUID, uuid4

import pytest
from openpyxl import load_workbook
from starlette.applications import Starlette

from api.pages.staff.devices import NEXT
from domains.devices import permissions
from domains.devices.models import AssetEntry, AssetExport, Device
from domains.devices.rules import DEVICE
from schema.relay import encode
from tests.api.pages.test_registrations import staff_of
from tests.api.pages.visitors import HTMX, seen, visiting
from tests.factories import devices, residents

pytestmark = pytest.mark.usefixtures("instance")
PAGE = "/staff/devices"
BOTH = (permissions.READ, permissions.WRITE)


def one(id: UUID) -> str:
    """The page of a device."""
    return f"{PAGE}/one?device={encode('Device', id)}"


def test_the_page_offers_what_the_machine_allows() -> None:
    assert {state.lower(): {each.lower() for each in after} for state, after in NEXT.items()} == {
        state: set(after) for state, after in DEVICE.moves.items()
    }


async def test_it_goes_on_to_another_state_and_is_retired_for_a_reason(app: Starlette) -> None:
    scene = await residents.scene()
    id = await devices.device(scene.compound_id, "lift", name="1号梯")
    given = {"device": encode("Device", id)}
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *BOTH))
        await visitor.get(one(id))
        done = await visitor.post(f"{PAGE}/state", {**given, "state": "OUT_OF_ORDER", "reason": "检修"})
        assert done.status_code == 303
        text = seen(await visitor.get(done.headers["location"]))
        assert "设备状态已变更" in text and "检修" in text
        refused = await visitor.post(f"{PAGE}/state", {**given, "state": "RETIRED"})
        assert refused.status_code == 200 and "请写明报废的原因" in seen(refused)
        assert (await Device.get(pk=id)).state == "out_of_order"
        await visitor.post(f"{PAGE}/state", {**given, "state": "RETIRED", "reason": "到期"})
        text = seen(await visitor.get(one(id)))
        assert "报废" in text and "变更状态" not in text
    assert (await Device.get(pk=id)).state == "retired"


async def test_work_is_written_once_into_its_ledger(app: Starlette) -> None:
    scene = await residents.scene()
    id = await devices.device(scene.compound_id, "lift")
    work = {"device": encode("Device", id), "work": "REPAIRED", "note": "换钢丝绳", "vendor": "安枢机电"}
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *BOTH))
        await visitor.get(one(id))
        for bad in ({"cost": "很多"}, {"cost": "1.005"}, {"day": "2999-01-01"}):
            shown = await visitor.post(f"{PAGE}/ledger", {**work, **bad})
            assert shown.status_code == 200 and "换钢丝绳" in shown.text and 'role="alert"' in shown.text
        assert await AssetEntry.filter(device_id=id).count() == 0
        given = {**work, "cost": "880.50", "key": str(uuid4())}
        for _ in range(2):
            assert (await visitor.post(f"{PAGE}/ledger", given)).status_code == 303
        text = seen(await visitor.get(one(id)))
        assert all(each in text for each in ("已记入资产台账", "换钢丝绳", "安枢机电", "880.50"))
    assert [entry.cost_fen for entry in await AssetEntry.filter(device_id=id)] == [88050]


async def test_the_ledger_of_what_is_listed_is_a_file(app: Starlette) -> None:
    scene = await residents.scene()
    await devices.device(scene.compound_id, "lift", name="1号梯")
    await devices.device(scene.compound_id, "manhole", name="=井盖")
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, permissions.READ))
        await visitor.get(PAGE)
        made = await visitor.post(f"{PAGE}/export", {"kind": "MANHOLE", "format": "XLSX"}, **HTMX)
        file = await visitor.get(made.headers["hx-redirect"])
        rows = list(load_workbook(io.BytesIO(file.content)).worksheets[0].iter_rows(values_only=True))
        assert [row[1] for row in rows] == ["名称", "'=井盖"]
        plain = await visitor.post(f"{PAGE}/export", {"format": "CSV"})
        assert "1号梯" in (await visitor.get(plain.headers["location"])).text
    assert len(await residents.audited("asset_ledger.export", scene.compound_id)) == 2


async def test_without_the_permission_or_the_page_nothing_happens(app: Starlette) -> None:
    scene = await residents.scene()
    id = await devices.device(scene.compound_id)
    acts = {
        "state": {"device": encode("Device", id), "state": "IN_STORE"},
        "ledger": {"device": encode("Device", id), "work": "INSPECTED"},
    }
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, permissions.READ))
        page = seen(await visitor.get(one(id)))
        assert "变更状态" not in page and "登记台账事项" not in page
        for path, given in acts.items():
            assert (await visitor.post(f"{PAGE}/{path}", given)).status_code == 403
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(await residents.scene(), *BOTH))
        await visitor.get(PAGE)
        for path, given in acts.items():
            assert (await visitor.post(f"{PAGE}/{path}", given)).status_code == 403
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *BOTH))
        for path, given in (*acts.items(), ("export", {})):
            assert (await visitor.post(f"{PAGE}/{path}", given, token="forged")).status_code == 403
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, permissions.ALARMS_READ))
        assert (await visitor.post(f"{PAGE}/export", {})).status_code == 403
    assert (await Device.get(pk=id)).state == "in_service"
    assert await AssetEntry.filter(device_id=id).count() == 0
    assert await AssetExport.filter(compound_id=scene.compound_id).count() == 0
