"""Which platforms an installation reaches: real ones where they are set, else stand-ins, else none."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from api.keys import Keys, load_keys
from api.platforms import (
    build_gateways,
    build_platforms,
    build_transports,
    notify_path,
    payment_page,
    public_pem,
    serial_of,
    sign_in_pages,
    with_stand_ins,
)
from api.settings import Settings
from domains.identity.platforms import Platforms
from domains.platforms import Transports
from domains.platforms.calling import pool
from schema.relay import encode

URL = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return load_keys(Settings(home=tmp_path_factory.mktemp("keys")))


def at_home(home: Path, keys: Keys, **real: Any) -> Settings:  # Any: what a setting may be
    """Settings with a home where the stand-ins have been."""
    given = {
        "wechat": {"appid": "wx-stand", "secret": "wx-secret"},
        "alipay": {
            "app_id": "2021",
            "alipay_public_key": public_pem(keys.alipay_app_pem),
            "aes_key": "AAAAAAAAAAAAAAAAAAAAAA==",
            "seller_id": "2088000000000001",
        },
        "wechatpay": {
            "mchid": "1600000001",
            "apiv3_key": "v3-secret-of-thirty-two-letters-",
            "public_key_id": "PUB_KEY_ID_1",
            "public_key": public_pem(keys.wechat_pay_pem),
        },
        "sms": {"access_key_id": "LTAI-stand", "access_key_secret": "sms-secret"},
    }
    (home / "platform").mkdir()
    (home / "platform" / "credentials.json").write_text(json.dumps(given), encoding="utf-8")
    return Settings(home=home, **real)


def test_where_no_stand_ins_run_the_settings_are_what_they_are(tmp_path: Path, keys: Keys) -> None:
    settings = Settings(home=tmp_path)
    assert with_stand_ins(settings, keys, "") is settings
    assert not (tmp_path / "platform").exists()


def test_stand_ins_take_the_place_of_what_is_not_set(tmp_path: Path, keys: Keys) -> None:
    reached = with_stand_ins(at_home(tmp_path, keys), keys, URL)
    assert (reached.wechat_url, reached.wechat_app_id) == (URL, "wx-stand")
    assert (reached.alipay_url, reached.alipay_app_id) == (f"{URL}/gateway.do", "2021")
    assert (reached.sms_url, reached.voice_url) == (f"{URL}/", f"{URL}/voice/")
    assert "sms-secret" not in repr(reached) and "wx-secret" not in repr(reached)
    published = (tmp_path / "platform" / "alipay_app_public_key.pem").read_text(encoding="utf-8")
    assert published == public_pem(keys.alipay_app_pem)
    assert (reached.wechat_pay_url, reached.wechat_pay_mch_id) == (URL, "1600000001")
    uploaded = json.loads((tmp_path / "platform" / "wechatpay_merchant_key.json").read_text(encoding="utf-8"))
    assert uploaded == {
        "serial_no": reached.wechat_pay_serial,
        "public_key": public_pem(keys.wechat_pay_pem),
    }
    assert "v3-secret" not in repr(reached) and "PRIVATE" not in repr(reached)


def test_a_key_without_a_certificate_has_a_serial_number_all_the_same(keys: Keys) -> None:
    assert re.fullmatch("[0-9A-F]{40}", serial_of(keys.wechat_pay_pem))
    assert serial_of(keys.wechat_pay_pem) == serial_of(keys.wechat_pay_pem) != serial_of(keys.alipay_app_pem)


def test_a_real_platform_is_not_replaced(tmp_path: Path, keys: Keys) -> None:
    real = {"wechat_app_id": "wx-real", "wechat_secret": SecretStr("s"), "sms_access_key_id": "only half"}
    reached = with_stand_ins(at_home(tmp_path, keys, **real), keys, URL)
    assert (reached.wechat_url, reached.wechat_app_id) == ("https://api.weixin.qq.com", "wx-real")
    assert reached.sms_access_key_id == "LTAI-stand"
    # Payments of a real mini-program go by its real merchant, or not at all.
    assert reached.wechat_pay_mch_id == ""


async def test_payments_come_to_an_address_that_nobody_guesses(tmp_path: Path, keys: Keys) -> None:
    settings = at_home(tmp_path, keys, public_url="https://linli.example.cn")
    reached = with_stand_ins(settings, keys, URL)
    async with pool() as http, Redis() as cache:
        made = build_gateways(reached, keys, build_transports(reached, keys, http, cache))
    assert sorted(made) == ["alipay", "wechat"]
    addresses = {name: gateway.notify_url for name, gateway in made.items()}
    assert addresses == {
        name: f"https://linli.example.cn{notify_path(name, keys.file_link)}" for name in made
    }
    tokens = {address.rpartition("/")[2] for address in addresses.values()}
    assert len(tokens) == 2 and all(re.fullmatch("[0-9a-f]{32}", token) for token in tokens)
    assert (made["wechat"].app_id, made["wechat"].payee) == ("wx-stand", "1600000001")
    assert (made["alipay"].app_id, made["alipay"].payee) == ("2021", "2088000000000001")


@pytest.mark.parametrize("added", ["", "?charset=utf-8&out_trade_no=1", "&charset=utf-8&out_trade_no=1"])
def test_a_cashier_leads_back_to_its_own_payment(added: str) -> None:
    payment = UUID(int=0xFBFF << 100)
    page = payment_page("https://linli.example.cn", payment) + added
    shown, _, query = urlsplit(page).fragment.partition("?")
    assert shown == "/pages/payment/index"
    assert parse_qs(query)["id"] == [encode("Payment", payment)]


async def test_a_channel_that_is_not_set_up_takes_no_payments(tmp_path: Path, keys: Keys) -> None:
    reached = with_stand_ins(at_home(tmp_path, keys), keys, URL)
    without = reached.model_copy(update={"alipay_seller_id": "", "wechat_pay_public_keys": {}})
    async with pool() as http, Redis() as cache:
        assert build_gateways(without, keys, build_transports(without, keys, http, cache)) == {}


async def test_what_is_not_set_up_is_not_reached(tmp_path: Path, keys: Keys) -> None:
    settings = Settings(home=tmp_path)
    async with pool() as http, Redis() as cache:
        ways = build_transports(settings, keys, http, cache)
    assert ways == Transports()
    assert build_platforms(settings, ways) == Platforms()


async def test_one_access_key_opens_sms_and_voice(tmp_path: Path, keys: Keys) -> None:
    reached = with_stand_ins(at_home(tmp_path, keys), keys, URL)
    async with pool() as http, Redis() as cache:
        ways = build_transports(reached, keys, http, cache)
    assert all((ways.wechat, ways.alipay, ways.sms, ways.voice, ways.wechat_pay))
    offered = build_platforms(reached, ways)
    assert all((offered.wechat, offered.alipay, offered.sms))


def addresses_known(home: Path) -> list[str]:
    known: list[str] = json.loads((home / "platform" / "return_addresses.json").read_text(encoding="utf-8"))
    return known


def test_the_stand_ins_lead_back_to_this_installation_and_nowhere_else(tmp_path: Path, keys: Keys) -> None:
    here = at_home(tmp_path, keys, port=8123)
    with_stand_ins(here, keys, URL)
    # One machine by all of its names: a browser may have come by any of them.
    assert addresses_known(tmp_path) == [
        f"http://{name}:8123/app/" for name in ("127.0.0.1", "localhost", "[::1]")
    ]
    with_stand_ins(here.model_copy(update={"public_url": "https://linli.example.cn"}), keys, URL)
    assert addresses_known(tmp_path) == ["https://linli.example.cn/app/"]


def test_a_browser_signs_in_at_stand_ins_that_it_reaches(tmp_path: Path, keys: Keys) -> None:
    reached = with_stand_ins(at_home(tmp_path, keys), keys, URL)
    assert sign_in_pages(reached, URL) == {
        "wechat": f"{URL}/sign-in/wechat?app_id=wx-stand",
        "alipay": f"{URL}/sign-in/alipay?app_id=2021",
    }
    assert sign_in_pages(reached, "") == {}
    for public_url in ("http://192.168.1.20:8000", "https://linli.example.cn", "http://0.0.0.0:8000"):
        assert sign_in_pages(reached.model_copy(update={"public_url": public_url}), URL) == {}


def test_a_real_platform_has_no_page_for_browsers(tmp_path: Path, keys: Keys) -> None:
    real = {"wechat_app_id": "wx-real", "wechat_secret": SecretStr("s")}
    reached = with_stand_ins(at_home(tmp_path, keys, **real), keys, URL)
    assert list(sign_in_pages(reached, URL)) == ["alipay"]
