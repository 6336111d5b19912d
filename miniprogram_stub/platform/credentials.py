"""What the merchant gets from each platform, and the keys the platforms keep to themselves."""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from miniprogram_stub.platform.files import WatchedFile, write_private

_PUBLIC_PEM = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


@dataclass(frozen=True, slots=True)
class WeChatApp:
    """微信小程序: AppID and AppSecret."""

    appid: str
    secret: str


@dataclass(frozen=True, slots=True)
class AlipayApp:
    """支付宝小程序: app id, 支付宝公钥 as PEM, and the AES key of 接口内容加密 (base64 of 16 bytes)."""

    app_id: str
    alipay_public_key: str
    aes_key: str


@dataclass(frozen=True, slots=True)
class SmsAccount:
    """短信服务: AccessKey."""

    access_key_id: str
    access_key_secret: str


@dataclass(frozen=True, slots=True)
class Credentials:
    """All of them, as credentials.json holds them."""

    wechat: WeChatApp
    alipay: AlipayApp
    sms: SmsAccount


class AlipayKeys:
    """Alipay's own signing key, and the app's public key as the merchant last uploaded it (应用公钥)."""

    def __init__(self, home: Path) -> None:
        self.private = _own_key(home / "alipay_platform_key.pem")
        self._uploaded = WatchedFile(home / "alipay_app_public_key.pem", _usable_key)

    def app_key(self) -> rsa.RSAPublicKey | None:
        """None until a usable key is there."""
        return self._uploaded.current()

    def upload_app_key(self, text: str) -> None:
        """Take PEM, or the bare base64 the open platform's console shows; ValueError when it is neither."""
        pem = _public_key(text).public_bytes(*_PUBLIC_PEM).decode()
        write_private(self._uploaded.path, pem)


def load_credentials(home: Path, keys: AlipayKeys) -> Credentials:
    """Those of this home, made at the first start."""
    path = home / "credentials.json"
    if not path.exists():
        write_private(path, json.dumps(asdict(_new_credentials(keys)), ensure_ascii=False, indent=2))
    kept = json.loads(path.read_text(encoding="utf-8"))
    return Credentials(WeChatApp(**kept["wechat"]), AlipayApp(**kept["alipay"]), SmsAccount(**kept["sms"]))


def _new_credentials(keys: AlipayKeys) -> Credentials:
    public_key = keys.private.public_key().public_bytes(*_PUBLIC_PEM).decode()
    return Credentials(
        WeChatApp("wx" + secrets.token_hex(8), secrets.token_hex(16)),
        AlipayApp(
            f"2021{secrets.randbelow(10**12):012d}",
            public_key,
            base64.b64encode(secrets.token_bytes(16)).decode(),
        ),
        SmsAccount("LTAI5t" + secrets.token_hex(9), secrets.token_hex(15)),
    )


def _own_key(path: Path) -> rsa.RSAPrivateKey:
    if not path.exists():
        fresh = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        encoded = fresh.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        write_private(path, encoded.decode())
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise SystemExit(f"{path} 不是 RSA 私钥，请删除该文件后重新启动。")
    return key


def _public_key(text: str) -> rsa.RSAPublicKey:
    if text.lstrip().startswith("-----BEGIN"):
        key = serialization.load_pem_public_key(text.encode())
    else:
        key = serialization.load_der_public_key(base64.b64decode("".join(text.split()), validate=True))
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size < 2048:
        raise ValueError("an RSA key of at least 2048 bits is required")
    return key


def _usable_key(text: str) -> rsa.RSAPublicKey | None:
    try:
        return _public_key(text)
    except ValueError:
        return None
