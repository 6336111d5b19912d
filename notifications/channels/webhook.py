"""Webhooks (系统对接): other companies' systems, called as the Standard Webhooks specification says.

What goes out are facts and ids: no words, nobody's account, and nothing that tells of a person: whoever
may register an endpoint need not be one who may read the register. The id stands for one notice to one
endpoint, over all retries, so that the receiver tells a repetition.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from datetime import datetime
from typing import ClassVar
from uuid import UUID

import orjson

from domains.kernel import clock
from domains.platforms.calling import PlatformFailure
from notifications.channels.answers import unanswered
from notifications.channels.outside import Answered, Outside, PrivateAddress
from notifications.channels.port import Aftermath, Outcome, Parcel, Refused, Sent, TryAgain
from notifications.channels.webpush import retry_after_s
from notifications.kinds import Channel

_PREFIX = "whsec_"
_SECRET_BYTES = 32


class WebhookSender:
    """Signed calls to the endpoints that a compound's staff registered."""

    channel: ClassVar[Channel] = Channel.WEBHOOK
    is_repeatable: ClassVar[bool] = True
    needs_consent: ClassVar[bool] = False

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    async def send(self, parcel: Parcel) -> Outcome:
        """As in Sender."""
        content = body(parcel)
        headers = signed(str(parcel.delivery_id), content, parcel.address.keys, clock.now())
        try:
            answer = await self._outside.post(parcel.address.to, headers, content)
        except PrivateAddress:
            return Refused("PRIVATE_ADDRESS")
        except PlatformFailure as failure:
            return unanswered(failure)
        return _outcome(answer)

    async def was_sent(self, parcel: Parcel, since: datetime) -> bool | None:
        """The receiver tells repetitions by their id."""
        return None


def new_secret() -> str:
    """A secret of 32 random bytes, as the specification writes it."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def body(parcel: Parcel) -> bytes:
    """The notice as JSON; things have the ids that the GraphQL API gives them."""
    return orjson.dumps(
        {
            "id": str(parcel.notice_id),
            "type": parcel.kind.name,
            "occurredAt": parcel.created_at.isoformat(),
            "compound": _global_id("Compound", parcel.compound_id) if parcel.compound_id else None,
            "urgency": parcel.urgency,
            "subject": _global_id(*parcel.subject) if parcel.subject else None,
            "data": {name: value for name, value in parcel.data.items() if name not in parcel.kind.personal},
        }
    )


def signed(id: str, content: bytes, secret: str, at: datetime) -> dict[str, str]:
    """The headers of a call at that instant. https://www.standardwebhooks.com"""
    stamp = str(int(at.timestamp()))
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    mac = hmac.digest(key, f"{id}.{stamp}.".encode() + content, hashlib.sha256)
    return {
        "Content-Type": "application/json",
        "User-Agent": "Linli-Webhooks/1",
        "webhook-id": id,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
    }


def _global_id(type_name: str, id: UUID) -> str:
    return base64.b64encode(f"{type_name}:{id}".encode()).decode()


def _outcome(answer: Answered) -> Outcome:
    code = f"HTTP_{answer.status}"
    if 200 <= answer.status < 300:
        return Sent()
    if answer.status == 410:
        return Refused(code, answer.said, Aftermath.DEAD_ADDRESS)
    if answer.status == 429 or answer.status >= 500:
        return TryAgain(code, answer.said, retry_after_s(answer))
    # A redirect too: what is wrong with an endpoint concerns whoever registered it, who sees it in the log.
    return Refused(code, answer.said)
