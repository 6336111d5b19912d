"""What the merchant gets from each platform, and the keys the platforms keep to themselves."""

from __future__ import annotations

import base64
import json
import re
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from miniprogram_stub.platform.files import WatchedFile, write_private

_SERIAL: Final = re.compile("[0-9A-Fa-f]{16,40}")
_PUBLIC_PEM = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


@dataclass(frozen=True, slots=True)
class WeChatApp:
    """微信小程序: AppID and AppSecret."""

    appid: str
    secret: str


@dataclass(frozen=True, slots=True)
class AlipayApp:
    """支付宝小程序: app id, 支付宝公钥 as PEM, and the AES key of 接口内容加密 (base64 of 16 bytes).

    seller_id is the merchant's own number (商户 PID).
    """

    app_id: str
    alipay_public_key: str
    aes_key: str
    seller_id: str


@dataclass(frozen=True, slots=True)
class WeChatPayMerchant:
    """微信支付商户: its number, the APIv3 key of 32 bytes, and 微信支付公钥 as PEM with its id."""

    mchid: str
    apiv3_key: str
    public_key_id: str
    public_key: str


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
    wechatpay: WeChatPayMerchant


@dataclass(frozen=True, slots=True)
class MerchantKey:
    """商户 API 证书: its serial number and its key."""

    serial_no: str
    key: rsa.RSAPublicKey


class WeChatPayKeys:
    """WeChat Pay's own signing key, and the merchant's as it was last uploaded."""

    def __init__(self, home: Path) -> None:
        self.private = _own_key(home / "wechatpay_platform_key.pem")
        self._uploaded = WatchedFile(home / "wechatpay_merchant_key.json", _usable_merchant_key)

    def merchant_key(self) -> MerchantKey | None:
        """None until a usable key is there."""
        return self._uploaded.current()

    def upload_merchant_key(self, serial_no: str, text: str) -> None:
        """Take PEM or bare base64 and the serial number in hexadecimal; ValueError when it is neither."""
        if not _SERIAL.fullmatch(serial_no):
            raise ValueError("a serial number of 16 to 40 hexadecimal digits is required")
        pem = _public_key(text).public_bytes(*_PUBLIC_PEM).decode()
        write_private(self._uploaded.path, json.dumps({"serial_no": serial_no, "public_key": pem}))


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


def load_credentials(home: Path, alipay: AlipayKeys, wechatpay: WeChatPayKeys) -> Credentials:
    """Those of this home, made at the first start; what an earlier version did not give is added."""
    path = home / "credentials.json"
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    complete = {
        name: {**fresh, **kept.get(name, {})}
        for name, fresh in asdict(_new_credentials(alipay, wechatpay)).items()
    }
    if complete != kept:
        write_private(path, json.dumps(complete, ensure_ascii=False, indent=2))
    return Credentials(
        WeChatApp(**complete["wechat"]),
        AlipayApp(**complete["alipay"]),
        SmsAccount(**complete["sms"]),
        WeChatPayMerchant(**complete["wechatpay"]),
    )


def _new_credentials(alipay: AlipayKeys, wechatpay: WeChatPayKeys) -> Credentials:
    return Credentials(
        WeChatApp("wx" + secrets.token_hex(8), secrets.token_hex(16)),
        AlipayApp(
            f"2021{secrets.randbelow(10**12):012d}",
            _public_pem(alipay.private),
            base64.b64encode(secrets.token_bytes(16)).decode(),
            f"2088{secrets.randbelow(10**12):012d}",
        ),
        SmsAccount("LTAI5t" + secrets.token_hex(9), secrets.token_hex(15)),
        WeChatPayMerchant(
            f"16{secrets.randbelow(10**8):08d}",
            secrets.token_hex(16),
            f"PUB_KEY_ID_{secrets.randbelow(10**32):032d}",
            _public_pem(wechatpay.private),
        ),
    )


def _public_pem(key: rsa.RSAPrivateKey) -> str:
    return key.public_key().public_bytes(*_PUBLIC_PEM).decode()


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


def _usable_merchant_key(text: str) -> MerchantKey | None:
    try:
        kept = json.loads(text)
        return MerchantKey(str(kept["serial_no"]), _public_key(str(kept["public_key"])))
    except (ValueError, KeyError, TypeError):
        return None
