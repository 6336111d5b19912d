"""Signed requests of devices (设备请求签名): HTTP Message Signatures (RFC 9421) over a Content-Digest (RFC 9530).

One form counts and every other is refused, so that nobody has to reason about what else a general
reader of such fields would let through: one signature, named `sig1`, over method, path, query and
digest in this order, by Ed25519, with `created`, `keyid`, `nonce` and `alg` once each.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from domains.kernel.errors import Unauthenticated

WINDOW = timedelta(seconds=300)
"""How far the time at which a device signed may be from ours, before and after."""

_COVERED = b'("@method" "@path" "@query" "content-digest")'
_INPUT = re.compile(rb"sig1=(" + re.escape(_COVERED) + rb'((?:;[a-z]{1,10}=[\w"-]{1,70}){4}))')
_PARAMETERS = {
    b"created": re.compile(rb"([0-9]{1,10})"),
    b"keyid": re.compile(rb'"([0-9a-f]{16})"'),
    b"nonce": re.compile(rb'"([A-Za-z0-9_-]{16,64})"'),
    b"alg": re.compile(rb'"(ed25519)"'),
}
# The last letter before the padding has no spare bits set: one signature has one spelling.
_SIGNATURE = re.compile(rb"sig1=:([A-Za-z0-9+/]{85}[AQgw]==):")
_DIGEST = re.compile(rb"sha-256=:[A-Za-z0-9+/]{43}=:")
_METHOD = re.compile(r"[A-Z]{1,20}")
_VISIBLE = re.compile(rb"[!-~]*")


class SignatureRefused(Unauthenticated):
    """The request is not, or not provably, the device's own; `code` says why."""


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A device's key in use (设备密钥) and whose it is; `public_key` is the raw 32 bytes of Ed25519."""

    device_id: UUID
    compound_id: UUID
    public_key: bytes


@dataclass(frozen=True, slots=True)
class Signed:
    """What a signature proves: which key signed, when by the device's own clock, under which nonce."""

    keyid: str
    created: datetime
    nonce: str


@dataclass(frozen=True, slots=True)
class Claim:
    """What a request says of itself; nothing of it is proven before `proven_by` has returned."""

    signed: Signed
    digest: bytes
    base: bytes = field(repr=False)
    signature: bytes = field(repr=False)

    @property
    def keyid(self) -> str:
        """The key to look up."""
        return self.signed.keyid

    def check_body(self, body: bytes) -> None:
        """SignatureRefused DIGEST_WRONG where the digest that was signed is another body's."""
        if not hmac.compare_digest(content_digest(body), self.digest):
            raise SignatureRefused("DIGEST_WRONG", "请求内容与 Content-Digest 不符,请重新计算后再发送")

    def proven_by(self, public_key: bytes, now: datetime) -> Signed:
        """Verify, once. SignatureRefused SIGNATURE_WRONG, or SIGNATURE_STALE where it was signed outside of
        the window around `now`: only of a signature that is right does it say that the clock is wrong."""
        try:
            Ed25519PublicKey.from_public_bytes(public_key).verify(self.signature, self.base)
        except InvalidSignature:
            raise SignatureRefused("SIGNATURE_WRONG", "签名不正确,请检查设备密钥与签名内容") from None
        if abs(now - self.signed.created) > WINDOW:
            raise SignatureRefused(
                "SIGNATURE_STALE", "签名时间与服务器相差超过 5 分钟,请按响应头 Date 校准时钟后重新签名"
            )
        return self.signed


def content_digest(body: bytes) -> bytes:
    """The value of Content-Digest for these bytes, also for none."""
    return b"sha-256=:" + base64.b64encode(hashlib.sha256(body).digest()) + b":"


def claim_of(method: str, path: bytes, query: bytes, headers: Sequence[tuple[bytes, bytes]]) -> Claim:
    """What the request claims. `path` and `query` are as they were sent, before any decoding (RFC 9421,
    2.2.6 and 2.2.7). SignatureRefused SIGNATURE_MISSING or SIGNATURE_MALFORMED."""
    digest, stated, signature = (
        _only(headers, name) for name in (b"content-digest", b"signature-input", b"signature")
    )
    claimed, proof = _INPUT.fullmatch(stated), _SIGNATURE.fullmatch(signature)
    # A line break in one of these would let one component pass for another.
    clean = _METHOD.fullmatch(method) and _VISIBLE.fullmatch(path) and _VISIBLE.fullmatch(query)
    if not (claimed and proof and clean and _DIGEST.fullmatch(digest)):
        raise _malformed()
    return Claim(
        _signed(claimed[2]),
        digest,
        base=signature_base(method, path, query, digest, claimed[1]),
        signature=base64.b64decode(proof[1]),
    )


def signature_base(method: str, path: bytes, query: bytes, digest: bytes, parameters: bytes) -> bytes:
    """The bytes that are signed (RFC 9421, 2.5); `parameters` is the value of `sig1` in Signature-Input."""
    lines = (
        (b'"@method"', method.encode()),
        (b'"@path"', path or b"/"),
        (b'"@query"', b"?" + query),
        (b'"content-digest"', digest),
        (b'"@signature-params"', parameters),
    )
    return b"\n".join(b"%b: %b" % line for line in lines)


def _only(headers: Sequence[tuple[bytes, bytes]], name: bytes) -> bytes:
    values = [value for key, value in headers if key.lower() == name]
    if not values:
        message = "请求没有签名,请带上 Content-Digest、Signature-Input 和 Signature 请求头"
        raise SignatureRefused("SIGNATURE_MISSING", message)
    if len(values) > 1:
        raise _malformed()
    return values[0]


def _signed(parameters: bytes) -> Signed:
    # The order in which they come is the signer's choice, and is signed as it came.
    given = dict(each.split(b"=", 1) for each in parameters.split(b";")[1:])
    found = {
        name: match[1].decode()
        for name, form in _PARAMETERS.items()
        if (match := form.fullmatch(given.get(name, b"")))
    }
    if len(found) < len(_PARAMETERS):
        raise _malformed()
    return Signed(found[b"keyid"], datetime.fromtimestamp(int(found[b"created"]), UTC), found[b"nonce"])


def _malformed() -> SignatureRefused:
    return SignatureRefused("SIGNATURE_MALFORMED", "签名的格式不正确,请按设备接口文档的固定格式签名")
