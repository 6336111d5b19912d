"""What becomes of a device (设备状态、台账事项): the machine of its life, work on it, and the ledger as a file."""

from __future__ import annotations

from starlette.responses import Response

from api.pages.asking import Data
from api.pages.cookies import Flash
from api.pages.page import Page
from api.pages.staff import devices
from api.pages.staff.alarms import known
from api.pages.staff.place import place_of

FORMATS = ("XLSX", "CSV")


async def change_state(page: Page) -> Response:
    """Another state, for a reason that the ledger keeps."""
    given = {
        "device": page.typed("device"), "state": known(page.typed("state"), devices.STATES) or "IN_SERVICE",
        "reason": page.typed("reason"), "onDay": page.typed("since") or None,
    }  # fmt: skip
    payload = (await page.ask("ChangeDeviceState", input=given))["changeDeviceState"]
    return await _changed(page, payload, page.texts("设备状态已变更"))


async def record_entry(page: Page) -> Response:
    """Work on a device, written into its ledger once however often the form is sent."""
    cost = page.typed("cost")
    if not devices.is_yuan(cost):
        return await devices.whole(
            page, page.typed("device"), problem=page.texts("金额应为数字，最多两位小数")
        )
    given = {
        "device": page.typed("device"), "kind": known(page.typed("work"), devices.WORKS) or "INSPECTED",
        "onDay": page.typed("day") or None, "note": page.typed("note"), "vendor": page.typed("vendor"),
        "costFen": devices.fen(cost), "idempotencyKey": page.typed("key") or None,
    }  # fmt: skip
    payload = (await page.ask("RecordAssetEntry", input=given))["recordAssetEntry"]
    return await _changed(page, payload, page.texts("已记入资产台账"))


async def _changed(page: Page, payload: Data, done: str) -> Response:
    """The device as it is now, or its page with what was refused and the form as it was filled in."""
    device = page.typed("device")
    if payload["errors"]:
        return await devices.whole(page, device, problem=payload["errors"][0]["message"])
    return page.go(devices.address(device), "success", done)


async def export(page: Page) -> Response:
    """The ledger of the devices that the list shows as a file, which is fetched at once."""
    given = {
        "compound": (await place_of(page)).id, "format": known(page.typed("format"), FORMATS) or "XLSX",
        "filter": devices.narrowed({name: page.typed(name) for name in devices.FILTERS}),
    }  # fmt: skip
    payload = (await page.ask("ExportAssetLedger", input=given))["exportAssetLedger"]
    if payload["errors"]:
        message = payload["errors"][0]["message"]
        return (
            page.notify(Flash("danger", message))
            if page.is_partial
            else page.go(devices.LIST, "danger", message)
        )
    return page.go(payload["file"]["address"])
