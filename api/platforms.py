"""The platforms: the real ones that the settings name, else the local stand-ins where they run."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from functools import partial
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit
from uuid import UUID

import httpx
from cryptography.hazmat.primitives import serialization
from pydantic import SecretStr
from redis.asyncio import Redis

from api.keys import Keys
from api.message_templates import SETTINGS, console, made_templates
from api.settings import WECHAT_PAY, Settings
from domains.identity.platforms import Platforms
from domains.identity.platforms.alipay import AlipaySignIn
from domains.identity.platforms.sms import SmsSignIn
from domains.identity.platforms.wechat import WeChatSignIn
from domains.platforms import Transports
from domains.platforms.alipay import Alipay
from domains.platforms.aliyun import Aliyun
from domains.platforms.wechat import WeChat
from domains.platforms.wechatpay import WeChatPay
from notifications.kinds import Channel
from payments.gateways import Gateway
from payments.gateways.alipay import AlipayGateway
from payments.gateways.wechat import WeChatGateway
from schema.relay import encode

Credentials = dict[str, dict[str, str]]
# What shows a payment in a browser. Platforms add to the end of an address that they lead back to, one by `?` whatever
# is there: so the id is not the last.
PAYMENT = "/app/#/pages/payment/index?id={id}&from=cashier"
RESIDENT = "/app/"
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def with_stand_ins(settings: Settings, keys: Keys, url: str) -> Settings:
    """The settings, with what the stand-ins at this address gave wherever no real platform is set."""
    if not url:
        return settings
    given, found, played = _credentials(settings, keys), dict[str, object](), set[Channel]()
    if not _is_set(settings, "wechat_app_id", "wechat_secret"):
        played.add(Channel.WECHAT)
        app = given["wechat"]
        found |= {"wechat_url": url, "wechat_app_id": app["appid"], "wechat_secret": SecretStr(app["secret"])}
        if not _is_set(settings, *WECHAT_PAY):
            found |= _wechat_pay_given(url, keys, given["wechatpay"])
    if not _is_set(settings, "alipay_app_id", "alipay_public_key_pem"):
        played.add(Channel.ALIPAY)
        app = given["alipay"]
        found |= {
            "alipay_url": f"{url}/gateway.do", "alipay_app_id": app["app_id"],
            "alipay_public_key_pem": app["alipay_public_key"], "alipay_aes_key": SecretStr(app["aes_key"]),
            "alipay_seller_id": app["seller_id"],
        }  # fmt: skip
    if not _is_set(settings, "sms_access_key_id", "sms_access_key_secret"):
        played |= {Channel.SMS, Channel.VOICE}
        account = given["sms"]
        found |= {
            "sms_url": f"{url}/", "voice_url": f"{url}/voice/", "sms_access_key_id": account["access_key_id"],
            "sms_access_key_secret": SecretStr(account["access_key_secret"]),
        }  # fmt: skip
    found |= {SETTINGS[channel]: made_templates(settings, channel) for channel in played}
    reached = settings.model_copy(update=found)
    for file, text in console(reached).items():
        publish(settings.home / "platform" / file, text)
    publish(settings.home / "platform" / "return_addresses.json", json.dumps(return_addresses(settings)))
    return reached


def return_addresses(settings: Settings) -> list[str]:
    """Where a sign-in at the stand-ins may lead back to: the resident's face at this installation's own address.
    This machine has several names."""
    parts = urlsplit(settings.url)
    names = LOOPBACK if parts.hostname in (*LOOPBACK, "::1") else (parts.hostname,)
    port = f":{parts.port}" if parts.port else ""
    return [f"{parts.scheme}://{name}{port}{RESIDENT}" for name in names]


def _wechat_pay_given(url: str, keys: Keys, merchant: dict[str, str]) -> dict[str, object]:
    return {
        "wechat_pay_url": url, "wechat_pay_mch_id": merchant["mchid"],
        "wechat_pay_key_pem": SecretStr(keys.wechat_pay_pem), "wechat_pay_serial": serial_of(keys.wechat_pay_pem),
        "wechat_pay_api_v3_key": SecretStr(merchant["apiv3_key"]),
        "wechat_pay_public_keys": {merchant["public_key_id"]: merchant["public_key"]},
    }  # fmt: skip


def build_transports(settings: Settings, keys: Keys, http: httpx.AsyncClient, cache: Redis) -> Transports:
    """The way to each platform that is set up."""
    return Transports(
        wechat=_wechat(settings, http, cache),
        alipay=_alipay(settings, keys, http),
        sms=_aliyun(settings, http, "sms", settings.sms_url),
        voice=_aliyun(settings, http, "voice", settings.voice_url),
        wechat_pay=_wechat_pay(settings, keys, http),
    )


def build_platforms(settings: Settings, transports: Transports, stand_ins: str = "") -> Platforms:
    """The ways to sign in that go over them; `stand_ins` is where the stand-ins are reached, if they run."""
    wechat, alipay, sms = transports.wechat, transports.alipay, transports.sms
    aes_key = settings.alipay_aes_key.get_secret_value() if settings.alipay_aes_key else ""
    signature, template = settings.sms_sign_name, settings.sms_code_template
    return Platforms(
        wechat=WeChatSignIn(wechat) if wechat else None,
        alipay=AlipaySignIn(alipay, aes_key) if alipay else None,
        sms=SmsSignIn(sms, sign_name=signature, code_template=template) if sms else None,
        pages=sign_in_pages(settings, stand_ins),
    )


def sign_in_pages(settings: Settings, stand_ins: str) -> dict[str, str]:
    """Where a browser signs in with a platform's account: at a stand-in, and where it is reached. Only browsers of
    this machine reach it, so that an installation for others names none."""
    if not stand_ins or urlsplit(settings.url).hostname not in (*LOOPBACK, "::1"):
        return {}
    apps = {
        "wechat": (settings.wechat_url == stand_ins, settings.wechat_app_id),
        "alipay": (settings.alipay_url == f"{stand_ins}/gateway.do", settings.alipay_app_id),
    }
    return {
        name: f"{stand_ins}/sign-in/{name}?{urlencode({'app_id': app_id})}"
        for name, (is_played, app_id) in apps.items() if is_played
    }  # fmt: skip


def build_gateways(settings: Settings, keys: Keys, transports: Transports) -> dict[str, Gateway]:
    """The channels that take payments, by name. Their notifications come to an address that nobody can guess."""
    found: dict[str, Gateway] = {}
    left = partial(payment_page, settings.url)
    if transports.wechat_pay and settings.wechat_app_id:
        found["wechat"] = WeChatGateway(
            transports.wechat_pay, app_id=settings.wechat_app_id,
            notify_url=settings.url + notify_path("wechat", keys.file_link), return_url=left,
        )  # fmt: skip
    if transports.alipay and settings.alipay_seller_id:
        found["alipay"] = AlipayGateway(
            transports.alipay, seller_id=settings.alipay_seller_id,
            notify_url=settings.url + notify_path("alipay", keys.file_link), return_url=left,
        )  # fmt: skip
    return found


def payment_page(url: str, payment_id: UUID) -> str:
    """Where a browser comes back to from the cashier of a payment: it may have begun another one meanwhile."""
    return f"{url}{PAYMENT.format(id=quote(encode('Payment', payment_id), safe=''))}"


def notify_path(channel: str, key: bytes) -> str:
    """The path of a channel's notifications, made from a key of this installation's."""
    token = hmac.digest(key, f"payment notifications of {channel}".encode(), "sha256").hex()[:32]
    return f"/payments/notify/{channel}/{token}"


def _is_set(settings: Settings, *names: str) -> bool:
    return all(getattr(settings, name) for name in names)


def _wechat(settings: Settings, http: httpx.AsyncClient, cache: Redis) -> WeChat | None:
    if not (settings.wechat_app_id and settings.wechat_secret):
        return None
    secret = settings.wechat_secret.get_secret_value()
    return WeChat(http, cache, url=settings.wechat_url, app_id=settings.wechat_app_id, secret=secret)


def _alipay(settings: Settings, keys: Keys, http: httpx.AsyncClient) -> Alipay | None:
    if not (settings.alipay_app_id and settings.alipay_public_key_pem):
        return None
    return Alipay(
        http, url=settings.alipay_url, app_id=settings.alipay_app_id, app_key_pem=keys.alipay_app_pem,
        public_key_pem=settings.alipay_public_key_pem,
    )  # fmt: skip


def _wechat_pay(settings: Settings, keys: Keys, http: httpx.AsyncClient) -> WeChatPay | None:
    if not _is_set(settings, *WECHAT_PAY) or settings.wechat_pay_api_v3_key is None:
        return None
    api_v3_key = settings.wechat_pay_api_v3_key.get_secret_value()
    return WeChatPay(
        http, url=settings.wechat_pay_url, mch_id=settings.wechat_pay_mch_id.strip(), key_pem=keys.wechat_pay_pem,
        serial=settings.wechat_pay_serial.strip(), api_v3_key=api_v3_key.strip(),
        public_keys=settings.wechat_pay_public_keys,
    )  # fmt: skip


def _aliyun(settings: Settings, http: httpx.AsyncClient, name: str, url: str) -> Aliyun | None:
    """Dysmsapi and Dyvmsapi are of one version, and one access key opens both."""
    if not (settings.sms_access_key_id and settings.sms_access_key_secret):
        return None
    return Aliyun(
        http, name=name, url=url, version="2017-05-25", access_key_id=settings.sms_access_key_id,
        access_key_secret=settings.sms_access_key_secret.get_secret_value(),
    )  # fmt: skip


def _credentials(settings: Settings, keys: Keys) -> Credentials:
    """What the stand-ins gave this merchant; in turn they are given our public keys, as in the console."""
    home = settings.home / "platform"
    publish(home / "alipay_app_public_key.pem", public_pem(keys.alipay_app_pem))
    own = {"serial_no": serial_of(keys.wechat_pay_pem), "public_key": public_pem(keys.wechat_pay_pem)}
    publish(home / "wechatpay_merchant_key.json", json.dumps(own))
    credentials: Credentials = json.loads((home / "credentials.json").read_text(encoding="utf-8"))
    return credentials


def publish(path: Path, text: str) -> None:
    """In one step: the reader must never see half a key."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)


def public_pem(private_pem: str) -> str:
    """The public half of a private key."""
    key = serialization.load_pem_private_key(
        private_pem.encode(),
        None,
        unsafe_skip_rsa_key_validation=True,  # checked by `api.keys`
    ).public_key()
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()


def serial_of(private_pem: str) -> str:
    """A serial number for a key that no authority gave a certificate: 40 digits in hex, as WeChat's are."""
    return hashlib.sha256(public_pem(private_pem).encode()).hexdigest()[:40].upper()
