"""Doors (门禁点位): the register, one door with its last orders, and how it is held."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import urlencode
from uuid import uuid4

from starlette.responses import Response

from api.pages.asking import Data, Refusal
from api.pages.cookies import Tone
from api.pages.page import Page
from api.pages.staff.access_records import METHODS
from api.pages.staff.alarms import known
from api.pages.staff.place import Place, place_of
from api.pages.staff.post import holds
from domains.access import permissions as access
from domains.devices import permissions as devices
from domains.kernel import clock

ROWS = 30
LIST = "/staff/doors"
KINDS = ("GATE", "VEHICLE_GATE", "UNIT_DOOR", "FACILITY")
DIRECTIONS = ("BOTH", "IN", "OUT")
MODES = ("NORMAL", "HELD_OPEN", "CLOSED")
FILTERS = ("q", "kind", "building", "after")
LIST_TERM = timedelta(hours=4)
"""So long a gate goes by its revocation list; with an older one it asks the guard."""


def is_behind(door: Data) -> bool:
    """Whether a gate's revocation list is so old that it asks the guard (名单过旧)."""
    at = door["listedAt"]
    return at is not None and clock.now() - datetime.fromisoformat(at) > LIST_TERM


async def show(page: Page) -> Response:
    """The doors of the compound by number."""
    place = await place_of(page)
    wanted = {name: page.asked(name) for name in FILTERS}
    answer = await page.ask(
        "Doors", compound=place.id, building=wanted["building"], kind=known(wanted["kind"], KINDS),
        search=wanted["q"], first=ROWS, after=wanted["after"],
    )  # fmt: skip
    template = "staff/door_rows.html" if page.is_partial else "staff/doors.html"
    return page.show(
        template, place=place, wanted=wanted, kinds=KINDS, found=answer["doors"], is_behind=is_behind,
        may_write=holds(page, place, access.DOORS_WRITE),
    )  # fmt: skip


async def show_one(page: Page) -> Response:
    """One door."""
    return await _whole(page, page.asked("door") or "")


async def _whole(page: Page, id: str, problem: str = "") -> Response:
    door: Data | None = (await page.ask("Door", id=id))["node"]
    if not door:
        raise Refusal("NOT_FOUND", page.texts("没有找到这扇门，请返回列表刷新后重试"), 404)
    place = await place_of(page)
    return page.show(
        "staff/door.html", place=place, door=door, problem=problem, directions=DIRECTIONS, methods=METHODS,
        modes=MODES, is_behind=is_behind, new_key=uuid4, may_write=holds(page, place, access.DOORS_WRITE),
        sees_devices=holds(page, place, devices.READ),
    )  # fmt: skip


async def show_form(page: Page) -> Response:
    """A form for another door, at a controller if the address names one."""
    return await _form(page, code=page.asked("code") or "")


async def _form(page: Page, problem: str = "", code: str = "") -> Response:
    place = await place_of(page)
    if not holds(page, place, devices.READ):
        raise Refusal("FORBIDDEN", page.texts("登记门禁点位需要“查看设备台账”权限，请联系管理员授权"), 403)
    buildings = (await page.ask("DoorPlaces", compound=place.id))["compound"]["buildings"]
    return page.show(
        "staff/door_form.html", place=place, buildings=buildings, kinds=KINDS, directions=DIRECTIONS,
        methods=METHODS, problem=problem, code=page.typed("code") or code,
        chosen=_methods(page) or ["APP", "QR"], is_new=not page.form,
    )  # fmt: skip


async def register(page: Page) -> Response:
    """Enter a door; a form that is refused is shown again as it was filled in."""
    place = await place_of(page)
    building, _, unit = page.typed("leads").partition("/")
    try:
        device = await _controller(page, place)
    except Refusal as refusal:
        return await _form(page, refusal.message)
    given = {
        **_facts(page), "compound": place.id, "device": device, "building": building or None, "unit": unit or None,
        "kind": known(page.typed("kind"), KINDS) or "GATE",
    }  # fmt: skip
    payload = (await page.ask("RegisterDoor", input=given))["registerDoor"]
    if payload["errors"]:
        return await _form(page, payload["errors"][0]["message"])
    return page.go(address(payload["door"]["id"]), "success", page.texts("门禁点位已登记"))


async def update(page: Page) -> Response:
    """Change a door, or name the controller that it has now."""
    id, place = page.typed("door"), await place_of(page)
    try:
        device = await _controller(page, place) if page.typed("code") else None
    except Refusal as refusal:
        return await _whole(page, id, refusal.message)
    given = {"door": id, "device": device, **_facts(page)}
    payload = (await page.ask("UpdateDoor", input=given))["updateDoor"]
    if payload["errors"]:
        return await _whole(page, id, payload["errors"][0]["message"])
    return page.go(address(id), "success", page.texts("门禁点位已更正"))


async def remove(page: Page) -> Response:
    """Take a door out of the register."""
    payload = (await page.ask("RemoveDoor", input={"door": page.typed("door")}))["removeDoor"]
    if payload["errors"]:
        return page.go(LIST, "danger", payload["errors"][0]["message"])
    return page.go(LIST, "success", page.texts("门禁点位已移除"))


async def set_mode(page: Page) -> Response:
    """Hold a door open or closed, or end that; what its controller answered is said."""
    id = page.typed("door")
    given = {
        "door": id, "mode": known(page.typed("mode"), MODES) or "NORMAL", "reason": page.typed("reason"),
        "idempotencyKey": page.typed("key"),
    }  # fmt: skip
    payload = (await page.ask("SetDoorMode", input=given))["setDoorMode"]
    if payload["errors"]:
        return await _whole(page, id, payload["errors"][0]["message"])
    tone, words = _answered(page, payload["command"])
    return page.go(address(id), tone, words)


def _answered(page: Page, order: Data) -> tuple[Tone, str]:
    if order["state"] == "OPENED":
        return "success", page.texts("控制器已执行")
    if order["state"] in ("REQUESTED", "SENT"):
        return "warning", page.texts("指令已下发，控制器还没有答复，请稍后刷新查看")
    return "danger", order["message"] or page.texts("控制器没有执行，请到现场查看")


def address(id: str) -> str:
    """Where a door's page is."""
    return f"{LIST}/one?{urlencode({'door': id})}"


def _facts(page: Page) -> dict[str, object]:
    return {
        "name": page.typed("name"), "direction": known(page.typed("direction"), DIRECTIONS) or "BOTH",
        "methods": _methods(page), "isForVisitors": page.typed("visitors") == "on",
        "needsScreen": page.typed("screen") == "on",
    }  # fmt: skip


def _methods(page: Page) -> list[str]:
    return [each for each in METHODS if each in page.form.getlist("methods")]


async def _controller(page: Page, place: Place) -> str:
    """The device of the code that was typed. Raises Refusal where there is none."""
    code = page.typed("code")
    found = (await page.ask("FindDevice", compound=place.id, code=code))["devices"]["nodes"]
    exact = [each["id"] for each in found if each["code"] == code]
    if not exact:
        raise Refusal("DEVICE_NOT_FOUND", page.texts("没有找到这个编号的设备，请核对设备台账"), 400)
    return str(exact[0])
