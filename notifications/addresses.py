"""Where people are reached (联系方式), as identity learns it: written in the transaction in which it does.

A person has one address per channel: the number, or who they are in a mini-program, that they proved last.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg

from domains.kernel import clock, database, sealing
from domains.kernel.crypto import DecryptionFailed
from domains.kernel.ids import uuid7
from notifications import viewer_events
from notifications.channels.port import Address
from notifications.kinds import Channel
from notifications.rules import NIGHT
from notifications.sealed import CONTACT_ADDRESS

INBOX_JOINED = "inbox.joined"

KNOW = """
INSERT INTO recipient (account_id, language, is_quiet_at_night, quiet_from, quiet_until, closed_at, updated_at)
SELECT account_id, language, true, $4, $5, CASE WHEN is_closed THEN $6::timestamptz END, $6
FROM unnest($1::uuid[], $2::text[], $3::boolean[]) AS known (account_id, language, is_closed) ORDER BY account_id
ON CONFLICT (account_id) DO UPDATE SET language = EXCLUDED.language, updated_at = $6,
    closed_at = CASE WHEN EXCLUDED.closed_at IS NULL THEN NULL ELSE coalesce(recipient.closed_at, $6) END
WHERE recipient.language <> EXCLUDED.language OR (recipient.closed_at IS NULL) <> (EXCLUDED.closed_at IS NULL)
"""

CLOSE = """
INSERT INTO recipient (account_id, language, is_quiet_at_night, quiet_from, quiet_until, closed_at, updated_at)
VALUES ($1, 'zh', true, $2, $3, $4, $4)
ON CONFLICT (account_id) DO UPDATE SET closed_at = $4, updated_at = $4 WHERE recipient.closed_at IS NULL
"""

CONTACTS = (
    "SELECT id, account_id, channel, app_id, address_sealed FROM contact WHERE account_id = ANY($1::uuid[])"
)

KEEP = """
INSERT INTO contact (id, account_id, channel, app_id, address_sealed, updated_at)
SELECT id, account_id, channel, app_id, sealed, $6
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::bytea[]) AS kept (id, account_id, channel, app_id, sealed)
ON CONFLICT (account_id, channel) DO UPDATE
    SET app_id = EXCLUDED.app_id, address_sealed = EXCLUDED.address_sealed, updated_at = $6
"""

# A consent was given by whom the platform knew under the address before.
VOID_CONSENTS = """
UPDATE message_consent c SET state = 'void', settled_at = $3
FROM unnest($1::uuid[], $2::text[]) AS replaced (account_id, channel)
WHERE c.account_id = replaced.account_id AND c.channel = replaced.channel AND c.state = 'free'
"""

FORGET = "DELETE FROM contact WHERE account_id = $1 AND channel = $2"

DROP = "DELETE FROM contact WHERE id = ANY($1::uuid[])"

UNREACH = """
WITH addresses AS (DELETE FROM contact WHERE account_id = $1)
DELETE FROM push_subscription WHERE account_id = $1
"""

# Whoever tells one of them something holds the row as well: it comes along with what was told before, and
# whoever comes later sees who is closed.
TURN = "SELECT FROM recipient WHERE account_id = ANY($1::uuid[]) ORDER BY account_id FOR UPDATE"

STANDING = """
SELECT account_id, language, closed_at IS NOT NULL AS is_closed FROM recipient WHERE account_id = ANY($1::uuid[])
"""

MOVE_CONTACTS = """
WITH moved AS (
    UPDATE contact c SET account_id = $1, updated_at = $3 WHERE account_id = $2
        AND NOT EXISTS (SELECT FROM contact k WHERE k.account_id = $1 AND k.channel = c.channel)
    RETURNING channel)
UPDATE message_consent SET account_id = $1 WHERE account_id = $2 AND channel IN (SELECT channel FROM moved)
"""

MOVE_WISHES = """
UPDATE notification_preference p SET account_id = $1 WHERE account_id = $2 AND NOT EXISTS (
    SELECT FROM notification_preference k WHERE k.account_id = $1 AND k.kind = p.kind AND k.channel = p.channel)
"""

# Locked in the order of those who mark them as read.
MOVE_INBOX = """
WITH theirs AS (SELECT id FROM notification WHERE account_id = $2 ORDER BY id FOR UPDATE)
UPDATE notification n SET account_id = $1 FROM theirs WHERE n.id = theirs.id AND NOT EXISTS (
    SELECT FROM notification k WHERE k.account_id = $1 AND k.notice_id = n.notice_id)
"""

# Of two digests that wait, the one that is kept tells of everything.
MERGE_DIGESTS = """
WITH merged AS (
    UPDATE delivery k SET created_at = least(k.created_at, d.created_at) FROM delivery d
    WHERE d.account_id = $2 AND d.is_digest AND d.state = 'pending'
        AND k.account_id = $1 AND k.kind = d.kind AND k.channel = d.channel
        AND k.target_id IS NOT DISTINCT FROM d.target_id AND k.is_digest AND k.state = 'pending'
    RETURNING d.id)
UPDATE delivery d SET state = 'suppressed', reason = 'ACCOUNTS_JOINED', settled_at = $3
FROM merged WHERE d.id = merged.id
"""

MOVE_DELIVERIES = """
UPDATE delivery d SET account_id = $1
WHERE account_id = $2 AND EXISTS (SELECT FROM notification n WHERE n.id = d.notification_id AND n.account_id = $1)
"""


@dataclass(frozen=True, slots=True)
class Reached:
    """How an account is to be reached: `addresses` are all that are right for a channel, the best one first.
    Who is closed is told nothing."""

    account_id: UUID
    language: str
    is_closed: bool = False
    addresses: Mapping[str, Sequence[Address]] = field(default_factory=dict)


async def know(account_id: UUID, language: str) -> None:
    """Tell an account things (接收人), in this language. Who was closed is open again, without an address."""
    await _know([Reached(account_id, language)])


async def keep(account_id: UUID, channel: Channel, address: str, app_id: str = "") -> None:
    """Reach an account by this channel at this address, instead of the one before: an open id with the
    mini-program's id, or a normalised phone number."""
    kept = await database.fetch(CONTACTS, [account_id])
    await _write(list(_missing(account_id, {channel: [Address(address, app_id)]}, kept)), kept)


async def forget(account_id: UUID, channel: Channel) -> bool:
    """Reach an account by this channel no more; whether there was an address."""
    return await database.execute(FORGET, account_id, channel) == 1


async def close(account_id: UUID) -> None:
    """Tell an account nothing any more: its addresses and its devices are forgotten, what it was told stays."""
    await database.execute(CLOSE, account_id, *NIGHT, clock.now())
    await database.execute(UNREACH, account_id)


async def join(kept: UUID, closed: UUID) -> None:
    """Give an account what another one of the same person has (账号合并), and close that one.

    Of two addresses of a channel, two wishes or two inbox rows of one notice, the kept account's own stays.
    Devices do not come along: they go with the sessions of the closed account, which end.
    """
    now = clock.now()
    await database.execute(TURN, [kept, closed])
    await database.execute(CLOSE, closed, *NIGHT, now)
    await database.execute(MOVE_CONTACTS, kept, closed, now)
    await database.execute(MOVE_WISHES, kept, closed)
    moved = await database.execute(MOVE_INBOX, kept, closed)
    await database.execute(MERGE_DIGESTS, kept, closed, now)
    await database.execute(MOVE_DELIVERIES, kept, closed)
    await database.execute(UNREACH, closed)
    if moved:
        await viewer_events.tell([kept], INBOX_JOINED)


async def wrong(wanted: Sequence[Reached]) -> list[UUID]:
    """Those of these accounts whose rows are not what they should be."""
    ids = [each.account_id for each in wanted]
    standing = {tuple(row.values()) for row in await database.fetch(STANDING, ids)}
    unknown = {p.account_id for p in wanted if (p.account_id, p.language, p.is_closed) not in standing}
    missing, unwanted = _differences(wanted, await database.fetch(CONTACTS, ids))
    return sorted(unknown | {id for id, _, _ in missing} | {row["account_id"] for row in unwanted})


async def correct(wanted: Sequence[Reached]) -> None:
    """Make the rows of these accounts what they should be, in the open transaction. An address that is right
    stays, also where it is not the best."""
    await _know(wanted)
    kept = await database.fetch(CONTACTS, [each.account_id for each in wanted])
    missing, unwanted = _differences(wanted, kept)
    await _write(missing, kept)
    await database.execute(DROP, [row["id"] for row in unwanted])


_New = tuple[UUID, str, Address]


def _differences(
    wanted: Sequence[Reached], kept: Sequence[asyncpg.Record]
) -> tuple[list[_New], list[asyncpg.Record]]:
    """The addresses to write, and the rows to drop."""
    right = {each.account_id: {} if each.is_closed else each.addresses for each in wanted}
    by_account: defaultdict[UUID, list[asyncpg.Record]] = defaultdict(list)
    for row in kept:
        by_account[row["account_id"]].append(row)
    missing = [new for id, addresses in right.items() for new in _missing(id, addresses, by_account[id])]
    return missing, [row for row in kept if row["channel"] not in right[row["account_id"]]]


async def _know(people: Sequence[Reached]) -> None:
    if not people:
        return
    ids, languages, closed = zip(*((p.account_id, p.language, p.is_closed) for p in people), strict=True)
    await database.execute(KNOW, ids, languages, closed, *NIGHT, clock.now())


def _missing(
    account_id: UUID, addresses: Mapping[str, Sequence[Address]], kept: Sequence[asyncpg.Record]
) -> Iterator[_New]:
    """The addresses to write: of a channel that has none, or none that is right."""
    for channel, right in addresses.items():
        if not any(row["channel"] == channel and _address(row) in right for row in kept):
            yield account_id, channel, right[0]


def _address(row: asyncpg.Record) -> Address | None:
    """None for what no key opens any more: it is written anew."""
    try:
        return Address(sealing.unseal(row["address_sealed"], CONTACT_ADDRESS), row["app_id"])
    except DecryptionFailed:
        return None


async def _write(new: Sequence[_New], kept: Sequence[asyncpg.Record]) -> None:
    if not new:
        return
    had = {(row["account_id"], row["channel"]) for row in kept}
    replaced = [(account, channel) for account, channel, _ in new if (account, channel) in had]
    sealed = [sealing.seal(address.to, CONTACT_ADDRESS) for _, _, address in new]
    accounts, channels, addresses = zip(*new, strict=True)
    await database.execute(
        KEEP, [uuid7() for _ in new], accounts, channels, [each.app_id for each in addresses], sealed, clock.now()
    )  # fmt: skip
    if replaced:
        await database.execute(VOID_CONSENTS, *zip(*replaced, strict=True), clock.now())
