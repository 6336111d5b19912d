"""Signing in (登录) on a phone, by the text message that the stand-in sent."""

from __future__ import annotations

from playwright.async_api import expect

from tests.miniprogram.phone import Phone
from tests.unit.stand_ins.stand import Stand


async def ask_for_code(each: Phone, stand: Stand, number: str) -> str:
    """Type the number, ask, and read the message."""
    await each.page.get_by_label("手机号").fill(number)
    await each.page.get_by_role("button", name="获取验证码").click()
    await expect(each.page.get_by_text("验证码已发送")).to_be_visible()
    return str(stand.sms_to(number)[0]["params"]["code"])


async def sign_in(each: Phone, stand: Stand, number: str) -> None:
    """By a number and a code, where the sign-in is in sight."""
    code = await ask_for_code(each, stand, number)
    await each.page.get_by_label("验证码").fill(code)
    await each.page.get_by_role("button", name="登录", exact=True).click()
