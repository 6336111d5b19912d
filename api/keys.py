"""Keys of an installation: from the settings, or made once below `.linli/keys/` when embedded."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pydantic import SecretStr

from api.settings import Settings, env_name
from domains.kernel.crypto import Keyring

T = TypeVar("T")


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """Everything secret that the program itself needs."""

    token_pem: str
    keyring: Keyring
    file_link: bytes
    alipay_app_pem: str
    wechat_pay_pem: str
    """Empty where no payments are taken by WeChat."""
    vapid_pem: str


class BadKey(Exception):
    """密钥格式不对。"""


def load_keys(settings: Settings) -> Keys:
    """The keys that are set; embedded, the missing ones are made and kept, readable by the owner only.

    Raises BadKey, which names the setting or the file and quotes nothing of it.
    """
    return Keys(
        token_pem=_key(settings, "token_key_pem", _checked_pem),
        keyring=_keyring(settings),
        file_link=_key(settings, "file_link_key", _32_bytes),
        alipay_app_pem=_key(settings, "alipay_app_key_pem", _checked_pem),
        wechat_pay_pem=_wechat_pay(settings),
        vapid_pem=_key(settings, "vapid_key_pem", _checked_pem),
    )


def _wechat_pay(settings: Settings) -> str:
    """Production may do without; a key that is made serves the stand-in."""
    if settings.profile == "production" and settings.wechat_pay_key_pem is None:
        return ""
    return _key(settings, "wechat_pay_key_pem", _checked_pem)


def _keyring(settings: Settings) -> Keyring:
    def read(text: str) -> Keyring:
        versions = {int(v): bytes.fromhex(h) for v, h in (part.split(":") for part in text.split(","))}
        return Keyring(versions, max(versions), index)

    index = _key(settings, "index_key", _32_bytes)
    return _key(settings, "data_keys", read)


def _key(settings: Settings, name: str, read: Callable[[str], T]) -> T:
    file, make = MADE[name]
    path = settings.home / "keys" / file
    given: SecretStr | None = getattr(settings, name)
    try:
        return read((given.get_secret_value() if given is not None else _kept(path, make)).strip())
    except (ValueError, TypeError, UnsupportedAlgorithm):
        where = env_name(name) if given is not None else str(path)
        raise BadKey(
            f"{where} 里的密钥格式不对,请从备份恢复;丢失数据密钥后,加密的手机号和证件号无法找回"
        ) from None


def _32_bytes(text: str) -> bytes:
    key = bytes.fromhex(text)
    if len(key) != 32:
        raise ValueError("32 bytes")
    return key


def _checked_pem(text: str) -> str:
    serialization.load_pem_private_key(text.encode(), None)
    return text


def _kept(path: Path, make: Callable[[], str]) -> str:
    """What the file holds, or what is made now; of two processes that start at once one writes."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        partial = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(make())
            file.flush()
            os.fsync(file.fileno())
        try:
            path.hardlink_to(partial)
        except FileExistsError:
            pass
        finally:
            partial.unlink()
    return path.read_text()


def _pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def _ec_pem() -> str:
    return _pem(ec.generate_private_key(ec.SECP256R1()))


def _rsa_pem() -> str:
    return _pem(rsa.generate_private_key(public_exponent=65537, key_size=2048))


MADE: Mapping[str, tuple[str, Callable[[], str]]] = {
    "token_key_pem": ("token.pem", _ec_pem),
    "data_keys": ("data-keys", lambda: f"1:{secrets.token_hex(16)}"),
    "index_key": ("index-key", lambda: secrets.token_hex(32)),
    "file_link_key": ("file-link-key", lambda: secrets.token_hex(32)),
    "alipay_app_key_pem": ("alipay-app.pem", _rsa_pem),
    "wechat_pay_key_pem": ("wechat-pay-merchant.pem", _rsa_pem),
    "vapid_key_pem": ("vapid.pem", _ec_pem),
}
"""The file of each key below `.linli/keys/`, and how it is made."""
