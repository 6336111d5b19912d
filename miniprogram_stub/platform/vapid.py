"""Voluntary application server identification (VAPID, RFC 8292) as the push service checks it."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

_PARAMETER: Final = re.compile(r"\s*([tk])=\"?([A-Za-z0-9_.=-]+)\"?\s*")
_LONGEST_LIFE: Final = 86400
_COORDINATE: Final = 32


class NotIdentifiedError(Exception):
    """No `vapid` credentials at all, or none that can be read."""


class ForbiddenError(Exception):
    """Credentials that do not hold for this subscription; the text says why."""


def from_base64url(text: str) -> bytes:
    """Without padding, as keys and JWTs are written; ValueError when it is something else."""
    if not re.fullmatch(r"[A-Za-z0-9_-]*=*", text):
        raise ValueError("not base64url")
    return base64.urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))


def to_base64url(content: bytes) -> str:
    """Without padding."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def usable_key(text: str) -> bytes:
    """An application server key as its uncompressed point; ValueError when it is none."""
    point = from_base64url(text)
    if len(point) != 1 + 2 * _COORDINATE:
        raise ValueError("not an uncompressed point")
    ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    return point


def require_identified(authorization: str, key: bytes, origin: str) -> None:
    """Raise NotIdentifiedError or ForbiddenError unless the owner of `key` signed this for the origin."""
    token, given_key = _credentials(authorization)
    if given_key != key:
        raise ForbiddenError("the key is not the subscription's")
    _require_current(_signed_claims(token, key), origin)


def _credentials(authorization: str) -> tuple[str, bytes]:
    scheme, _, rest = authorization.partition(" ")
    matches = [_PARAMETER.fullmatch(part) for part in rest.split(",")]
    given = {match[1]: match[2] for match in matches if match}
    if scheme.lower() != "vapid" or given.keys() != {"t", "k"}:
        raise NotIdentifiedError
    try:
        return given["t"], from_base64url(given["k"])
    except ValueError as error:
        raise NotIdentifiedError from error


# A sender reuses its token for hours: the signature is checked once, the claims each time.
@lru_cache(1024)
def _signed_claims(token: str, key: bytes) -> Mapping[str, object]:
    try:
        header, claims, signature = token.split(".")
        raw = from_base64url(signature)
        numbers = (int.from_bytes(raw[:_COORDINATE], "big"), int.from_bytes(raw[_COORDINATE:], "big"))
        if json.loads(from_base64url(header)).get("alg") != "ES256" or len(raw) != 2 * _COORDINATE:
            raise ForbiddenError("the token is not signed with ES256")
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), key).verify(
            encode_dss_signature(*numbers), f"{header}.{claims}".encode(), ec.ECDSA(hashes.SHA256())
        )
        found = json.loads(from_base64url(claims))
    except (ValueError, AttributeError, RecursionError, InvalidSignature) as error:
        raise ForbiddenError("the token's signature does not hold") from error
    if not isinstance(found, dict):
        raise ForbiddenError("the token claims nothing")
    return found


def _require_current(claims: Mapping[str, object], origin: str) -> None:
    expires_at, now = claims.get("exp"), time.time()
    if claims.get("aud") != origin:
        raise ForbiddenError(f"aud is not {origin}")
    if isinstance(expires_at, bool) or not isinstance(expires_at, int | float):
        raise ForbiddenError("exp is no instant")
    if not now < expires_at <= now + _LONGEST_LIFE:
        raise ForbiddenError("exp is past, or more than 24 hours ahead")
    if not str(claims.get("sub")).startswith(("mailto:", "https:")):
        raise ForbiddenError("sub is neither mailto: nor https:")
