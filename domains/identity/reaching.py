"""How accounts are to be reached (触达方式), as their own rows say: what notifications are told, and what is
put right where they were not."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import asyncpg
import orjson
import structlog

from domains.identity import contact
from domains.kernel import database
from domains.kernel.crypto import DecryptionFailed
from notifications import addresses
from notifications.addresses import Reached
from notifications.channels.port import Address
from notifications.kinds import Channel

BATCH = 500

log = structlog.get_logger(__name__)

# Of two identities of a platform the newer one is the better.
STANDING = """
SELECT a.id, a.language, a.disabled_at IS NOT NULL AS is_closed, a.phone_sealed,
    (SELECT jsonb_agg(jsonb_build_array(i.platform, i.open_id, i.app_id) ORDER BY i.created_at DESC, i.id DESC)::text
     FROM platform_identity i WHERE i.account_id = a.id) AS identities
FROM account a
"""

PAGE = f"{STANDING} WHERE $1::uuid IS NULL OR a.id > $1 ORDER BY a.id LIMIT $2"

# An account that somebody is writing is left to them. The rows are read after they are taken: one read
# together with the lock could be the one before.
TAKE = "SELECT id FROM account WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE SKIP LOCKED"

TAKEN = f"{STANDING} WHERE a.id = ANY($1::uuid[])"


async def write_all() -> int:
    """Go through all accounts in batches and put right what notifications do not know, or know wrongly; how
    many accounts that were."""
    corrected, after = 0, None
    while page := await database.fetch(PAGE, after, BATCH):
        if wrong := await addresses.wrong(_reached(page)):
            corrected += await _correct(wrong)
        after = page[-1]["id"]
    return corrected


async def _correct(account_ids: Sequence[UUID]) -> int:
    async with database.transaction():
        taken = [row["id"] for row in await database.fetch(TAKE, account_ids)]
        wanted = _reached(await database.fetch(TAKEN, taken))
        await addresses.correct(wanted)
    return len(wanted)


def _reached(rows: Sequence[asyncpg.Record]) -> list[Reached]:
    return [
        Reached(row["id"], row["language"], row["is_closed"], found)
        for row in rows
        if (found := _addresses(row)) is not None
    ]


def _addresses(row: asyncpg.Record) -> dict[str, list[Address]] | None:
    """None for an account whose number no key opens: one damaged row must not keep all others waiting."""
    found: dict[str, list[Address]] = {}
    for platform, open_id, app_id in orjson.loads(row["identities"] or "[]"):
        found.setdefault(platform, []).append(Address(open_id, app_id))
    try:
        number = contact.unseal(row["phone_sealed"])
    except DecryptionFailed as error:
        log.error("contacts.unreadable", account=str(row["id"]), kind=type(error).__name__)
        return None
    return found if number is None else {**found, Channel.SMS: [Address(number)]}
