"""Meters (仪表) from a phone: what is to be read, a reading with and without a picture, and what is asked about."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from playwright.async_api import Browser, Route, expect

from domains.billing import permissions
from domains.billing.models import MeterReading
from domains.billing.service.reading_reviews import review_reading
from domains.kernel import clock, database
from schema.relay import encode
from tests.factories import meters, residents
from tests.factories.residents import Scene
from tests.miniprogram import axe
from tests.miniprogram.phone import LARGEST, WIDER, Phone, phone

pytestmark = pytest.mark.usefixtures("instance")
PICTURE = Path(__file__).parents[2] / "miniprogram_stub" / "client" / "src" / "static" / "logo.png"


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


@pytest.fixture
async def meter(scene: Scene) -> UUID:
    """A water meter at 100, put in sixty days ago: this month's reading is missing whatever the day."""
    await database.execute("UPDATE occupancy SET since_on = '2020-01-01' WHERE house_id = $1", scene.house_id)
    return await meters.meter(
        scene.compound_id, scene.house_id, number="S-7", installed_on=clock.today() - timedelta(days=60)
    )


@pytest.fixture
async def each(served: str, opened: Browser, scene: Scene) -> AsyncIterator[Phone]:
    """The owner's phone."""
    async with phone(opened, served, scene.owner.account_id) as held:
        yield held


async def at(each: Phone, meter: UUID) -> None:
    """The screen of a meter."""
    await each.open(f"meter?id={encode('Meter', meter)}")
    await expect(each.page.get_by_role("button", name="提交读数")).to_be_visible()


async def send(each: Phone, value: str) -> None:
    """Type a reading and send it."""
    await each.page.get_by_label("现在的读数").fill(value)
    await each.page.get_by_role("button", name="提交读数").click()


async def kept(meter: UUID) -> list[tuple[str, str, str]]:
    """Readings that came from residents: value, state, problem."""
    rows = await MeterReading.filter(meter_id=meter, source="resident").order_by("received_at")
    return [(str(row.value.normalize()), row.state, row.problem) for row in rows]


async def test_what_is_to_be_read_is_read(each: Phone, scene: Scene, meter: UUID) -> None:
    sent: list[str] = []
    each.page.on("request", lambda request: sent.append(request.url))
    await each.open("meters")
    await expect(each.says("水表")).to_be_visible()
    await expect(each.says("本月待抄")).to_be_visible()
    await expect(each.page.get_by_text("1 块表本月还没有读数")).to_be_visible()
    assert len([url for url in sent if url.endswith("/graphql")]) == 1
    assert not await axe.serious(each.page)
    assert not await each.page.evaluate(WIDER)
    await each.page.get_by_role("button", name="抄表").click()
    sent.clear()
    await send(each, "112.5")
    await expect(each.page.get_by_text("已确认，用量 12.5 m³")).to_be_visible()
    assert await kept(meter) == [("112.5", "accepted", "")]
    await expect(each.page.get_by_label("现在的读数")).to_have_value("")
    await each.page.go_back()
    await expect(each.page.get_by_text("本月都已抄表")).to_be_visible()
    await expect(each.page.get_by_text("12.5 m³")).to_be_visible()


async def test_a_screen_of_a_meter_is_one_query(each: Phone, meter: UUID) -> None:
    sent: list[str] = []
    each.page.on("request", lambda request: sent.append(request.url))
    await at(each, meter)
    await expect(each.page.get_by_text("装表")).to_be_visible()
    assert len([url for url in sent if url.endswith("/graphql")]) == 1
    assert not await axe.serious(each.page)
    assert not await each.page.evaluate(WIDER)


async def test_a_picture_goes_along(each: Phone, meter: UUID) -> None:
    await at(each, meter)
    async with each.page.expect_file_chooser() as chooser:
        await each.page.get_by_role("button", name="拍照或选图").click()
    await (await chooser.value).set_files(PICTURE)
    await expect(each.page.get_by_role("button", name="换一张")).to_be_visible()
    assert not await axe.serious(each.page)
    await send(each, "105")
    await expect(each.page.get_by_text("已确认，用量 5 m³")).to_be_visible()
    await expect(each.page.get_by_text("有照片")).to_be_visible()
    [reading] = await MeterReading.filter(meter_id=meter, source="resident")
    assert reading.photo_key is not None


async def test_what_is_less_or_far_more_is_asked_about(each: Phone, meter: UUID) -> None:
    await at(each, meter)
    await send(each, "9.9")
    sheet = each.page.get_by_role("dialog")
    await expect(sheet.get_by_text("比上次的 100 小")).to_be_visible()
    assert not await axe.serious(each.page)
    await sheet.get_by_role("button", name="取消").click()
    assert await kept(meter) == []
    await send(each, "1125")
    await expect(sheet.get_by_text("有没有多填一位")).to_be_visible()
    await sheet.get_by_role("button", name="没有填错，提交").click()
    await expect(each.page.get_by_text("已收到，待物业审核：用量与平时相差较大")).to_be_visible()
    assert await kept(meter) == [("1125", "held", "IMPLAUSIBLE")]
    await expect(each.says("待审核")).to_be_visible()
    await each.open("meters")
    await expect(each.says("待审核")).to_be_visible()


async def test_a_review_is_read_with_its_reason(each: Phone, scene: Scene, meter: UUID) -> None:
    owner = await residents.resident(scene.owner.account_id)
    held = await meters.submitted(owner, meter, "1125")
    staff = scene.staff(permissions.METERS_WRITE, permissions.METERS_READ)
    await review_reading(staff, reading_id=held, accept=False, reason="照片里是 112.5，请重新抄表")
    await at(each, meter)
    await expect(each.says("未通过")).to_be_visible()
    await expect(each.page.get_by_text("照片里是 112.5，请重新抄表")).to_be_visible()


async def test_what_no_register_shows_is_said_while_typing(each: Phone, meter: UUID) -> None:
    await at(each, meter)
    await each.page.get_by_label("现在的读数").fill("123456")
    await expect(each.page.get_by_text("这块表有 5 位整数")).to_be_visible()
    await expect(each.page.get_by_role("button", name="提交读数")).to_be_disabled()


async def test_without_a_network_nothing_typed_is_lost(each: Phone, meter: UUID) -> None:
    await each.open("meters")
    await expect(each.says("水表")).to_be_visible()
    await at(each, meter)
    await each.leave_network()
    await send(each, "104")
    await expect(each.page.get_by_text("网络连接不上")).to_be_visible()
    await each.page.go_back()
    await expect(each.page.get_by_text("暂时连不上")).to_be_visible()
    await each.page.get_by_role("button", name="抄表").click()
    await expect(each.page.get_by_label("现在的读数")).to_have_value("104")
    await each.window.context.set_offline(False)
    await each.page.get_by_role("button", name="提交读数").click()
    await expect(each.page.get_by_text("已确认，用量 4 m³")).to_be_visible()
    assert await kept(meter) == [("104", "accepted", "")]


async def test_an_answer_that_is_lost_counts_once(each: Phone, meter: UUID) -> None:
    await at(each, meter)
    lost: list[str] = []

    async def lose(route: Route) -> None:
        lost.append(route.request.post_data or "")
        if len(lost) > 1:
            await route.continue_()
        else:
            await route.fetch()
            await route.abort("connectionreset")

    each.window.provoked.append("net::ERR_CONNECTION_RESET")
    await each.page.route("**/graphql", lose)
    await send(each, "103")
    await expect(each.page.get_by_text("已确认，用量 3 m³")).to_be_visible()
    assert len(set(lost[:2])) == 1
    assert await kept(meter) == [("103", "accepted", "")]


async def test_a_meter_of_others_is_not_shown(each: Phone, scene: Scene) -> None:
    theirs = await meters.meter(scene.compound_id, scene.next_door_id)
    await each.open(f"meter?id={encode('Meter', theirs)}")
    await expect(each.page.get_by_text("没有找到这块表")).to_be_visible()
    assert not await axe.serious(each.page)


async def test_large_dark_and_high_contrast_fit_a_narrow_phone(
    served: str, opened: Browser, scene: Scene, meter: UUID
) -> None:
    for days, value in ((50, "110"), (25, "123.4567")):
        await meters.record(scene.compound_id, meter, value, clock.now() - timedelta(days=days))
    async with phone(opened, served, scene.owner.account_id, look=LARGEST) as each:
        for page, shown in (
            ("meters", "123.4567"),
            (f"meter?id={encode('Meter', meter)}", "近几个月用量"),
        ):
            await each.open(page)
            await expect(each.page.get_by_text(shown).first).to_be_visible()
            assert not await axe.serious(each.page)
            assert not await each.page.evaluate(WIDER)
