"""Scheduled work of identity: what has no use any more is deleted, who is reached where is put right."""

from __future__ import annotations

from datetime import timedelta

from domains.identity import reaching
from domains.kernel import clock, database
from notifications import push_subscriptions

# A spent token that comes back after that long is unknown, and as good for nothing as before.
KEEP_SPENT_TOKENS = timedelta(days=30)
KEEP_CODES = timedelta(days=1)
# A run that was missed is made up for by a later one within that time.
LOOK_BACK = timedelta(days=30)

SPENT = "DELETE FROM refresh_token WHERE used_at < $1"
CODES = "DELETE FROM sms_code WHERE expires_at < $1"
# Also those that were ended: a browser may have been registered at that very moment.
OVER = "SELECT id FROM session WHERE coalesce(ended_at, expires_at) BETWEEN $1 AND $2"


async def purge(_: object) -> dict[str, object]:
    """Delete spent refresh tokens, old codes, and what browsers are pushed whose session is over; how
    many of each."""
    now = clock.now()
    over = [row["id"] for row in await database.fetch(OVER, now - LOOK_BACK, now)]
    return {
        "tokens": await database.execute(SPENT, now - KEEP_SPENT_TOKENS),
        "codes": await database.execute(CODES, now - KEEP_CODES),
        "devices": await push_subscriptions.end_sessions(over),
    }


async def write_contacts(_: object) -> dict[str, object]:
    """Tell notifications where every account is reached, where that is not what they know; how many were not.
    Accounts that are older than notifications come to be known by its first run."""
    return {"accounts": await reaching.write_all()}
