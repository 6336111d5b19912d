"""The platforms of sign-in: the real ones that the settings name, else the local stand-ins where they run."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives import serialization
from redis.asyncio import Redis

from api.keys import Keys
from api.settings import Settings
from domains.identity.platforms import Platforms
from domains.identity.platforms.alipay import Alipay
from domains.identity.platforms.sms import Sms
from domains.identity.platforms.wechat import WeChat

Credentials = dict[str, dict[str, str]]


def build_platforms(
    settings: Settings, keys: Keys, http: httpx.AsyncClient, cache: Redis, stand_in_url: str
) -> Platforms:
    """A client per platform that is set up."""
    stand_ins = _stand_ins(settings, keys, stand_in_url) if stand_in_url else {}
    return Platforms(
        wechat=_wechat(settings, http, cache, stand_ins.get("wechat"), stand_in_url),
        alipay=_alipay(settings, keys, http, stand_ins.get("alipay"), stand_in_url),
        sms=_sms(settings, http, stand_ins.get("sms"), stand_in_url),
    )


def _stand_ins(settings: Settings, keys: Keys, url: str) -> Credentials:
    """What the stand-ins gave this merchant; in turn they are given our public key, as in the console."""
    home = settings.home / "platform"
    _publish(home / "alipay_app_public_key.pem", public_pem(keys.alipay_app_pem))
    credentials: Any = json.loads((home / "credentials.json").read_text(encoding="utf-8"))
    return {name: dict(fields) for name, fields in credentials.items()}


def _publish(path: Path, text: str) -> None:
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
    key = serialization.load_pem_private_key(private_pem.encode(), password=None).public_key()
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()


def _wechat(
    settings: Settings, http: httpx.AsyncClient, cache: Redis, given: dict[str, str] | None, url: str
) -> WeChat | None:
    if settings.wechat_app_id and settings.wechat_secret:
        secret = settings.wechat_secret.get_secret_value()
        return WeChat(http, cache, url=settings.wechat_url, app_id=settings.wechat_app_id, secret=secret)
    if given is None:
        return None
    return WeChat(http, cache, url=url, app_id=given["appid"], secret=given["secret"])


def _alipay(
    settings: Settings, keys: Keys, http: httpx.AsyncClient, given: dict[str, str] | None, url: str
) -> Alipay | None:
    if settings.alipay_app_id and settings.alipay_public_key_pem:
        aes_key = settings.alipay_aes_key.get_secret_value() if settings.alipay_aes_key else ""
        return Alipay(
            http, url=settings.alipay_url, app_id=settings.alipay_app_id, app_key_pem=keys.alipay_app_pem,
            public_key_pem=settings.alipay_public_key_pem, aes_key=aes_key,
        )  # fmt: skip
    if given is None:
        return None
    return Alipay(
        http, url=f"{url}/gateway.do", app_id=given["app_id"], app_key_pem=keys.alipay_app_pem,
        public_key_pem=given["alipay_public_key"], aes_key=given["aes_key"],
    )  # fmt: skip


def _sms(settings: Settings, http: httpx.AsyncClient, given: dict[str, str] | None, url: str) -> Sms | None:
    if settings.sms_access_key_id and settings.sms_access_key_secret:
        key_id, secret = settings.sms_access_key_id, settings.sms_access_key_secret.get_secret_value()
        address = settings.sms_url
    elif given is not None:
        key_id, secret, address = given["access_key_id"], given["access_key_secret"], f"{url}/"
    else:
        return None
    return Sms(
        http, url=address, access_key_id=key_id, access_key_secret=secret, sign_name=settings.sms_sign_name,
        code_template=settings.sms_code_template,
    )  # fmt: skip
