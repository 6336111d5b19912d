"""Alarms of devices (设备告警): what is open, who sees to it, what was found."""

from __future__ import annotations

from starlette.responses import Response

from api.pages.asking import Data
from api.pages.cookies import Flash
from api.pages.page import Page, local
from api.pages.staff.place import Place, place_of
from api.pages.staff.post import holds
from api.pages.staff.spans import period
from domains.devices import permissions as devices

ROWS = 20
LIST = "/staff/alarms"
STATES = ("OPEN", "ACKNOWLEDGED", "CLEARED")
LEVELS = ("CRITICAL", "MAJOR", "MINOR")
KINDS = (
    "FIRE", "GAS", "LIFT_TRAPPED", "WATER_QUALITY", "WATER_TANK", "FIRE_DOOR", "HYDRANT", "FIRE_LANE", "MANHOLE", "LIFT",
    "PERIMETER", "FALLING_OBJECT", "EBIKE_IN_LIFT", "DOOR_FORCED", "DOOR_HELD", "TAMPER", "STREET_LIGHT", "CLOCK",
    "FAULT", "OFFLINE",
)  # fmt: skip
FILTERS = ("state", "level", "kind", "building", "since", "until", "after")


async def show(page: Page) -> Response:
    """The alarms of the compound, the last opened first; those that are not cleared unless asked otherwise."""
    place = await place_of(page)
    wanted = {name: page.asked(name) for name in FILTERS}
    states = {"ALL": None, **{each: (each,) for each in STATES}}.get(wanted["state"] or "", STATES[:2])
    answer = await found(
        page, place, state=states, level=known(wanted["level"], LEVELS), kind=known(wanted["kind"], KINDS),
        building=wanted["building"], after=wanted["after"], **period(page, wanted["since"], wanted["until"]),
    )  # fmt: skip
    template = "staff/alarm_cards.html" if page.is_partial else "staff/alarms.html"
    return page.show(
        template, place=place, wanted=wanted, states=STATES, levels=LEVELS, kinds=KINDS, found=answer, after=LIST,
        may_handle=holds(page, place, devices.ALARMS_HANDLE),
    )  # fmt: skip


async def found(page: Page, place: Place, **narrowed: object) -> Data:
    """A page of alarms."""
    answer = await page.ask("Alarms", compound=place.id, first=ROWS, **narrowed)
    return dict(answer["alarms"])


def known(value: str | None, values: tuple[str, ...]) -> str | None:
    """A value that there is; None for any other."""
    return value if value in values else None


async def acknowledge(page: Page) -> Response:
    """Take an alarm on."""
    payload = (await page.ask("AcknowledgeAlarm", input={"alarm": page.typed("alarm")}))["acknowledgeAlarm"]
    return _changed(page, payload, page.texts("已确认，请到现场处置"))


async def clear(page: Page) -> Response:
    """Say that it is over, and what was found."""
    given = {"alarm": page.typed("alarm"), "note": page.typed("note"), "isFalse": page.typed("false") == "on"}
    payload = (await page.ask("ClearAlarm", input=given))["clearAlarm"]
    return _changed(page, payload, page.texts("告警已解除"))


def _changed(page: Page, payload: Data, done: str) -> Response:
    """The card as it is after the change, or why nothing was changed."""
    after = local(page.typed("next"))
    if payload["errors"]:
        message = payload["errors"][0]["message"]
        return page.notify(Flash("danger", message)) if page.is_partial else page.go(after, "danger", message)
    if not page.is_partial:
        return page.go(after, "success", done)
    return page.show("staff/alarm_card.html", alarm=payload["alarm"], may_handle=True, after=after)
