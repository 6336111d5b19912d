"""Scheduled work of identity: what has no use any more is deleted."""

from __future__ import annotations

from datetime import timedelta

from domains.kernel import clock, database

# A spent token that comes back after that long is unknown, and as good for nothing as before.
KEEP_SPENT_TOKENS = timedelta(days=30)
KEEP_CODES = timedelta(days=1)

SPENT = "DELETE FROM refresh_token WHERE used_at < $1"
CODES = "DELETE FROM sms_code WHERE expires_at < $1"


async def purge(_: object) -> dict[str, object]:
    """Delete spent refresh tokens and old codes; how many of each."""
    now = clock.now()
    return {
        "tokens": await database.execute(SPENT, now - KEEP_SPENT_TOKENS),
        "codes": await database.execute(CODES, now - KEEP_CODES),
    }
