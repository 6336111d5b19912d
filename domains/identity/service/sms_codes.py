"""Sign-in codes by SMS (短信验证码): 6 digits, 5 minutes, 5 tries, one live code per phone, used once."""

from __future__ import annotations

import hmac
import secrets
from datetime import timedelta

from domains.identity import contact
from domains.kernel import clock, database, sealing
from domains.kernel.ids import uuid7

LIFETIME = timedelta(minutes=5)
TRIES = 5
PURPOSE = "sms_code.code"

ISSUE = """
INSERT INTO sms_code (id, phone_index, code_hash, tries, sent_at, expires_at) VALUES ($1, $2, $3, 0, $4, $5)
ON CONFLICT (phone_index) DO UPDATE SET id = $1, code_hash = $3, tries = 0, sent_at = $4, expires_at = $5,
    used_at = NULL
"""

TRY = """
UPDATE sms_code SET tries = tries + 1
WHERE phone_index = $1 AND used_at IS NULL AND expires_at > $2 AND tries < $3
RETURNING id, code_hash
"""

SPEND = "UPDATE sms_code SET used_at = $2 WHERE id = $1"


async def issue(phone: str) -> str:
    """A new code for a normalised number; the one before is good no more. Only its HMAC is kept."""
    code, id, now = f"{secrets.randbelow(10**6):06d}", uuid7(), clock.now()
    digest = sealing.find(f"{id}:{code}", PURPOSE)
    await database.execute(ISSUE, id, contact.index(phone), digest, now, now + LIFETIME)
    return code


async def spend(phone: str, code: str) -> bool:
    """Whether this is the live code of the number; it is then used up, and otherwise a try is.
    Rivals wait for each other at the row, so that one code opens one session."""
    row = await database.fetchrow(TRY, contact.index(phone), clock.now(), TRIES)
    if row is None:
        return False
    if not hmac.compare_digest(bytes(row["code_hash"]), sealing.find(f"{row['id']}:{code}", PURPOSE)):
        return False
    await database.execute(SPEND, row["id"], clock.now())
    return True
