"""Signing in (登录) as a person does: a number, a code from a text message, home."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from playwright.async_api import Browser, expect

from api.instance import Addresses, running
from api.keys import Keys
from api.settings import Settings
from domains.kernel import database
from tests.factories import identity, residents
from tests.miniprogram import axe
from tests.miniprogram.phone import WIDER, Phone, phone
from tests.miniprogram.signing_in import ask_for_code, sign_in
from tests.unit.stand_ins.stand import Stand

pytestmark = pytest.mark.usefixtures("instance")


@pytest.fixture(scope="module")
async def instance(settings: Settings, addresses: Addresses, stand: Stand) -> AsyncIterator[Keys]:
    """A running instance whose text messages go by the stand-in."""
    url = str(stand.http.base_url).rstrip("/")
    async with running(settings, replace(addresses, platform_url=url)) as keys:
        yield keys


async def test_a_number_and_a_code_lead_home_and_signing_out_leads_back(
    served: str, opened: Browser, stand: Stand
) -> None:
    scene = await residents.scene()
    number = await identity.phone_of(scene.owner.account_id)
    assert number is not None
    async with phone(opened, served) as each:
        await each.open()
        await expect(each.page.get_by_text("小区里的事，一处办好")).to_be_visible()
        assert not await axe.serious(each.page)
        assert not await each.page.evaluate(WIDER)
        code = await ask_for_code(each, stand, number)
        await expect(each.page.get_by_role("button", name="秒后重发")).to_be_visible()
        await each.page.get_by_label("验证码").fill(code)
        await each.page.get_by_role("button", name="登录", exact=True).click()
        await expect(each.page.get_by_text("我的房屋")).to_be_visible()
        await each.page.reload()
        await expect(each.page.get_by_text("我的房屋")).to_be_visible()
        await each.page.get_by_role("tab", name="我的").click()
        await each.page.get_by_role("button", name="退出登录").click()
        await each.page.get_by_role("dialog").get_by_role("button", name="退出登录").click()
        await expect(each.page.get_by_label("手机号")).to_be_visible()
        assert (
            await each.page.evaluate("Object.keys(localStorage).filter((key) => /session|kept/.test(key))")
            == []
        )


async def test_a_wrong_code_is_told_below_the_field_and_the_page_that_was_asked_for_comes_next(
    served: str, opened: Browser, stand: Stand
) -> None:
    async with phone(opened, served) as each:
        await each.open("inbox")
        number = identity.new_phone()
        code = await ask_for_code(each, stand, number)
        await each.page.get_by_label("验证码").fill(f"{(int(code) + 1) % 1_000_000:06d}")
        await each.page.get_by_role("button", name="登录", exact=True).click()
        await expect(each.page.get_by_role("alert").first).to_contain_text("验证码")
        await expect(each.page.get_by_text("SMS_CODE_INVALID")).to_be_visible()
        await each.page.get_by_label("验证码").fill(code)
        await each.page.get_by_role("button", name="登录", exact=True).click()
        await expect(each.page.get_by_text("还没有消息")).to_be_visible()


async def test_an_access_token_that_ended_is_renewed_once_for_all_who_ask(
    served: str, opened: Browser, stand: Stand
) -> None:
    async with phone(opened, served) as each:
        await each.open()
        await sign_in(each, stand, identity.new_phone())
        await expect(each.page.get_by_text("登记您的房屋")).to_be_visible()
        await each.page.evaluate(
            "() => { const held = JSON.parse(localStorage['linli.session']);"
            " held.data.until = 0; localStorage['linli.session'] = JSON.stringify(held) }"
        )
        sent: list[str] = []
        each.page.on("request", lambda request: sent.append(request.post_data or ""))
        await each.page.reload()
        await expect(each.page.get_by_text("登记您的房屋")).to_be_visible()
        assert len([body for body in sent if "refreshToken" in body]) == 1


async def test_without_a_network_nothing_is_lost_that_was_typed(served: str, opened: Browser) -> None:
    async with phone(opened, served) as each:
        await each.open()
        await each.page.get_by_label("手机号").fill("13800138000")
        await each.leave_network()
        await each.page.get_by_role("button", name="获取验证码").click()
        await expect(each.page.get_by_text("网络连接不上")).to_be_visible()
        await expect(each.page.get_by_text("代码 OFFLINE")).to_be_visible()
        await expect(each.page.get_by_label("手机号")).to_have_value("13800138000")


async def test_a_session_that_was_ended_elsewhere_ends_here(served: str, opened: Browser) -> None:
    account = await identity.resident()
    async with phone(opened, served, account) as each:
        each.window.provoked.append("401")
        await each.open()
        await expect(each.page.get_by_text("登记您的房屋")).to_be_visible()
        await database.execute(
            "UPDATE session SET ended_at = now(), end_reason = 'revoked' WHERE account_id = $1", account
        )
        await each.page.get_by_role("tab", name="我的").click()
        await expect(each.page.get_by_label("手机号")).to_be_visible()


async def test_who_scanned_a_compounds_code_signs_in_and_goes_on_with_it(
    served: str, opened: Browser, stand: Stand
) -> None:
    scene = await residents.scene()
    async with phone(opened, served) as each:
        await each.open(f"register?code={scene.code}")
        await sign_in(each, stand, identity.new_phone())
        await expect(each.page.get_by_role("button", name="提交登记")).to_be_visible()


@pytest.fixture
def known(served: str, stand: Stand) -> None:
    """This address is among those that the platforms lead back to."""
    stand.write("return_addresses.json", [f"{served}/app/"])


async def agree(each: Phone, name: str, number: str) -> None:
    """Be that person on the platform's page, and give the number."""
    await each.page.get_by_label("另一个人的姓名").fill(name)
    await each.page.get_by_label("手机号", exact=True).fill(number)
    await each.page.get_by_role("radio", name="另一个人").check()
    await each.page.get_by_role("button", name="同意登录").click()


def commands(each: Phone) -> list[str]:
    """What is sent to the server from now on, but for questions."""
    sent: list[str] = []
    each.page.on(
        "request",
        lambda request: (
            sent.append(request.post_data or "") if "input" in (request.post_data or "") else None
        ),
    )
    return sent


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize("way", ["微信", "支付宝"])
async def test_a_platforms_page_leads_back_and_on_to_what_was_asked_for(
    served: str, opened: Browser, way: str
) -> None:
    scene = await residents.scene()
    number = await identity.phone_of(scene.owner.account_id)
    assert number is not None
    async with phone(opened, served) as each:
        await each.open("inbox")
        await each.page.get_by_role("button", name=f"{way}登录").click()
        await expect(each.page.get_by_role("heading", name=f"{way}登录（替身）")).to_be_visible()
        assert not await each.page.evaluate(WIDER)
        await agree(each, f"沈嘉树 {way}", number)
        await expect(each.page.get_by_text("还没有消息")).to_be_visible()
        assert "code=" not in each.page.url
        await each.open("home")
        await expect(each.page.get_by_text("我的房屋")).to_be_visible()


@pytest.mark.usefixtures("known")
async def test_who_turns_away_at_the_platform_may_sign_in_otherwise(served: str, opened: Browser) -> None:
    async with phone(opened, served) as each:
        await each.open()
        sent = commands(each)
        await each.page.get_by_role("button", name="支付宝登录").click()
        await each.page.get_by_role("button", name="取消").click()
        await expect(each.page.get_by_text("您取消了登录")).to_be_visible()
        await expect(each.page.get_by_role("button", name="微信登录")).to_be_visible()
        assert not await axe.serious(each.page)
        assert not await each.page.evaluate(WIDER)
        assert sent == []


async def test_a_return_that_this_tab_did_not_ask_for_signs_nobody_in(
    served: str, opened: Browser, stand: Stand
) -> None:
    """Somebody else's code in a link: whoever follows it would be signed in as the one who sent it."""
    code = stand.open("wechat/login", person="别人")["js_code"]
    async with phone(opened, served) as each:
        sent = commands(each)
        await each.open(f"sign-in?code={code}&state={'0' * 32}")
        await expect(each.page.get_by_text("这次登录不是在这个页面上开始的")).to_be_visible()
        await expect(each.page.get_by_text("代码 SIGN_IN_NOT_BEGUN")).to_be_visible()
        assert not await axe.serious(each.page)
        assert sent == []
    assert stand.books("SELECT used_at FROM codes WHERE code = ?", code)[0][0] is None


@pytest.mark.usefixtures("known")
async def test_a_return_counts_once(served: str, opened: Browser) -> None:
    async with phone(opened, served) as each:
        led: list[str] = []
        each.page.on("response", lambda answer: led.append(answer.headers.get("location", "")))
        await each.open()
        await each.page.get_by_role("button", name="微信登录").click()
        await agree(each, "一次", identity.new_phone())
        await expect(each.page.get_by_text("登记您的房屋")).to_be_visible()
        [came] = [address for address in led if "code=" in address]
        sent = commands(each)
        await each.page.evaluate("localStorage.clear()")
        await each.page.goto("about:blank")
        await each.page.goto(came)
        await expect(each.page.get_by_text("代码 SIGN_IN_NOT_BEGUN")).to_be_visible()
        assert sent == []
        # And where the device would let it through, the platform does not.
        each.window.provoked.append("401")
        state = came.partition("state=")[2]
        begun = json.dumps({"way": "wechat", "state": state, "next": "/pages/home/index"})
        await each.page.evaluate("(begun) => sessionStorage.setItem('linli.signIn', begun)", begun)
        await each.page.goto("about:blank")
        await each.page.goto(came)
        await expect(each.page.get_by_text("代码 SIGN_IN_CODE_INVALID")).to_be_visible()


async def test_the_platform_leads_to_no_address_that_it_does_not_know(
    served: str, opened: Browser, stand: Stand
) -> None:
    stand.write("return_addresses.json", ["https://linli.example/app/"])
    async with phone(opened, served) as each:
        each.window.provoked.append("400")
        await each.open()
        await each.page.get_by_role("button", name="微信登录").click()
        await expect(each.page.get_by_text("登录后要返回的地址没有登记")).to_be_visible()
        await expect(each.page.get_by_role("link")).to_have_count(0)
        await expect(each.page.get_by_role("button")).to_have_count(0)
