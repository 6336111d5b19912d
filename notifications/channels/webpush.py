"""Web Push (浏览器推送): RFC 8030 with the encryption of RFC 8291 and the identification of RFC 8292."""

from __future__ import annotations

import base64
import math
from bisect import bisect
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import ClassVar

import http_ece  # type: ignore[import-untyped]  # the library has no types
import httpx
import orjson
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from jose import jwt

from domains.kernel import clock
from domains.platforms.calling import PlatformFailure
from notifications.channels.answers import unanswered
from notifications.channels.outside import Answered, Outside, PrivateAddress
from notifications.channels.port import Aftermath, Outcome, Parcel, Refused, Sent, TryAgain
from notifications.kinds import Channel, Urgency

PAYLOAD_MAX = 3993
"""Bytes before encryption: what fits into the 4096 that every push service takes."""
_TOKEN_LIFE, _TOKEN_MARGIN = timedelta(hours=12), timedelta(hours=1)
_MOST_ORIGINS = 256
_URGENCIES = {Urgency.LOW: "low", Urgency.NORMAL: "normal", Urgency.HIGH: "high", Urgency.URGENT: "high"}
_TAKEN, _GONE, _REFUSED = (200, 201, 202, 204), (404, 410), (400, 401, 403, 413)
_SLOWER = (406, 429)  # Windows' service says 406 where others say 429


class Vapid:
    """Who sends (自愿应用服务器标识). The key is a P-256 private key in PEM, the subject where the operator
    is reached: mailto: or https:."""

    def __init__(self, pem: str, subject: str) -> None:
        self._pem, self._subject = pem, subject
        key = load_pem_private_key(pem.encode(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ValueError("the VAPID key must be a P-256 private key")
        point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.public_key = base64.urlsafe_b64encode(point).rstrip(b"=").decode()
        self._tokens: dict[str, tuple[str, datetime]] = {}

    def authorization(self, origin: str) -> str:
        """The Authorization header for a push service; its token serves until shortly before its end."""
        now = clock.now()
        token, ends_at = self._tokens.get(origin, ("", now))
        if ends_at - now < _TOKEN_MARGIN:
            token, ends_at = self._signed(origin, now + _TOKEN_LIFE), now + _TOKEN_LIFE
            # Origins are typed by people: they must not fill the memory.
            if len(self._tokens) >= _MOST_ORIGINS:
                self._tokens.clear()
            self._tokens[origin] = (token, ends_at)
        return f"vapid t={token}, k={self.public_key}"

    def _signed(self, origin: str, ends_at: datetime) -> str:
        claims = {"aud": origin, "exp": int(ends_at.timestamp()), "sub": self._subject}
        return str(jwt.encode(claims, self._pem, algorithm="ES256"))


class WebPushSender:
    """Messages to browsers. One of the same notice replaces the one before, at the service by its topic
    and on the screen by its tag."""

    channel: ClassVar[Channel] = Channel.WEB_PUSH
    is_repeatable: ClassVar[bool] = True
    needs_consent: ClassVar[bool] = False

    def __init__(self, outside: Outside, vapid: Vapid) -> None:
        self._outside, self._vapid = outside, vapid

    async def send(self, parcel: Parcel) -> Outcome:
        """As in Sender."""
        try:
            body = _encrypted(payload(parcel), parcel.address.keys)
        except (ValueError, KeyError, TypeError, http_ece.ECEException):
            return Refused("BAD_KEYS", aftermath=Aftermath.DEAD_ADDRESS)
        try:
            answer = await self._outside.post(parcel.address.to, self._headers(parcel), body)
        except PrivateAddress:
            return Refused("PRIVATE_ADDRESS", aftermath=Aftermath.DEAD_ADDRESS)
        except PlatformFailure as failure:
            return unanswered(failure)
        return _outcome(answer)

    async def was_sent(self, parcel: Parcel, since: datetime) -> bool | None:
        """A push service cannot be asked."""
        return None

    def _headers(self, parcel: Parcel) -> dict[str, str]:
        url = httpx.URL(parcel.address.to)
        return {
            "Authorization": self._vapid.authorization(f"{url.scheme}://{url.netloc.decode('ascii')}"),
            "Content-Type": "application/octet-stream",
            "Content-Encoding": "aes128gcm",
            "TTL": str(max(0, math.floor((parcel.expires_at - clock.now()).total_seconds()))),
            "Urgency": _URGENCIES[parcel.urgency],
            "Topic": parcel.notice_id.hex,
        }


def payload(parcel: Parcel) -> bytes:
    """What the page's service worker is given, as JSON; the body gives way where all of it is too long."""
    body = parcel.written.body
    whole = _packed(parcel, body)
    if len(whole) <= PAYLOAD_MAX:
        return whole
    # A character is one to six bytes here: how many fit is found by trying.
    fitting = bisect(range(len(body)), PAYLOAD_MAX, key=lambda most: len(_packed(parcel, body[:most] + "…")))
    return _packed(parcel, body[: fitting - 1] + "…" if fitting else "")


def _packed(parcel: Parcel, body: str) -> bytes:
    written, tag = parcel.written, parcel.notice_id.hex
    return orjson.dumps(
        {"title": written.title, "body": body, "link": written.link, "tag": tag, "kind": parcel.kind.name}
    )


def retry_after_s(answer: Answered) -> float | None:
    """Seconds of a Retry-After header, given as such or as a date; None without one that can be read."""
    given = answer.headers.get("retry-after", "").strip()
    if given.isascii() and given.isdigit():
        return float(given[:9])
    try:
        return max(0.0, (parsedate_to_datetime(given) - clock.now()).total_seconds())
    except (ValueError, TypeError):
        return None


def _encrypted(content: bytes, keys: str) -> bytes:
    given = orjson.loads(keys)
    body: bytes = http_ece.encrypt(
        content, private_key=ec.generate_private_key(ec.SECP256R1()), dh=_bytes(given["p256dh"]),
        auth_secret=_bytes(given["auth"]), version="aes128gcm",
    )  # fmt: skip
    return body


def _bytes(base64url: str) -> bytes:
    return base64.urlsafe_b64decode(base64url + "=" * (-len(base64url) % 4))


def _outcome(answer: Answered) -> Outcome:
    code = f"HTTP_{answer.status}"
    if answer.status in _TAKEN:
        return Sent(answer.headers.get("location", ""))
    if answer.status in _GONE:
        return Refused(code, answer.said, Aftermath.DEAD_ADDRESS)
    if answer.status in _SLOWER or answer.status >= 500:
        return TryAgain(code, answer.said, retry_after_s(answer))
    ours = answer.status in _REFUSED
    return Refused(code, answer.said, Aftermath.OUR_FAULT if ours else Aftermath.NOTHING)
