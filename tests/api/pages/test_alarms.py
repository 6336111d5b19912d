"""Alarms at the desk: filters, pages, and who may see to them."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette

from domains.devices import permissions
from domains.devices.models import Alarm
from domains.devices.service.alarm_handling import clear_alarm
from schema.relay import encode
from tests.api.pages.test_registrations import staff_of
from tests.api.pages.visitors import HTMX, seen, visiting
from tests.factories import alarms, devices, guards, residents

pytestmark = pytest.mark.usefixtures("instance")
PAGE = "/staff/alarms"
BOTH = (permissions.ALARMS_READ, permissions.ALARMS_HANDLE)


async def test_they_are_narrowed_by_state_level_kind_and_day(app: Starlette) -> None:
    scene = await residents.scene()
    panel = await devices.device(scene.compound_id, "fire_panel", place="消控室")
    lift = await devices.device(scene.compound_id, "lift", place="电梯机房")
    over = await alarms.raised(panel)
    await clear_alarm(await guards.guard(scene, *BOTH), alarm_id=over.id, note="演习", is_false=False)
    await alarms.raised(lift, "lift")
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *BOTH))
        open_ones = seen(await visitor.get(PAGE))
        assert "电梯机房" in open_ones and "消控室" not in open_ones
        for query, place in (
            ("state=CLEARED", "消控室"), ("level=CRITICAL&state=ALL", "消控室"), ("kind=LIFT", "电梯机房"),
            ("since=2020-01-01&level=bogus", "电梯机房"),
        ):  # fmt: skip
            part = await visitor.get(f"{PAGE}?{query}", **HTMX)
            assert place in seen(part) and "<html" not in part.text
            assert ("消控室" in seen(part)) != ("电梯机房" in seen(part)), query
        assert "没有符合条件的告警" in seen(await visitor.get(f"{PAGE}?until=2020-01-01", **HTMX))
        for day in ("2020-13-01", "9999-12-31", "0001-01-01"):
            refused = await visitor.get(f"{PAGE}?since={day}&until={day}", **HTMX)
            assert refused.headers["hx-retarget"] == "#notices" and "日期不正确" in seen(refused), day


async def test_there_is_another_page(app: Starlette) -> None:
    scene = await residents.scene()
    for n in range(21):
        await alarms.raised(await devices.device(scene.compound_id, "lift", place=f"机房 {n:02}"), "lift")
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, permissions.ALARMS_READ))
        first = await visitor.get(PAGE)
        assert "加载更多" in seen(first) and "机房 00" not in seen(first)
        address = first.text.split('hx-get="/staff/alarms?')[1].split('"')[0].replace("&amp;", "&")
        assert "机房 00" in seen(await visitor.get(f"{PAGE}?{address}", **HTMX))


async def test_who_may_only_see_has_nothing_to_press_and_changes_nothing(app: Starlette) -> None:
    scene = await residents.scene()
    alarm = await alarms.raised(await devices.device(scene.compound_id, "fire_panel"))
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, permissions.ALARMS_READ))
        assert "我来处理" not in seen(await visitor.get(PAGE))
        given = {"alarm": encode("Alarm", alarm.id), "note": "x", "next": PAGE}
        for do in ("acknowledge", "clear"):
            answer = await visitor.post(f"{PAGE}/{do}", given, **HTMX)
            assert answer.headers["hx-retarget"] == "#notices"
    assert (await Alarm.get(pk=alarm.id)).state == "open"
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, permissions.READ))
        assert (await visitor.get(PAGE)).status_code == 403
