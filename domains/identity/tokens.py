"""Access tokens (访问令牌): ES256 by python-jose, 15 minutes; refresh tokens are random and opaque."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jose import jwk, jwt
from jose.exceptions import JOSEError

from domains.kernel import clock
from domains.kernel.errors import Invalid, Unauthenticated
from domains.kernel.slots import Slot

ALGORITHM = "ES256"
ISSUER = "linli"
LIFETIME = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Claims:
    """Who a token speaks for. It carries no authority: that is read from rows at every request."""

    account_id: UUID
    session_id: UUID


class TokenSigner:
    """Signs and opens access tokens with one P-256 key."""

    def __init__(self, private_pem: str) -> None:
        key = serialization.load_pem_private_key(private_pem.encode(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
            raise ValueError("the token key must be a P-256 private key")
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        # Given a text, the library would parse it for every token.
        self._private = jwk.construct(private_pem, ALGORITHM)
        self._public = jwk.construct(public.decode(), ALGORITHM)

    def sign(self, claims: Claims) -> str:
        """A token that is good for 15 minutes."""
        now = clock.now()
        body = {
            "iss": ISSUER,
            "sub": str(claims.account_id),
            "sid": str(claims.session_id),
            "iat": int(now.timestamp()),
            "exp": int((now + LIFETIME).timestamp()),
        }
        return str(jwt.encode(body, self._private, algorithm=ALGORITHM))

    def open(self, token: str) -> Claims:
        """The claims of a genuine token that has not expired; the algorithm is pinned, for
        without the list a token signed with the public key as an HMAC secret would pass."""
        try:
            body = jwt.decode(
                token,
                self._public,
                algorithms=[ALGORITHM],
                issuer=ISSUER,
                # To require `exp` would make the library check it, by another clock and with another error.
                options={"verify_exp": False, "require_sub": True, "require_iat": True},
            )
            if float(body["exp"]) <= clock.now().timestamp():
                raise Unauthenticated("TOKEN_EXPIRED", "登录已过期,请重新登录")
            return Claims(UUID(body["sub"]), UUID(body["sid"]))
        except (JOSEError, KeyError, ValueError, TypeError, AttributeError):
            raise Unauthenticated("TOKEN_INVALID", "登录凭证无效,请重新登录") from None

    def sign_for(self, audience: str, body: Mapping[str, str], lifetime: timedelta) -> str:
        """A token for another purpose; an access token names no audience, so that neither passes for the other."""
        expires_at = int((clock.now() + lifetime).timestamp())
        claims = {**body, "iss": ISSUER, "aud": audience, "exp": expires_at}
        return str(jwt.encode(claims, self._private, algorithm=ALGORITHM))

    def open_for(self, audience: str, token: str) -> Mapping[str, str]:
        """The body of a genuine token of that purpose; Invalid TOKEN_NOT_GENUINE, TOKEN_OUTDATED."""
        options = {"verify_exp": False, "require_aud": True}
        try:
            body: dict[str, Any] = jwt.decode(  # Any: claims as they were signed
                token, self._public, algorithms=[ALGORITHM], issuer=ISSUER, audience=audience, options=options
            )
            expires_at = float(body.pop("exp"))
        except (JOSEError, KeyError, ValueError, TypeError, AttributeError):
            raise Invalid("TOKEN_NOT_GENUINE", "二维码无效,请让对方重新打开") from None
        if expires_at <= clock.now().timestamp():
            raise Invalid("TOKEN_OUTDATED", "二维码已过期,请让对方刷新")
        return {name: str(value) for name, value in body.items()}


signer: Slot[TokenSigner] = Slot("token signer")


def new_refresh_token() -> tuple[str, bytes]:
    """A refresh token of 256 random bits and what is kept of it."""
    token = secrets.token_urlsafe(32)
    return token, refresh_hash(token)


def refresh_hash(token: str) -> bytes:
    """SHA-256: enough for a secret that is itself random."""
    return hashlib.sha256(token.encode()).digest()
