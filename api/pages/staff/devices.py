"""Devices (设备台账): the register, one device with its ledger, and its keys."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from urllib.parse import urlencode
from uuid import uuid4

from starlette.responses import Response

from api.pages.asking import Data, Refusal
from api.pages.cookies import Flash
from api.pages.page import Page
from api.pages.staff.alarms import known
from api.pages.staff.place import place_of
from api.pages.staff.post import holds
from domains.access import permissions as access
from domains.devices import permissions as devices

ROWS = 30
LIST = "/staff/devices"
KINDS = (
    "DOOR", "GATE", "VEHICLE_GATE", "FIRE_PANEL", "SMOKE_DETECTOR", "GAS_DETECTOR", "FIRE_DOOR", "HYDRANT", "FIRE_LANE",
    "MANHOLE", "LIFT", "WATER_TANK", "STREET_LIGHT", "PERIMETER", "FALLING_OBJECT", "EBIKE_DETECTOR", "ENVIRONMENT",
    "OTHER",
)  # fmt: skip
STATES = ("IN_SERVICE", "IN_STORE", "OUT_OF_ORDER", "RETIRED")
NEXT = {
    "IN_STORE": ("IN_SERVICE", "RETIRED"), "IN_SERVICE": ("OUT_OF_ORDER", "IN_STORE", "RETIRED"),
    "OUT_OF_ORDER": ("IN_SERVICE", "IN_STORE", "RETIRED"), "RETIRED": (),
}  # fmt: skip
"""Into which states a device may go on."""
WORKS = ("INSPECTED", "MAINTAINED", "REPAIRED", "PART_REPLACED")
CONTROLLERS = ("DOOR", "GATE", "VEHICLE_GATE")
FILTERS = ("q", "kind", "state", "building", "online", "after")
FACTS = ("code", "name", "place", "maker", "model", "serial", "owner", "maintainer", "vendor")
_YUAN = re.compile(r"\d{1,8}(?:\.\d{1,2})?")


async def show(page: Page) -> Response:
    """The devices of the compound by code."""
    place = await place_of(page)
    wanted = {name: page.asked(name) for name in FILTERS}
    answer = await page.ask(
        "Devices", compound=place.id, filter=narrowed(wanted), first=ROWS, after=wanted["after"]
    )  # fmt: skip
    template = "staff/device_rows.html" if page.is_partial else "staff/devices.html"
    return page.show(
        template, place=place, wanted=wanted, kinds=KINDS, states=STATES, found=answer["devices"],
        may_write=holds(page, place, devices.WRITE),
    )  # fmt: skip


def narrowed(wanted: Mapping[str, str | None]) -> dict[str, object]:
    """The filter of what was chosen and typed."""
    return {
        "kind": known(wanted["kind"], KINDS), "state": known(wanted["state"], STATES), "search": wanted["q"] or None,
        "building": wanted["building"] or None, "isOnline": {"yes": True, "no": False}.get(wanted["online"] or ""),
    }  # fmt: skip


async def show_one(page: Page) -> Response:
    """One device, its life and its keys."""
    if page.is_partial:
        device = await _device(page, page.asked("device") or "", page.asked("after"))
        return page.show("staff/device_ledger.html", device=device)
    return await whole(page, page.asked("device") or "")


async def _device(page: Page, id: str, after: str | None = None) -> Data:
    device: Data | None = (await page.ask("Device", id=id, after=after))["node"]
    if not device:
        raise Refusal("NOT_FOUND", page.texts("没有找到这台设备，请返回列表刷新后重试"), 404)
    return device


async def whole(page: Page, id: str, *, issued: Data | None = None, problem: str = "") -> Response:
    """The page of a device, after a command that was refused with what was wrong."""
    place = await place_of(page)
    return page.show(
        "staff/device.html", place=place, device=await _device(page, id), issued=issued, problem=problem,
        may_write=holds(page, place, devices.WRITE), next_states=NEXT, works=WORKS, new_key=uuid4,
        may_add_door=holds(page, place, access.DOORS_WRITE), controllers=CONTROLLERS,
    )  # fmt: skip


async def show_form(page: Page) -> Response:
    """An empty form."""
    return await _form(page, "")


async def register(page: Page) -> Response:
    """Enter a device; a form that is refused is shown again as it was filled in."""
    cost = page.typed("cost")
    if not is_yuan(cost):
        return await _form(page, page.texts("金额应为数字，最多两位小数"))
    given: dict[str, object] = {name: page.typed(name) for name in FACTS}
    given |= {
        "compound": (await place_of(page)).id, "kind": known(page.typed("kind"), KINDS) or "OTHER",
        "state": known(page.typed("state"), STATES[:2]) or "IN_SERVICE",
        "building": page.typed("building") or None, "installedOn": page.typed("installed") or None,
        "costFen": fen(cost),
    }  # fmt: skip
    payload = (await page.ask("RegisterDevice", input=given))["registerDevice"]
    if payload["errors"]:
        return await _form(page, payload["errors"][0]["message"])
    return page.go(address(payload["device"]["id"]), "success", page.texts("设备已登记"))


def address(id: str) -> str:
    """Where a device's page is."""
    return f"{LIST}/one?{urlencode({'device': id})}"


def is_yuan(cost: str) -> bool:
    """Whether an amount can be read; nothing is none."""
    return not cost or _YUAN.fullmatch(cost) is not None


def fen(cost: str) -> int | None:
    """What was typed in yuan."""
    return int(Decimal(cost) * 100) if cost else None


async def _form(page: Page, problem: str) -> Response:
    place = await place_of(page)
    return page.show("staff/device_form.html", place=place, kinds=KINDS, states=STATES[:2], problem=problem)


async def issue_key(page: Page) -> Response:
    """A key for a device; its private half is shown in the answer and never again."""
    given = {"device": page.typed("device"), "publicKey": page.typed("public_key") or None}
    payload = (await page.ask("IssueDeviceKey", input=given))["issueDeviceKey"]
    problem = payload["errors"][0]["message"] if payload["errors"] else ""
    # Never by way of a redirect: what is shown once must not lie in a cookie.
    return await whole(page, given["device"] or "", issued=None if problem else payload, problem=problem)


async def revoke_key(page: Page) -> Response:
    """A key that counts no more."""
    given = {"device": page.typed("device"), "keyId": page.typed("key_id")}
    payload = (await page.ask("RevokeDeviceKey", input=given))["revokeDeviceKey"]
    problem = payload["errors"][0]["message"] if payload["errors"] else ""
    if page.is_partial:
        return page.notify(Flash("danger" if problem else "success", problem or page.texts("密钥已停用")))
    return page.go(
        address(given["device"]), "danger" if problem else "success",
        problem or page.texts("密钥已停用"),
    )  # fmt: skip
