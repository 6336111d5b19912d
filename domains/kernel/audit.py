"""Audit (审计): who did what, to what, when, from where; nobody rewrites it.

A row is written in the transaction of what it tells. Rows are sealed in batches by a hash chain:
a batch is every row of the database transactions between two horizons below which all are
finished, so that no writer waits for the sealer or for another writer, and no late row is missed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg
import orjson

from domains.kernel import clock, database
from domains.kernel.actor import Actor
from domains.kernel.ids import uuid7

INSERT = """
INSERT INTO audit_entry (id, at, actor_id, actor_kind, actor_name, compound_id, action, outcome,
    subject_type, subject_id, details, ip, user_agent, request_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::jsonb, $12, $13, $14)
"""

HORIZON = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"

LAST_SEAL = "SELECT number, to_transaction, hash FROM audit_seal ORDER BY number DESC LIMIT 1"

BATCH = """
SELECT id, at, actor_id, actor_kind, actor_name, compound_id, action, outcome, subject_type, subject_id,
    details::text AS details, ip, user_agent, request_id
FROM audit_entry
WHERE transaction_id >= $1::bigint::text::xid8 AND transaction_id < $2::bigint::text::xid8
ORDER BY id
"""

SEAL = """
INSERT INTO audit_seal (number, from_transaction, to_transaction, entries, previous, hash, sealed_at)
VALUES ($1, $2, $3, $4, $5, $6, now())
"""

SEALS = (
    "SELECT number, from_transaction, to_transaction, entries, previous, hash FROM audit_seal ORDER BY number"
)

GENESIS = bytes(32)
_SEALER_LOCK = 0x4C4C_5345_414C


async def record(
    actor: Actor,
    action: str,
    subject_type: str,
    subject_id: UUID | None = None,
    *,
    compound_id: UUID | None = None,
    details: Mapping[str, object] | None = None,
    outcome: str = "done",
) -> None:
    """Write one row; `details` holds facts and ids, no personal data."""
    origin = actor.origin
    await database.execute(
        INSERT, uuid7(), clock.now(), actor.account_id, actor.kind, actor.name[:60], compound_id, action, outcome,
        subject_type, subject_id, orjson.dumps(details or {}, default=str).decode(),
        origin.ip, origin.user_agent[:200], origin.request_id[:64],
    )  # fmt: skip


def chain(previous: bytes, first: int, end: int, rows: Sequence[asyncpg.Record]) -> bytes:
    """SHA-256 over the seal before, the bounds and every row in order of its id."""
    digest = hashlib.sha256(previous + first.to_bytes(8) + end.to_bytes(8))
    for row in rows:
        digest.update(orjson.dumps([_plain(value) for value in row.values()]))
    return digest.digest()


def _plain(value: object) -> object:
    return value if value is None or isinstance(value, str) else str(value)


async def seal() -> int:
    """Seal every finished row that is not sealed; the number of rows. Idle, it adds no seal."""
    async with database.transaction():
        await database.fetchval("SELECT pg_advisory_xact_lock($1)", _SEALER_LOCK)
        last = await database.fetchrow(LAST_SEAL)
        number, first, previous = (
            (last["number"] + 1, last["to_transaction"], last["hash"]) if last else (1, 0, GENESIS)
        )
        end = await database.fetchval(HORIZON)
        rows = await database.fetch(BATCH, first, end)
        if rows:
            digest = chain(previous, first, end, rows)
            await database.execute(SEAL, number, first, end, len(rows), previous, digest)
        return len(rows)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verification found: how many seals hold, and the first that does not."""

    seals: int
    broken_at: int | None = None


async def verify() -> Verdict:
    """Recompute the chain from the rows (审计日志完整性校验)."""
    previous, count = GENESIS, 0
    for row in await database.fetch(SEALS):
        batch = await database.fetch(BATCH, row["from_transaction"], row["to_transaction"])
        expected = chain(previous, row["from_transaction"], row["to_transaction"], batch)
        if row["previous"] != previous or row["hash"] != expected or row["entries"] != len(batch):
            return Verdict(count, broken_at=row["number"])
        previous, count = expected, count + 1
    return Verdict(count)
