"""A browser's subscription, and an application server that pushes to it with the usual libraries."""

from __future__ import annotations

import base64
import json
import secrets
import time
from dataclasses import dataclass, field
from importlib import import_module

import httpx
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.unit.stand_ins.stand import Json, Stand

http_ece = import_module("http_ece")  # it has no types, and an import by name would have to say so


def base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def unbase64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def point(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


@dataclass
class Pusher:
    """An application server with its key, and one subscriber of its own."""

    stand: Stand
    person: str
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    subscription: Json = field(default_factory=dict)

    def __post_init__(self) -> None:
        key = base64url(point(self.key))
        self.subscription = self.stand.open("push/subscriptions", person=self.person, vapid_public_key=key)

    @property
    def token(self) -> str:
        return str(self.subscription["endpoint"]).rpartition("/")[2]

    @property
    def origin(self) -> str:
        return str(self.stand.http.base_url).rstrip("/")

    def encrypted(self, content: bytes, **more: object) -> bytes:
        keys = self.subscription["keys"]
        body: bytes = http_ece.encrypt(
            content,
            private_key=ec.generate_private_key(ec.SECP256R1()),
            dh=unbase64url(keys["p256dh"]),
            auth_secret=unbase64url(keys["auth"]),
            version="aes128gcm",
            **more,
        )
        return body

    def jwt(
        self, signer: ec.EllipticCurvePrivateKey | None = None, alg: str = "ES256", **changed: object
    ) -> str:
        """A change to None leaves the claim out."""
        claims = {
            "aud": self.origin,
            "exp": int(time.time()) + 3600,
            "sub": "mailto:it@example.com",
            **changed,
        }
        claims = {name: claim for name, claim in claims.items() if claim is not None}
        parts = ({"typ": "JWT", "alg": alg}, claims)
        text = ".".join(base64url(json.dumps(part).encode()) for part in parts)
        numbers = decode_dss_signature((signer or self.key).sign(text.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{text}.{base64url(b''.join(number.to_bytes(32, 'big') for number in numbers))}"

    def authorization(self, **changed: object) -> str:
        return f"vapid t={self.jwt(**changed)}, k={base64url(point(self.key))}"  # type: ignore[arg-type]  # claims of any kind

    def push(
        self, content: bytes = b"hello", body: bytes | None = None, **headers: str | None
    ) -> httpx.Response:
        """Headers by their names in Python; None leaves one out."""
        given = {
            "ttl": "60",
            "content-encoding": "aes128gcm",
            "authorization": self.authorization(),
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        sent = {name: value for name, value in given.items() if value is not None}
        body = self.encrypted(content) if body is None else body
        return self.stand.http.post(f"/push/{self.token}", headers=sent, content=body)

    def texts(self) -> list[str]:
        return [str(message["text"]) for message in self.stand.messages(person=self.person)]


def someone(stand: Stand) -> Pusher:
    return Pusher(stand, "浏览器" + secrets.token_hex(4))
