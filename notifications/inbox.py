"""The inbox (收件箱): an account's notices, the newest first, in the words of the reader's language.

Words are written when they are read: a template that was mended, or a language that was changed,
counts for what came before as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg
import orjson

from domains.kernel import clock, database
from domains.kernel.actor import Actor
from domains.kernel.command import command
from domains.kernel.errors import Invalid, NotFound
from notifications import kinds, viewer_events
from notifications.kinds import Language, registry

INBOX_READ = "inbox.read"
UNREAD_CAP = 1000
MOST_AT_ONCE = 100
MOST_KINDS = 20

_ROW = """n.id, n.kind, c.urgency, c.data::text AS data, c.subject_type, c.subject_id, c.compound_id,
    n.created_at, n.read_at"""

_BEFORE = """(n.created_at, n.id) < (coalesce($2::timestamptz, 'infinity'),
    coalesce($3::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))"""

_ALL = f"""
SELECT {_ROW} FROM notification n JOIN notice c ON c.id = n.notice_id
WHERE n.account_id = $1 AND {_BEFORE} %s
ORDER BY n.created_at DESC, n.id DESC LIMIT $4
"""  # noqa: S608  # put together from constants

# A page of each kind, of which the newest are the page: however rare a kind is, nothing else is read.
_OF_KINDS = f"""
SELECT {_ROW} FROM unnest($5::text[]) AS wanted (kind) CROSS JOIN LATERAL (
    SELECT * FROM notification n WHERE n.account_id = $1 AND n.kind = wanted.kind AND {_BEFORE} %s
    ORDER BY n.created_at DESC, n.id DESC LIMIT $4) AS n
JOIN notice c ON c.id = n.notice_id
ORDER BY n.created_at DESC, n.id DESC LIMIT $4
"""  # noqa: S608  # put together from constants

# Statements of their own: a condition that hangs on a parameter keeps the index of what is unread out of use.
_UNREAD = "AND n.read_at IS NULL"
PAGE, UNREAD_PAGE = _ALL % "", _ALL % _UNREAD
PAGE_OF_KINDS, UNREAD_PAGE_OF_KINDS = _OF_KINDS % "", _OF_KINDS % _UNREAD

_COUNT = "SELECT count(*) FROM notification n WHERE n.account_id = $1 AND ($2::text[] IS NULL OR n.kind = ANY($2)) "
COUNT, COUNT_UNREAD = _COUNT, _COUNT + _UNREAD

UNREAD = """
SELECT count(*) FROM (SELECT FROM notification WHERE account_id = $1 AND read_at IS NULL LIMIT $2) AS unread
"""

# What many listeners show of a change, read together.
CHANGES = f"""
SELECT (SELECT count(*) FROM (
        SELECT FROM notification u WHERE u.account_id = asked.account_id AND u.read_at IS NULL LIMIT $3) AS unread)
    AS unread_count, {_ROW}
FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS asked (account_id, id, number)
LEFT JOIN (notification n JOIN notice c ON c.id = n.notice_id)
    ON n.id = asked.id AND n.account_id = asked.account_id
ORDER BY asked.number
"""  # noqa: S608  # put together from constants

BY_ID = f"""
SELECT {_ROW} FROM notification n JOIN notice c ON c.id = n.notice_id
WHERE n.id = ANY($1::uuid[]) AND n.account_id = $2
"""  # noqa: S608  # put together from constants

PLACE = "SELECT created_at FROM notification WHERE id = $1 AND account_id = $2"

# Locked in one order, so that two who mark the same rows wait for each other and not in a circle.
_MARK = """
WITH mine AS (
    SELECT n.id FROM notification n WHERE n.account_id = $1 AND n.read_at IS NULL AND %s ORDER BY n.id FOR UPDATE)
UPDATE notification n SET read_at = $2 FROM mine WHERE n.id = mine.id RETURNING n.id, n.created_at
"""
MARK_SOME = _MARK % "n.id = ANY($3::uuid[])"
MARK_THROUGH = _MARK % "(n.created_at, n.id) <= ($3, $4)"


@dataclass(frozen=True, slots=True)
class Notification:
    """A notice in the caller's inbox, in words."""

    id: UUID
    kind: str
    label: str
    urgency: str
    title: str
    body: str
    link: str
    subject_type: str
    subject_id: UUID | None
    compound_id: UUID | None
    created_at: datetime
    read_at: datetime | None


@dataclass(frozen=True, slots=True)
class InboxFilter:
    """What the inbox is narrowed to; `kinds` are names, None means all."""

    unread_only: bool = False
    kinds: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Marked:
    """What a call marked as read: how many, the newest 100 of them, and how many are left."""

    count: int
    notifications: tuple[Notification, ...]
    unread_count: int


Asked = tuple[UUID, UUID | None, Language]


@dataclass(frozen=True, slots=True)
class Change:
    """The inbox after a change: unread notices, counted up to 1000, and the one it is about, if it is theirs."""

    unread_count: int
    notification: Notification | None


async def page(
    actor: Actor, wanted: InboxFilter, *, after: Sequence[object] | None, limit: int
) -> list[Notification]:
    """The caller's notices after (instant, id), the newest first. Invalid TOO_MANY_KINDS beyond 20."""
    place = tuple(after) if after else (None, None)
    if wanted.kinds is None:
        statement = UNREAD_PAGE if wanted.unread_only else PAGE
        return _read(actor, await database.fetch(statement, actor.id, *place, limit))
    if len(wanted.kinds) > MOST_KINDS:
        raise Invalid("TOO_MANY_KINDS", f"一次最多筛选 {MOST_KINDS} 种消息,请减少后重试", "kinds")
    statement = UNREAD_PAGE_OF_KINDS if wanted.unread_only else PAGE_OF_KINDS
    names = list(dict.fromkeys(wanted.kinds))
    return _read(actor, await database.fetch(statement, actor.id, *place, limit, names))


async def total(actor: Actor, wanted: InboxFilter) -> int:
    """How many notices there are under the filter."""
    names = None if wanted.kinds is None else list(wanted.kinds)
    return int(await database.fetchval(COUNT_UNREAD if wanted.unread_only else COUNT, actor.id, names))


async def unread_count(actor: Actor) -> int:
    """Unread notices (未读数) of the caller, counted up to 1000: what a badge shows as 999+."""
    return int(await database.fetchval(UNREAD, actor.id, UNREAD_CAP))


async def by_id(actor: Actor, ids: Sequence[UUID]) -> dict[UUID, Notification]:
    """Those of the ids that are in the caller's own inbox."""
    if actor.account_id is None or actor.confined:
        return {}
    rows = await database.fetch(BY_ID, list(ids), actor.account_id)
    return {each.id: each for each in _read(actor, rows)}


async def changes(asked: Sequence[Asked]) -> list[Change]:
    """What each of many (account, id of a notice or None, language) shows, in their order."""
    once = list(dict.fromkeys(asked))
    accounts, ids = [account_id for account_id, _, _ in once], [id for _, id, _ in once]
    rows = await database.fetch(CHANGES, accounts, ids, UNREAD_CAP)
    found = {
        each: Change(row["unread_count"], None if row["id"] is None else _in_words(row, each[2]))
        for each, row in zip(once, rows, strict=True)
    }
    return [found[each] for each in asked]


# Not audited: it is a person's own, and the rows say when it was read.
@command("inbox.mark_read", caller="account", audited=False)
async def mark_read(
    actor: Actor, *, ids: Sequence[UUID] | None = None, through: UUID | None = None
) -> Marked:
    """Mark these of the caller's notices as read, or with `through` that one and all that came before.

    What is read already stays as it is, what is not the caller's is passed over. Raises Invalid
    TOO_MANY_IDS beyond 100 ids, NotFound NOTIFICATION_NOT_FOUND for an unknown `through`.
    """
    rows = await _mark_through(actor, through) if through is not None else await _mark_some(actor, ids or ())
    if rows:
        await viewer_events.tell([actor.id], INBOX_READ)
    newest = sorted(rows, key=lambda row: (row["created_at"], row["id"]), reverse=True)[:MOST_AT_ONCE]
    found = await by_id(actor, [row["id"] for row in newest]) if newest else {}
    return Marked(len(rows), tuple(found[row["id"]] for row in newest), await unread_count(actor))


async def _mark_some(actor: Actor, ids: Sequence[UUID]) -> Sequence[asyncpg.Record]:
    if len(ids) > MOST_AT_ONCE:
        raise Invalid("TOO_MANY_IDS", f"一次最多标记 {MOST_AT_ONCE} 条消息,请分批操作", "notifications")
    return await database.fetch(MARK_SOME, actor.id, clock.now(), list(ids))


async def _mark_through(actor: Actor, through: UUID) -> Sequence[asyncpg.Record]:
    at = await database.fetchval(PLACE, through, actor.id)
    if at is None:
        raise NotFound("NOTIFICATION_NOT_FOUND", "没有找到这条消息,请刷新后重试", "through")
    return await database.fetch(MARK_THROUGH, actor.id, clock.now(), at, through)


def language_of(actor: Actor) -> Language:
    """The language a caller reads."""
    return "en" if actor.origin.language == "en" else "zh"


def _read(actor: Actor, rows: Sequence[asyncpg.Record]) -> list[Notification]:
    language = language_of(actor)
    return [_in_words(row, language) for row in rows]


def _in_words(row: asyncpg.Record, language: Language) -> Notification:
    kind = registry().find(row["kind"])
    words = kinds.write(kind, orjson.loads(row["data"]), language)
    label = kind.label.of(language) if kind else words.title
    return Notification(
        row["id"], row["kind"], label, row["urgency"], words.title, words.body, words.link, row["subject_type"],
        row["subject_id"], row["compound_id"], row["created_at"], row["read_at"],
    )  # fmt: skip
