"""Idempotency keys (幂等键): one command, one effect, one answer, for good.

Unique on (actor, operation, key) with the hash of the body. A second call waits for the first
one's transaction and then gives its answer; another body under the same key is a conflict.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson

from domains.kernel import database
from domains.kernel.errors import Conflict
from domains.kernel.ids import uuid7

CLAIM = """
INSERT INTO idempotency_record (id, actor_id, operation, key, body_hash, state, created_at)
VALUES ($1, $2, $3, $4, $5, 'in_progress', now())
ON CONFLICT (actor_id, operation, key) DO NOTHING RETURNING id
"""

# The turn is had before anything else of the transaction is read.
CLAIM_IN_TURN = """
INSERT INTO idempotency_record (id, actor_id, operation, key, body_hash, state, created_at)
SELECT $1::uuid, $2::uuid, $3::text, $4::uuid, $5::bytea, 'in_progress', now()
FROM (SELECT pg_advisory_xact_lock(hashtextextended($3::text || ':' || $2::uuid::text, 0))) AS turn
ON CONFLICT (actor_id, operation, key) DO NOTHING RETURNING id
"""

FIND = """
SELECT body_hash, state, answer::text AS answer FROM idempotency_record WHERE actor_id = $1 AND operation = $2 AND key = $3
"""

# A command that is one statement ends with this as a part of it.
KEEP = """
UPDATE idempotency_record SET state = 'done', answer = {answer}, done_at = now() {source}
WHERE actor_id = {actor} AND operation = {operation} AND key = {key} AND state = 'in_progress'"""

COMPLETE = KEEP.format(answer="$4::jsonb", source="", actor="$1", operation="$2", key="$3")


def body_hash(arguments: Mapping[str, object]) -> bytes:
    """SHA-256 over the arguments in canonical JSON: keys and sets sorted. TypeError for what has no
    text that is the same in every process, such as an open file."""
    options = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS
    return hashlib.sha256(orjson.dumps(arguments, option=options, default=_canonical)).digest()


def _canonical(value: object) -> object:
    if isinstance(value, Decimal | UUID):  # an id of the driver's is of a class of its own
        return str(value)
    if isinstance(value, set | frozenset):
        return sorted(orjson.dumps(each, default=_canonical).decode() for each in value)
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    raise TypeError(type(value).__name__)


@dataclass(frozen=True, slots=True)
class Claim:
    """Whether the key is this call's (`fresh`), else the answer that was given."""

    fresh: bool
    answer: Any = None  # Any: JSON of the command's result


async def claim(actor_id: UUID, operation: str, key: UUID, digest: bytes, *, by_turns: bool = False) -> Claim:
    """Take the key or learn the answer. Inside the command's transaction a rival waits here until
    that transaction ends; a command in several transactions commits the claim first, and a rival
    meets `IN_PROGRESS` meanwhile. `by_turns` makes a rival of every claim of the same actor and
    operation, whatever its key."""
    statement = CLAIM_IN_TURN if by_turns else CLAIM
    if await database.fetchval(statement, uuid7(), actor_id, operation, key, digest) is not None:
        return Claim(fresh=True)
    row = await database.fetchrow(FIND, actor_id, operation, key)
    assert row is not None, "records are never deleted"
    if bytes(row["body_hash"]) != digest:
        raise Conflict("IDEMPOTENCY_CONFLICT", "这次提交与之前不同,请刷新页面后重新操作", "idempotencyKey")
    if row["state"] != "done":
        raise Conflict("IN_PROGRESS", "正在处理,请稍候查看结果")
    return Claim(fresh=False, answer=orjson.loads(row["answer"]))


async def complete(actor_id: UUID, operation: str, key: UUID, answer: object) -> None:
    """Keep the answer."""
    text = orjson.dumps(answer, default=str).decode()
    await database.execute(COMPLETE, actor_id, operation, key, text)
