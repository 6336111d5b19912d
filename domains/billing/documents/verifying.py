"""Whether a paper is genuine (单据核验): for whoever holds it, without signing in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from domains.billing.documents import sql
from domains.identity.limits import limiter
from domains.kernel import database
from domains.kernel.actor import Actor
from domains.kernel.errors import NotFound, Throttled
from domains.kernel.rates import RateLimit, WhenDown, network_of

PER_ADDRESS = RateLimit("document-verify-address", 30, 60, 30, WhenDown.OPEN)
"""It spares the machine: a code of 128 bits needs no protection from guessing."""
_CODE = re.compile(r"[A-Z2-7]{26}")


@dataclass(frozen=True, slots=True)
class VerifiedDocument:
    """What is on the paper and nothing of the people on it. Of a receipt `is_taken_back` says that its payment was
    returned, all of it, and `refunded_fen` how much of it was refunded."""

    kind: str
    number: str
    compound_name: str
    amount_fen: int
    issued_on: date
    is_taken_back: bool
    refunded_fen: int


async def verify_document(actor: Actor, code: str) -> VerifiedDocument:
    """The paper of a code. Raises DOCUMENT_NOT_FOUND, Throttled VERIFICATION_TOO_OFTEN."""
    verdict = await limiter().take(PER_ADDRESS, network_of(actor.origin.ip))
    if not verdict.allowed:
        raise Throttled("VERIFICATION_TOO_OFTEN", "查询太频繁,请稍后再试", verdict.retry_after_s)
    row = await database.fetchrow(sql.VERIFY, code) if _CODE.fullmatch(code) else None
    if row is None:
        raise NotFound(
            "DOCUMENT_NOT_FOUND", "没有这份单据,请核对二维码或网址;如纸面内容可疑,请联系物业", "code"
        )
    return VerifiedDocument(**row)
