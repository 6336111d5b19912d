"""What the mechanisms cost that every command goes through, in this process, against real servers."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from uuid import UUID, uuid4

from api.instance import cache
from domains.kernel import audit, database, outbox
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.crypto import Keyring
from domains.kernel.events import Event, Registry
from domains.kernel.ids import uuid7
from domains.kernel.rates import Limiter, RateLimit, WhenDown
from tests.bench.figures import Figures
from tests.bench.paired import Side, cpu_ratio, microseconds, take_turns, wall_ratio

AUDIT_ROWS, MESSAGES = 100_000, 1_000
RENAME = "UPDATE account SET name = $2 WHERE id = $1"
OPEN_ACCOUNT = (
    "INSERT INTO account (id, kind, name, language, created_at) VALUES ($1, 'resident', '', 'zh', now())"
)
FILL_AUDIT = """
INSERT INTO audit_entry (id, at, actor_id, actor_kind, actor_name, compound_id, action, outcome, subject_type,
    subject_id, details, ip, user_agent, request_id)
SELECT id, now(), $2, 'staff', '许文博', NULL, 'bench.fill', 'done', 'House', $2, '{"state": "applied", "houses": 12}',
    '10.1.2.3', 'Mozilla/5.0 (Windows NT 10.0; Win64; x64)', md5(id::text)
FROM unnest($1::uuid[]) AS id
"""


@dataclass(frozen=True, slots=True)
class BenchHappened(Event):
    """Something that a handler is told of."""

    thing_id: UUID


@command("bench.rename", caller="account", audited=False)
async def rename(actor: Actor, *, name: str) -> None:
    """One row written, nothing else."""
    await database.execute(RENAME, actor.id, name)


@command("bench.rename_audited", caller="account")
async def rename_audited(actor: Actor, *, name: str) -> None:
    """The same with its audit row."""
    await database.execute(RENAME, actor.id, name)
    concerns("Account", actor.id, None)


@command("bench.rename_keyed", caller="account")
async def rename_keyed(actor: Actor, *, name: str, idempotency_key: UUID) -> int:
    """The same with its audit row and a key that makes it happen once."""
    concerns("Account", actor.id, None)
    return await database.execute(RENAME, actor.id, name)


async def measure(figures: Figures) -> None:
    """Everything, in an instance whose slots are filled."""
    await _commands(figures)
    await _outbox(figures)
    await _sealing(figures)
    await _cryptography(figures)
    await _limiter(figures)


async def _commands(figures: Figures) -> None:
    actor = Actor(kind="resident", account_id=uuid7(), name="住户")
    await database.execute(OPEN_ACCOUNT, actor.account_id)

    async def bare() -> None:
        async with database.transaction():
            await database.execute(RENAME, actor.account_id, secrets.token_hex(8))

    async def unaudited() -> None:
        await rename(actor, name=secrets.token_hex(8))

    async def audited() -> None:
        await rename_audited(actor, name=secrets.token_hex(8))

    async def keyed() -> None:
        await rename_keyed(actor, name=secrets.token_hex(8), idempotency_key=uuid4())

    plain, *rest = await take_turns(
        [Side(each) for each in (bare, unaudited, audited, keyed)], rounds=7, times=60
    )
    figures.add("a bare transaction that writes a row", f"{plain.per_second:.0f} /s ({plain})")
    for name, cost in zip(
        ("a command", "… with its audit row", "… and an idempotency key"), rest, strict=True
    ):
        ratio = f"{1 / wall_ratio(cost, plain):.2f} of the bare one, {cpu_ratio(cost, plain):.2f} × its CPU"
        figures.add(name, f"{cost.per_second:.0f} /s: {ratio}")


async def _outbox(figures: Figures) -> None:
    told: list[UUID] = []

    async def handler(event: Event, event_id: UUID) -> None:
        told.append(event_id)

    started = time.perf_counter()
    for _ in range(MESSAGES // 10):
        async with database.transaction():
            for _ in range(10):
                await outbox.record(BenchHappened(uuid7()))
    recorded = time.perf_counter()
    relay = outbox.Relay(Registry([BenchHappened]), {BenchHappened: (handler,)})
    while await relay.deliver():
        pass
    delivered = time.perf_counter()
    assert len(told) == MESSAGES, "each once"
    figures.add("outbox: recorded, ten a transaction", f"{MESSAGES / (recorded - started):.0f} messages/s")
    figures.add("outbox: delivered by one relay", f"{MESSAGES / (delivered - recorded):.0f} messages/s")


async def _sealing(figures: Figures) -> None:
    await audit.seal()
    subject = uuid7()
    for _ in range(AUDIT_ROWS // 500):
        async with database.transaction():
            await database.execute(FILL_AUDIT, [uuid7() for _ in range(500)], subject)
    started = time.perf_counter()
    sealed = await audit.seal()
    seconds = time.perf_counter() - started
    assert sealed == AUDIT_ROWS, sealed
    started = time.perf_counter()
    verdict = await audit.verify()
    assert verdict.broken_at is None
    verified = time.perf_counter() - started
    figures.add("100,000 audit rows sealed", f"{seconds:.2f} s ({AUDIT_ROWS / seconds:.0f} rows/s)")
    figures.add("100,000 audit rows verified", f"{verified:.2f} s")


async def _cryptography(figures: Figures) -> None:
    ring = Keyring({1: secrets.token_bytes(16)}, 1, secrets.token_bytes(32))
    sealed = ring.encrypt("13800138000", "person.phone")
    costs = {
        "SM4-GCM, a phone number sealed": lambda: ring.encrypt("13800138000", "person.phone"),
        "SM4-GCM, a phone number opened": lambda: ring.decrypt(sealed, "person.phone"),
        "HMAC-SM3, a blind index": lambda: ring.blind_index("13800138000", "person.phone"),
    }
    for name, work in costs.items():
        figures.add(name, f"{await microseconds(work):.1f} µs")


async def _limiter(figures: Figures) -> None:
    limiter = Limiter(cache())
    limit = RateLimit("bench", per_period=10**9, period_s=60, burst=10**9, when_down=WhenDown.OPEN)

    async def take() -> None:
        assert (await limiter.take(limit, "bench")).allowed

    async def ping() -> None:
        await cache().ping()

    taken, pinged = await take_turns([Side(take), Side(ping)], rounds=7, times=200)
    ratio = f"{wall_ratio(taken, pinged):.2f} × a ping"
    figures.add("rate limiter, one take", f"{taken.wall_ms * 1000:.0f} µs, {ratio}")
