"""Keys of an installation: from the settings, or made once below `.linli/keys/` when embedded."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from api.settings import Settings
from domains.kernel.crypto import Keyring


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """Everything secret that the program itself needs."""

    token_pem: str
    keyring: Keyring
    file_link: bytes
    alipay_app_pem: str


def load_keys(settings: Settings) -> Keys:
    """The keys that are set; embedded, the missing ones are made and kept, readable by the owner only."""
    folder = settings.home / "keys"

    def key(setting: str, name: str, make: Callable[[], str]) -> str:
        given = getattr(settings, setting)
        return str(given.get_secret_value()) if given is not None else _kept(folder / name, make)

    data = key("data_keys", "data-keys", lambda: f"1:{secrets.token_hex(16)}")
    versions = {int(v): bytes.fromhex(h) for v, h in (part.split(":") for part in data.strip().split(","))}
    index = bytes.fromhex(key("index_key", "index-key", lambda: secrets.token_hex(32)))
    return Keys(
        token_pem=key("token_key_pem", "token.pem", _ec_pem),
        keyring=Keyring(versions, max(versions), index),
        file_link=bytes.fromhex(key("file_link_key", "file-link-key", lambda: secrets.token_hex(32))),
        alipay_app_pem=key("alipay_app_key_pem", "alipay-app.pem", _rsa_pem),
    )


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
