"""What an operator may set: wrong values are named, secrets are not shown, production is strict."""

from __future__ import annotations

import json
import re
import secrets
from pathlib import Path

import pytest
from pydantic import ValidationError

from api.keys import MADE
from api.platforms import public_pem
from api.settings import (
    REPOSITORY,
    WECHAT_PAY,
    Settings,
    env_name,
    production_problems,
    refused_settings,
)


def production() -> dict[str, str]:
    """An environment that production accepts."""
    return {
        "LINLI_PROFILE": "production",
        "DATABASE_URL": "postgresql://linli_app:Xk7-quiet-river-91@db:5432/linli",
        "REDIS_URL": "redis://:Wm3-green-lamp-55@cache:6379/0",
        "LINLI_TOKEN_KEY_PEM": MADE["token_key_pem"][1](),
        "LINLI_DATA_KEYS": f"1:{secrets.token_hex(16)},2:{secrets.token_hex(16)}",
        "LINLI_INDEX_KEY": secrets.token_hex(32),
        "LINLI_FILE_LINK_KEY": secrets.token_hex(32),
        "LINLI_VAPID_KEY_PEM": MADE["vapid_key_pem"][1](),
        "LINLI_WECHAT_APP_ID": "wx0000000000000001",
        "LINLI_WECHAT_SECRET": secrets.token_hex(16),
        "LINLI_ALIPAY_APP_ID": "2021000000000001",
        "LINLI_ALIPAY_APP_KEY_PEM": MADE["alipay_app_key_pem"][1](),
        "LINLI_ALIPAY_PUBLIC_KEY_PEM": "-----BEGIN PUBLIC KEY-----",
        "LINLI_SMS_ACCESS_KEY_ID": "LTAI0000",
        "LINLI_SMS_ACCESS_KEY_SECRET": secrets.token_hex(16),
        "LINLI_PUBLIC_URL": "https://linli.example.cn",
        "LINLI_IDE": "false",
        "LINLI_INTROSPECTION": "false",
        "LINLI_PLATFORM_STAND_INS": "false",
    }


def wechat_pay() -> dict[str, str]:
    """What WeChat Pay needs, all of it."""
    keys = {f"PUB_KEY_ID_{n}": public_pem(MADE["wechat_pay_key_pem"][1]()) for n in ("old", "new")}
    return {
        "LINLI_WECHAT_PAY_MCH_ID": "1600000001",
        "LINLI_WECHAT_PAY_KEY_PEM": MADE["wechat_pay_key_pem"][1](),
        "LINLI_WECHAT_PAY_SERIAL": secrets.token_hex(20).upper(),
        "LINLI_WECHAT_PAY_API_V3_KEY": secrets.token_hex(16),
        "LINLI_WECHAT_PAY_PUBLIC_KEYS": json.dumps(keys),
    }


@pytest.fixture(scope="module")
def accepted() -> dict[str, str]:
    return production()


@pytest.fixture(scope="module")
def paying() -> dict[str, str]:
    return production() | wechat_pay()


def refused(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> str:
    """What is said of an environment; empty when it is accepted."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    try:
        Settings()
    except ValidationError as error:
        told = "\n".join(refused_settings(error))
        assert not any(
            value in told or value in str(error) for value in environment.values() if len(value) > 13
        )
        return told
    return ""


def test_every_default_works_with_nothing_set() -> None:
    settings = Settings(home=Path("/nowhere"))
    assert settings.profile == "embedded"
    assert settings.url == "http://127.0.0.1:8000"


def test_production_accepts_what_is_complete(
    accepted: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert refused(monkeypatch, accepted) == ""


def test_production_takes_payments_by_wechat_or_does_not(
    paying: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert refused(monkeypatch, paying) == ""
    assert set(Settings().wechat_pay_public_keys) == {"PUB_KEY_ID_old", "PUB_KEY_ID_new"}
    assert {env_name(name) for name in WECHAT_PAY} == set(wechat_pay())


@pytest.mark.parametrize("name", sorted(wechat_pay()))
def test_half_of_wechat_pay_is_not_enough(
    name: str, paying: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = refused(monkeypatch, {key: value for key, value in paying.items() if key != name})
    assert told == f"{name} 未设置:微信支付的各项设置应同时填写,或全部留空"


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("MCH_ID", "商户", "商户号"),
        ("MCH_ID", "16000000010", "商户号"),
        ("SERIAL", "not-hex", "序列号"),
        ("API_V3_KEY", "k" * 31, "32 个字符"),
        ("API_V3_KEY", "密" * 32, "32 个字符"),
        ("API_V3_KEY", "k" * 32, "随机"),
        ("KEY_PEM", "not a key at all", "PEM"),
        ("KEY_PEM", MADE["token_key_pem"][1](), "RSA"),
        ("PUBLIC_KEYS", "PUB_KEY_ID_1=PEM", "JSON"),
        ("PUBLIC_KEYS", '["PUB_KEY_ID_1"]', "JSON"),
        ("PUBLIC_KEYS", '{"PUB_KEY_ID_1": 1}', "JSON"),
        ("PUBLIC_KEYS", '{"PUB_KEY_ID_1": "not a key"}', "PUB_KEY_ID_1 不是"),
        (
            "PUBLIC_KEYS",
            json.dumps({"PUB_KEY_ID_1": public_pem(MADE["token_key_pem"][1]())}),
            "PUB_KEY_ID_1 不是",
        ),
        ("URL", "http://api.mch.weixin.qq.com", "https"),
    ],
)
def test_production_refuses_a_setting_of_wechat_pay(
    name: str, value: str, why: str, paying: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = refused(monkeypatch, paying | {f"LINLI_WECHAT_PAY_{name}": value})
    assert f"LINLI_WECHAT_PAY_{name}" in told
    assert why in told


@pytest.mark.parametrize("name", sorted(set(production()) - {"LINLI_PROFILE"}))
def test_production_names_each_variable_that_is_missing(
    name: str, accepted: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = refused(monkeypatch, {key: value for key, value in accepted.items() if key != name})
    assert name in told


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("LINLI_IDE", "true", "false"),
        ("LINLI_INTROSPECTION", "true", "false"),
        ("LINLI_PLATFORM_STAND_INS", "true", "false"),
        ("LINLI_PUBLIC_URL", "http://linli.example.cn", "https"),
        ("LINLI_WECHAT_URL", "http://127.0.0.1:9000", "https"),
        ("LINLI_ALIPAY_URL", "http://127.0.0.1:9000", "https"),
        ("LINLI_SMS_URL", "http://127.0.0.1:9000", "https"),
        ("LINLI_VOICE_URL", "http://127.0.0.1:9000", "https"),
        ("LINLI_S3_ENDPOINT", "http://files.example.cn", "https"),
        ("LINLI_WECHAT_SECRET", "short", "太短"),
        ("LINLI_SMS_ACCESS_KEY_SECRET", "changeme-changeme", "太短或是默认值"),
        ("LINLI_METRICS_TOKEN", "abc", "太短"),
        ("LINLI_INDEX_KEY", "0" * 64, "随机"),
        ("LINLI_INDEX_KEY", "abcd", "64 位十六进制"),
        ("LINLI_FILE_LINK_KEY", "1" * 64, "随机"),
        ("LINLI_DATA_KEYS", "1:" + "ab" * 16, "随机"),
        ("LINLI_DATA_KEYS", "not-a-key", "版本"),
        ("LINLI_TOKEN_KEY_PEM", "not a key at all", "PEM"),
        ("LINLI_TOKEN_KEY_PEM", MADE["alipay_app_key_pem"][1](), "P-256"),
        ("LINLI_VAPID_KEY_PEM", MADE["alipay_app_key_pem"][1](), "P-256"),
        ("LINLI_VAPID_SUBJECT", "tel:0571-8888-6666", "mailto:"),
        ("LINLI_ALIPAY_APP_KEY_PEM", MADE["token_key_pem"][1](), "RSA"),
        ("DATABASE_URL", "postgresql://linli_app:postgres@db/linli", "密码"),
        ("DATABASE_URL", "postgresql://linli_app@db/linli", "密码"),
        ("REDIS_URL", "redis://cache:6379/0", "密码"),
        ("DATABASE_OWNER_URL", "postgresql://linli_app:Other-pass-word-1@db/linli", "两个数据库角色"),
    ],
)
def test_production_refuses(
    name: str, value: str, why: str, accepted: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = refused(monkeypatch, accepted | {name: value})
    assert name in told
    assert why in told


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("PORT", "eighty", "必须是整数"),
        ("PORT", "70000", "不能大于 65535"),
        ("LINLI_POOL_SIZE", "1", "不能小于 2"),
        ("LINLI_PROFILE", "prod", "只能是"),
        ("LINLI_IDE", "maybe", "true 或 false"),
        ("LINLI_DRAIN_S", "soon", "必须是数字"),
        ("DATABASE_URL", "mysql://a:b@host/db", "postgresql://"),
        ("DATABASE_URL", "redis://:b@host/0", "postgresql://用户"),
        ("DATABASE_URL", "postgresql://a:b@host:port/db", "端口"),
        ("DATABASE_URL", "postgresql://host/db", "用户名"),
        ("DATABASE_URL", "postgresql://a:b@host", "库名"),
        ("DATABASE_URL", "postgresql://", "应形如"),
        ("REDIS_URL", "localhost:6379", "redis://"),
        ("REDIS_URL", "postgresql://a:b@host/db", "redis://"),
        ("LINLI_DATA_KEYS", "1:zz", "版本"),
    ],
)
def test_a_wrong_value_is_named_with_its_variable(
    name: str, value: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = refused(monkeypatch, {name: value})
    assert name in told
    assert why in told


def test_an_empty_address_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "")
    assert Settings().database_url is None


def test_secrets_are_not_shown(paying: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in paying.items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    shown = f"{settings!r} {settings} {settings.model_dump()}"
    hidden = [
        value for name, value in paying.items() if "SECRET" in name or "KEY" in name or "_URL" in name[-4:]
    ]
    for value in hidden:
        if value.startswith(("https", "LTAI")) or "PUBLIC" in value:
            continue
        assert value not in shown
    assert production_problems(settings) == []


def test_the_operators_guide_lists_every_setting_and_no_other() -> None:
    guide = (REPOSITORY / "docs" / "operators.md").read_text(encoding="utf-8")
    table = guide.partition("<!-- settings -->")[2].partition("<!-- /settings -->")[0]
    listed = set(re.findall(r"^\| `([A-Z0-9_]+)` \|", table, re.MULTILINE))
    assert listed == {env_name(name) for name in Settings.model_fields}


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("mqtt://linli:Qz8-still-water-17@broker:1883", "LINLI_MQTT_URL 必须是 mqtts 地址"),
        ("mqtts://broker:8883", "LINLI_MQTT_URL 的密码未设置"),
        ("mqtts://linli:password@broker:8883", "LINLI_MQTT_URL 的密码未设置"),
        ("http://linli:Qz8-still-water-17@broker", "消息服务器地址应为"),
        ("mqtts://linli:Qz8-still-water-17@broker:8883", ""), ("", ""),
    ],
)  # fmt: skip
def test_production_reaches_its_broker_by_tls_and_with_a_password(
    url: str, part: str, accepted: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = refused(monkeypatch, accepted | {"LINLI_MQTT_URL": url})
    assert (part in told) if part else told == ""
