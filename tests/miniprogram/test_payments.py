"""Payments (支付记录) as a phone shows them while nobody knows, and to whom."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, expect

from domains.billing.service.bill_payments import Way, pay_bills
from domains.platforms.calling import OutcomeUnknown
from payments.service import intake
from schema.relay import encode
from tests.factories import bills, residents
from tests.factories.channel import ScriptedChannel, channel_of
from tests.factories.residents import Scene
from tests.miniprogram import axe
from tests.miniprogram.phone import Phone, phone

pytestmark = pytest.mark.usefixtures("instance")
FEN = 12_345


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


@pytest.fixture
async def each(served: str, opened: Browser, scene: Scene) -> AsyncIterator[Phone]:
    """The owner's phone."""
    async with phone(opened, served, scene.owner.account_id) as held:
        yield held


async def test_while_nobody_knows_it_says_so_and_then_what_it_came_to(each: Phone, scene: Scene) -> None:
    channel = ScriptedChannel(loses={"create": OutcomeUnknown("alipay", "ReadTimeout")})
    with channel_of(channel):
        channel.fails["query"] = OutcomeUnknown("alipay", "ReadTimeout")
        bill = await bills.bill(scene.house_id, FEN)
        owner = await residents.caller(scene, "owner")
        await pay_bills(owner, bill_ids=[bill], way=Way("alipay", "h5"))
        await each.open("bills")
        await expect(each.page.get_by_text("支付中")).to_be_visible()
        await each.page.get_by_text("有一笔支付还没完成").click()
        await expect(each.says("正在确认")).to_be_visible()
        await expect(each.page.get_by_text("不会重复扣款")).to_be_visible()
        assert not await axe.serious(each.page)
        [number] = channel.trades
        await intake.take_notification(channel, {}, channel.pay(number))
        await expect(each.says("已支付")).to_be_visible(timeout=15_000)
    await expect(each.page.get_by_text("2026年3月 账单")).to_be_visible()


async def test_a_payment_of_somebody_elses_is_not_shown(each: Phone, scene: Scene) -> None:
    with channel_of(ScriptedChannel()):
        theirs = await bills.bill(scene.next_door_id, FEN)
        neighbour = await residents.caller(scene, "neighbour")
        payment = await pay_bills(neighbour, bill_ids=[theirs], way=Way("alipay", "h5"))
    await each.open(f"payment?id={encode('Payment', payment)}")
    await expect(each.page.get_by_text("没有找到这笔支付")).to_be_visible()
