"""Audit (审计): who did what, to what, when, from where; nobody rewrites it.

A row is written in the transaction of what it tells. Rows are sealed in batches by a hash
chain: a batch is every row whose transaction is finished in the database's snapshot of now and was
not in the one of the batch before. Writers never wait for the sealer, it never waits for them, and
what was open across a seal lands in the next one.

Transactions are numbered by a database cluster. A row carries the cluster's identifier beside its
transaction, and the batches of each cluster have their own snapshots in the one chain, so that the
journal goes on when it is restored into a cluster whose numbers are lower.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
import orjson
import structlog

from domains.kernel import clock, database
from domains.kernel.actor import Actor
from domains.kernel.ids import uuid7
from domains.kernel.slots import Slot

log = structlog.get_logger(__name__)

INSERT = """
INSERT INTO audit_entry (id, at, actor_id, actor_kind, actor_name, compound_id, action, outcome,
    subject_type, subject_id, details, ip, user_agent, request_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::jsonb, $12, $13, $14)
"""

OWN_CLUSTER = "SELECT system_identifier FROM pg_control_system()"

# The identifiers that occur, each found by one step into the index.
CLUSTERS = """
WITH RECURSIVE seen (cluster_id) AS (
    (SELECT cluster_id FROM audit_entry ORDER BY cluster_id LIMIT 1)
    UNION ALL
    SELECT (SELECT a.cluster_id FROM audit_entry a WHERE a.cluster_id > seen.cluster_id
            ORDER BY a.cluster_id LIMIT 1)
    FROM seen WHERE seen.cluster_id IS NOT NULL)
SELECT cluster_id FROM seen WHERE cluster_id IS NOT NULL
"""

SEALED_TO = """
SELECT to_snapshot FROM audit_seal WHERE cluster_id = $1 AND to_snapshot IS NOT NULL ORDER BY number DESC LIMIT 1
"""

# What another cluster wrote came with the restore and is finished, all of it.
FINISHED = """
SELECT CASE WHEN $1 = $2 THEN pg_current_snapshot()::text ELSE max(transaction_id::text::bigint) + 1 || ':'
    || max(transaction_id::text::bigint) + 1 || ':' END
FROM (SELECT transaction_id FROM audit_entry WHERE cluster_id = $1 ORDER BY transaction_id DESC LIMIT 1) AS last
"""

_OF_BATCH = """
FROM audit_entry
WHERE cluster_id = $1 AND transaction_id < pg_snapshot_xmax($3::text::pg_snapshot)
  AND pg_visible_in_snapshot(transaction_id, $3::text::pg_snapshot)
  AND ($2::text IS NULL OR transaction_id >= pg_snapshot_xmin($2::text::pg_snapshot)
      AND NOT pg_visible_in_snapshot(transaction_id, $2::text::pg_snapshot))
"""

# The transaction that fills a batch; what comes after it is left to the next.
FILLED_BY = "SELECT transaction_id::text::bigint" + _OF_BATCH + "ORDER BY transaction_id OFFSET $4 LIMIT 1"

_COLUMNS = """
SELECT id, at, actor_id, actor_kind, actor_name, compound_id, action, outcome, subject_type, subject_id,
    details::text AS details, ip, user_agent, request_id
"""

BATCH = _COLUMNS + _OF_BATCH + "ORDER BY id"

LAST_SEAL = "SELECT number, hash FROM audit_seal ORDER BY number DESC LIMIT 1"

SEAL = """
INSERT INTO audit_seal (number, cluster_id, from_snapshot, to_snapshot, entries, released_through,
    previous, hash, sealed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, now())
"""

SEALS = """
SELECT number, cluster_id, from_snapshot, to_snapshot, entries, released_through, previous, hash
FROM audit_seal ORDER BY number
"""

RELEASABLE = """
SELECT max(number) FROM audit_seal
WHERE number < coalesce((SELECT min(number) FROM audit_seal WHERE sealed_at >= $1), 9223372036854775807)
  AND number > coalesce((SELECT max(released_through) FROM audit_seal), 0)
"""

kept: Slot[timedelta] = Slot("audit.kept")

GENESIS = bytes(32)
_SEALER_LOCK = 0x4C4C_5345_414C
_MOST_ROWS = 10_000


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


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a seal covers: of a cluster, what is finished in the snapshot `end` and was not in `start`
    (None: everything). Or, without an `end`: that the rows of all seals up to a number were let go."""

    number: int
    cluster_id: int
    start: str | None = None
    end: str | None = None
    released_through: int | None = None


def chain(previous: bytes, bounds: Bounds, rows: Sequence[asyncpg.Record]) -> bytes:
    """SHA-256 over the seal before, the bounds and every row in order of its id."""
    digest = hashlib.sha256(previous + orjson.dumps(bounds))
    for row in rows:
        digest.update(orjson.dumps([_plain(value) for value in row.values()]))
    return digest.digest()


def _plain(value: object) -> object:
    return value if value is None or isinstance(value, str) else str(value)


async def seal() -> int:
    """Seal every finished row that is not sealed; the number of rows. Idle, it adds no seal.

    RuntimeError when the cluster's transaction counter is behind its own seals: the data came from
    a copy of this very cluster that was ahead, and rows written from now on would go unsealed.
    """
    total = 0
    while sealed := await _seal_once():
        total += sealed
    return total


async def _seal_once() -> int:
    async with database.transaction():
        await database.execute("SELECT pg_advisory_xact_lock($1)", _SEALER_LOCK)
        own = await database.fetchval(OWN_CLUSTER)
        return sum([await _seal_cluster(row["cluster_id"], own) for row in await database.fetch(CLUSTERS)])


async def _seal_cluster(cluster_id: int, own: int) -> int:
    start = await database.fetchval(SEALED_TO, cluster_id)
    end: str = await database.fetchval(FINISHED, cluster_id, own)
    if start is not None and _horizon(end) < _horizon(start):
        raise RuntimeError("the transaction counter is behind the audit's seals")
    filled_by = await database.fetchval(FILLED_BY, cluster_id, start, end, _MOST_ROWS - 1)
    if filled_by is not None:
        end = _cut(end, filled_by + 1)
    rows = await database.fetch(BATCH, cluster_id, start, end)
    if rows:
        await _add_seal(cluster_id, rows, start=start, end=end)
    return len(rows)


def _horizon(snapshot: str) -> int:
    """The first transaction that a snapshot (`oldest:next:open,open`) knows nothing of."""
    return int(snapshot.split(":")[1])


def _cut(snapshot: str, end: int) -> str:
    """The snapshot with a nearer horizon."""
    running = [number for number in snapshot.split(":")[2].split(",") if number and int(number) < end]
    return f"{running[0] if running else end}:{end}:{','.join(running)}"


async def _add_seal(
    cluster_id: int,
    rows: Sequence[asyncpg.Record] = (),
    *,
    start: str | None = None,
    end: str | None = None,
    released_through: int | None = None,
) -> None:
    last = await database.fetchrow(LAST_SEAL)
    number, previous = (last["number"] + 1, last["hash"]) if last else (1, GENESIS)
    digest = chain(previous, Bounds(number, cluster_id, start, end, released_through), rows)
    await database.execute(
        SEAL, number, cluster_id, start, end, len(rows), released_through, previous, digest
    )  # fmt: skip
    # Whoever can rewrite the whole database can rewrite the chain; the log is where its hashes are kept outside.
    log.info("audit.sealed", seal=number, entries=len(rows), hash=digest.hex())


async def release_expired() -> int:
    """Let go of what has been kept as long as this installation keeps it; the number of rows."""
    return await release(clock.now() - kept())


async def release(before: datetime) -> int:
    """Let go of the rows of all seals that were set before then (保存期满); the number of rows.

    The seals stay, and a seal of its own says which rows are gone. The database refuses to release
    what is younger than six months.
    """
    async with database.transaction():
        await database.execute("SELECT pg_advisory_xact_lock($1)", _SEALER_LOCK)
        through = await database.fetchval(RELEASABLE, before)
        if through is None:
            return 0
        released = int(await database.fetchval("SELECT release_audit($1)", through))
        await _add_seal(await database.fetchval(OWN_CLUSTER), released_through=through)
        return released


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verification found: how many seals hold, the first that does not, up to which seal the
    rows were released, and the hash of the last seal, to be compared with the one in the log."""

    seals: int
    broken_at: int | None = None
    released_through: int = 0
    last_hash: bytes = GENESIS


async def verify() -> Verdict:
    """Recompute the chain from the rows (审计日志完整性校验); sealing and releasing wait meanwhile."""
    async with database.transaction():
        await database.execute("SELECT pg_advisory_xact_lock_shared($1)", _SEALER_LOCK)
        return await _verify(await database.fetch(SEALS))


async def verify_last(most: int) -> Verdict:
    """The same for the last seals only, for a quick look; the first of them is taken at its word
    about the one before."""
    async with database.transaction():
        await database.execute("SELECT pg_advisory_xact_lock_shared($1)", _SEALER_LOCK)
        seals = (await database.fetch(f"{SEALS} DESC LIMIT {int(most)}"))[::-1]
        verdict = await _verify(seals, seals[0]["number"] - 1, seals[0]["previous"]) if seals else Verdict(0)
        return replace(verdict, seals=min(most, len(seals)))


async def _verify(seals: Sequence[asyncpg.Record], count: int = 0, previous: bytes = GENESIS) -> Verdict:
    released = max((seal["released_through"] or 0 for seal in seals), default=0)
    for seal in seals:
        number = count + 1
        if seal["number"] != number or seal["previous"] != previous or not await _holds(seal, released):
            return Verdict(count, number, released, previous)
        previous, count = seal["hash"], number
    return Verdict(count, None, released, previous)


async def _holds(seal: asyncpg.Record, released: int) -> bool:
    cluster_id, start, end = seal["cluster_id"], seal["from_snapshot"], seal["to_snapshot"]
    if seal["number"] <= released and end is not None:
        return True  # its rows are gone; that it is the one that was set, the seal after it says
    rows = () if end is None else await database.fetch(BATCH, cluster_id, start, end)
    bounds = Bounds(seal["number"], cluster_id, start, end, seal["released_through"])
    return bool(seal["entries"] == len(rows) and seal["hash"] == chain(seal["previous"], bounds, rows))
