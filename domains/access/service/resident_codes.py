"""A resident's own code (住户码): five minutes, for one opening at each door, with nothing personal inside."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from domains.access import signing
from domains.access.community import rules_of
from domains.access.gate import cose, texts
from domains.access.gate.claims import CodeClaims
from domains.access.models import ResidentCode
from domains.access.rules import CODE_LIFE
from domains.identity.limits import limiter
from domains.kernel import clock, database
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.errors import Throttled
from domains.kernel.jobs import Result
from domains.kernel.rates import RateLimit, WhenDown

PER_ACCOUNT = RateLimit("resident-code", 60, 3600, 30, WhenDown.OPEN)
"""A phone that is shown makes one every few minutes; each is a row that is kept."""
KEPT = timedelta(days=30)
"""How late a gate without a network may tell of a code, and the record still names its holder."""

FORGET = """
DELETE FROM resident_code WHERE id IN (SELECT id FROM resident_code WHERE issued_at < $1 ORDER BY issued_at LIMIT $2)
"""


@dataclass(frozen=True, slots=True)
class IssuedCode:
    """What the phone shows, and until when it counts."""

    text: str
    expires_at: datetime


@command("resident_code.issue", caller="resident", audited=False)
async def issue_resident_code(actor: Actor, *, house_id: UUID) -> IssuedCode:
    """A new code of the caller for one of the houses that are the caller's now. Raises Throttled
    RESIDENT_CODE_TOO_OFTEN."""
    tie = next((tie for tie in actor.houses if tie.house_id == house_id), None)
    if tie is None:
        actor.refuse()
    concerns("House", house_id, tie.compound_id)
    verdict = await limiter().take(PER_ACCOUNT, str(actor.id))
    if not verdict.allowed:
        said = "住户码刷新太频繁,请继续使用刚才的码,或稍后再试"
        raise Throttled("RESIDENT_CODE_TOO_OFTEN", said, verdict.retry_after_s)
    now = clock.now().replace(microsecond=0)
    id, expires_at = UUID(bytes=secrets.token_bytes(16)), now + CODE_LIFE
    await ResidentCode.create(
        id=id, compound_id=tie.compound_id, house_id=house_id, account_id=actor.id, issued_at=now,
        expires_at=expires_at,
    )  # fmt: skip
    claims = CodeClaims(
        community=(await rules_of(tie.compound_id)).number, id=id.bytes, not_before=int(now.timestamp()),
        expires_at=int(expires_at.timestamp()),
    )  # fmt: skip
    signer = await signing.signer()
    message = cose.sign(claims.to_cbor(), kid=signer.kid, key=signer.key, context=cose.CODE)
    return IssuedCode(texts.still(message), expires_at)


async def forget_codes(_: object, batch: int = 5000) -> Result:
    """Forget whose codes were, once no gate tells of them any more."""
    total, before = 0, clock.now() - KEPT
    while count := await database.execute(FORGET, before, batch):
        total += count
    return {"forgotten": total}
