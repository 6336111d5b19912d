"""The audit: nobody rewrites it, sealing misses nothing and holds nobody up, tampering is found."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from api.instance import Addresses
from domains.kernel import audit, clock, database
from domains.kernel.ids import uuid7
from tests.factories.kernel import staff

pytestmark = pytest.mark.usefixtures("instance")

CALLER = staff()
LEAVE_ALONE = ("audit_entry", "audit_seal")


@asynccontextmanager
async def as_owner(addresses: Addresses, *, tampering: bool = False) -> AsyncIterator[asyncpg.Connection]:
    """A connection of the tables' owner, who can switch the triggers off."""
    connection = await asyncpg.connect(addresses.owner_url)
    switch = "DISABLE" if tampering else "ENABLE"
    try:
        for table in LEAVE_ALONE:
            await connection.execute(f"ALTER TABLE {table} {switch} TRIGGER USER")
        yield connection
    finally:
        for table in LEAVE_ALONE:
            await connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        await connection.close()


@pytest.fixture(autouse=True)
async def empty(instance: object, addresses: Addresses) -> AsyncIterator[None]:
    """Every test begins with an empty journal."""
    yield
    async with as_owner(addresses, tampering=True) as owner:
        await owner.execute("DELETE FROM audit_entry; DELETE FROM audit_seal")


async def write(number: int = 0) -> None:
    async with database.transaction():
        await audit.record(CALLER, "door.open", "Door", uuid7(), details={"number": number})


async def three_seals() -> None:
    for _ in range(3):
        for number in range(4):
            await write(number)
        assert await audit.seal() == 4


async def unsealed() -> int:
    """Rows that no seal covers."""
    found = await database.fetchval(
        "SELECT count(*) FROM audit_entry e WHERE NOT EXISTS (SELECT 1 FROM audit_seal s "
        "WHERE s.cluster_id = e.cluster_id "
        "AND pg_visible_in_snapshot(e.transaction_id, s.to_snapshot::pg_snapshot))"
    )
    return int(found)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET actor_name = 'x'",
        "DELETE FROM audit_entry",
        "TRUNCATE audit_entry",
        "ALTER TABLE audit_entry DISABLE TRIGGER USER",
        "ALTER TABLE audit_entry DISABLE TRIGGER audit_entry_is_a_journal",
        "DROP TRIGGER audit_entry_is_a_journal ON audit_entry",
        "DROP TABLE audit_entry",
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE sql AS 'SELECT 1'",
        "SET session_replication_role = replica",
        "UPDATE audit_seal SET entries = 0",
        "DELETE FROM audit_seal",
        "TRUNCATE audit_seal",
        "SET linli.releasing = 'on'; DELETE FROM audit_entry",
    ],
)
async def test_the_application_can_only_add(addresses: Addresses, statement: str) -> None:
    await write()
    await audit.seal()
    connection = await asyncpg.connect(addresses.app_url)
    try:
        with pytest.raises(
            (asyncpg.InsufficientPrivilegeError, asyncpg.InvalidFunctionDefinitionError)
        ) as refusal:
            await connection.execute(statement)
    finally:
        await connection.close()
    assert refusal.value.sqlstate == "42501"
    assert await audit.verify() == audit.Verdict(1, None, 0, (await audit.verify()).last_hash)


@pytest.mark.parametrize("table", LEAVE_ALONE)
@pytest.mark.parametrize("change", ["UPDATE {} SET {} = {}", "DELETE FROM {}", "TRUNCATE {}"])
async def test_the_trigger_refuses_the_owner(addresses: Addresses, table: str, change: str) -> None:
    column = "ip" if table == "audit_entry" else "entries"
    async with as_owner(addresses) as owner:
        with pytest.raises(asyncpg.PostgresError, match="is a journal") as refusal:
            await owner.execute(change.format(table, column, column))
    assert refusal.value.sqlstate == "LJ001"


async def test_nobody_but_the_database_says_which_transaction_wrote_a_row(addresses: Addresses) -> None:
    await write()
    connection = await asyncpg.connect(addresses.app_url)
    try:
        await connection.execute(
            "INSERT INTO audit_entry (id, at, actor_kind, actor_name, action, outcome, subject_type, details, ip, "
            "user_agent, request_id, cluster_id, transaction_id) "
            "VALUES ($1, now(), 'staff', '', 'x', 'done', 'x', '{}', '', '', '', 7, '5')",
            uuid7(),
        )
    finally:
        await connection.close()
    assert await database.fetchval("SELECT count(DISTINCT cluster_id) FROM audit_entry") == 1
    assert await database.fetchval("SELECT count(*) FROM audit_entry WHERE transaction_id = '5'") == 0


async def test_idle_it_adds_no_seal_and_an_empty_journal_is_in_order() -> None:
    assert await audit.seal() == 0
    assert await audit.verify() == audit.Verdict(0)
    await three_seals()
    assert await audit.seal() == 0
    verdict = await audit.verify()
    assert (verdict.seals, verdict.broken_at) == (3, None)


async def test_a_writer_that_is_late_lands_in_the_next_seal() -> None:
    ready, go = asyncio.Event(), asyncio.Event()

    async def late() -> None:
        async with database.transaction():
            await audit.record(CALLER, "door.open", "Door", details={"late": True})
            ready.set()
            await go.wait()

    writing = asyncio.create_task(late())
    await ready.wait()
    await write()
    assert await audit.seal() == 1  # what is open holds nobody up
    assert await audit.seal() == 0
    go.set()
    await writing
    await write()
    assert await audit.seal() == 2
    assert await unsealed() == 0
    assert (await audit.verify()).seals == 2


async def test_sealing_under_writers_misses_nothing_and_takes_nothing_twice() -> None:
    written, sealed = 0, 0
    done = asyncio.Event()

    async def writer() -> None:
        nonlocal written
        for number in range(15):
            try:
                async with database.transaction():
                    await audit.record(CALLER, "door.open", "Door", details={"number": number})
                    await asyncio.sleep(random.random() / 50)
                    if number % 5 == 4:
                        raise ValueError("given up")
                written += 1
            except ValueError:
                continue

    async def sealer() -> None:
        nonlocal sealed
        while not done.is_set():
            count = await audit.seal()
            sealed += count
            await asyncio.sleep(0.005)

    sealing = [asyncio.create_task(sealer()) for _ in range(2)]
    await asyncio.gather(*(writer() for _ in range(6)))
    done.set()
    await asyncio.gather(*sealing)
    sealed += await audit.seal()
    assert (written, sealed) == (72, 72)
    assert await database.fetchval("SELECT sum(entries) FROM audit_seal") == 72
    assert await unsealed() == 0
    assert (await audit.verify()).broken_at is None


async def test_more_rows_than_a_seal_takes_make_several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "_MOST_ROWS", 4)
    for number in range(10):
        await write(number)
    assert await audit.seal() == 10
    assert [row["entries"] for row in await database.fetch(audit.SEALS)] == [4, 4, 2]
    assert (await audit.verify()).seals == 3


async def entry_of_seal(number: int) -> UUID:
    found: UUID = await database.fetchval(
        "SELECT e.id FROM audit_entry e JOIN audit_seal s "
        "ON pg_visible_in_snapshot(e.transaction_id, s.to_snapshot::pg_snapshot) "
        "AND NOT pg_visible_in_snapshot(e.transaction_id, s.from_snapshot::pg_snapshot) "
        "WHERE s.number = $1 ORDER BY e.id LIMIT 1",
        number,
    )
    return found


INSERT_BESIDE = """
INSERT INTO audit_entry (id, at, actor_kind, actor_name, action, outcome, subject_type, details, ip, user_agent,
    request_id, cluster_id, transaction_id)
SELECT gen_random_uuid(), at, actor_kind, '张三', action, outcome, subject_type, details, ip, user_agent,
    request_id, cluster_id, transaction_id FROM audit_entry WHERE id = $1
"""


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit_entry SET actor_name = '张三' WHERE id = $1",
        "UPDATE audit_entry SET details = '{\"number\": 9}' WHERE id = $1",
        "UPDATE audit_entry SET at = at - interval '1 microsecond' WHERE id = $1",
        "UPDATE audit_entry SET subject_id = NULL WHERE id = $1",
        "UPDATE audit_entry SET transaction_id = '1' WHERE id = $1",
        "DELETE FROM audit_entry WHERE id = $1",
        INSERT_BESIDE,
    ],
)
async def test_a_row_that_was_tampered_with_is_found_at_its_seal(addresses: Addresses, change: str) -> None:
    await three_seals()
    target = await entry_of_seal(2)
    async with as_owner(addresses, tampering=True) as owner:
        await owner.execute(change, target)
    # A row that was moved to the first transactions is missing in the second seal and too many in the first.
    assert (await audit.verify()).broken_at == (1 if "'1'" in change else 2)


@pytest.mark.parametrize(
    ("change", "broken_at"),
    [
        ("DELETE FROM audit_seal WHERE number = 1", 1),
        ("DELETE FROM audit_seal WHERE number = 2", 2),
        ("UPDATE audit_seal SET hash = sha256(hash) WHERE number = 2", 2),
        ("UPDATE audit_seal SET previous = sha256(previous) WHERE number = 3", 3),
        ("UPDATE audit_seal SET entries = 3 WHERE number = 3", 3),
        ("UPDATE audit_seal SET to_snapshot = from_snapshot WHERE number = 3", 3),
        ("DELETE FROM audit_seal WHERE number = 2; UPDATE audit_seal SET number = 2 WHERE number = 3", 2),
    ],
)
async def test_a_seal_that_was_tampered_with_is_found(
    addresses: Addresses, change: str, broken_at: int
) -> None:
    await three_seals()
    async with as_owner(addresses, tampering=True) as owner:
        await owner.execute(change)
    assert (await audit.verify()).broken_at == broken_at


async def test_the_last_seal_taken_away_shows_against_the_hash_that_was_logged(addresses: Addresses) -> None:
    await three_seals()
    logged = await audit.verify()
    async with as_owner(addresses, tampering=True) as owner:
        await owner.execute("DELETE FROM audit_seal WHERE number = 3")
    assert await unsealed() == 4
    assert (await audit.verify()).last_hash != logged.last_hash


async def restored(addresses: Addresses) -> None:
    """Make what is there look as if another cluster, whose counter was far ahead, had written it."""
    async with as_owner(addresses, tampering=True) as owner:
        await owner.execute(
            "UPDATE audit_entry SET cluster_id = 42, "
            "transaction_id = ((transaction_id::text::bigint) + 1000000000)::text::xid8"
        )
        await owner.execute("DELETE FROM audit_seal")


async def test_the_journal_goes_on_in_a_cluster_whose_counter_is_lower(addresses: Addresses) -> None:
    await write(1)
    await write(2)
    await restored(addresses)
    assert await audit.seal() == 2  # the foreign rows came whole
    await write(3)
    await write(4)
    assert await audit.seal() == 2
    await write(5)
    assert await audit.seal() == 1
    rows = await database.fetch(audit.SEALS)
    assert [(row["cluster_id"] == 42, row["entries"]) for row in rows] == [(True, 2), (False, 2), (False, 1)]
    assert await unsealed() == 0
    assert (await audit.verify()).seals == 3


async def test_rows_the_old_cluster_had_not_sealed_are_sealed_by_the_new_one(addresses: Addresses) -> None:
    await write(1)
    await restored(addresses)
    assert await audit.seal() == 1
    await write(2)
    async with as_owner(addresses, tampering=True) as owner:  # it was on its way when the dump was made
        await owner.execute(
            "UPDATE audit_entry SET cluster_id = 42, transaction_id = '1900000000' WHERE details->>'number' = '2'"
        )
    await write(3)
    assert await audit.seal() == 2
    assert await unsealed() == 0
    assert (await audit.verify()).broken_at is None


async def test_a_counter_behind_its_own_seals_is_said_aloud(addresses: Addresses) -> None:
    await three_seals()
    async with as_owner(addresses, tampering=True) as owner:
        await owner.execute("UPDATE audit_seal SET to_snapshot = '4000000000:4000000000:' WHERE number = 3")
    with pytest.raises(RuntimeError, match="behind"):
        await audit.seal()


async def written_on(at: datetime) -> None:
    with clock.use(clock.FixedClock(at)):
        await write()


async def sealed_on(addresses: Addresses, number: int, at: datetime) -> None:
    async with as_owner(addresses, tampering=True) as owner:
        await owner.execute("UPDATE audit_seal SET sealed_at = $1 WHERE number = $2", at, number)


async def test_rows_past_their_term_leave_and_the_chain_holds(addresses: Addresses) -> None:
    now = datetime.now(UTC)
    for number, age in enumerate((1200, 1100, 30), 1):
        await written_on(now - timedelta(days=age))
        await audit.seal()
        await sealed_on(addresses, number, now - timedelta(days=age))
    assert await audit.release(now - timedelta(days=1096)) == 2
    assert await audit.release(now - timedelta(days=1096)) == 0
    verdict = await audit.verify()
    assert (verdict.seals, verdict.broken_at, verdict.released_through) == (4, None, 2)
    await write()
    assert await audit.seal() == 1
    assert await database.fetchval("SELECT count(*) FROM audit_entry") == 2
    async with as_owner(addresses, tampering=True) as owner:
        await owner.execute("UPDATE audit_seal SET hash = sha256(hash) WHERE number = 1")
    assert (await audit.verify()).broken_at == 2


async def test_the_term_of_the_installation_is_what_counts(addresses: Addresses) -> None:
    now = datetime.now(UTC)
    await written_on(now - timedelta(days=1090))
    await audit.seal()
    await sealed_on(addresses, 1, now - timedelta(days=1090))
    assert await audit.release_expired() == 0
    with clock.use(clock.FixedClock(now + timedelta(days=10))):
        assert await audit.release_expired() == 1


async def test_what_is_younger_than_six_months_cannot_be_released(addresses: Addresses) -> None:
    now = datetime.now(UTC)
    await written_on(now - timedelta(days=150))
    await audit.seal()
    await sealed_on(addresses, 1, now - timedelta(days=4000))
    with pytest.raises(asyncpg.PostgresError, match="six months") as refusal:
        await audit.release(now)
    assert refusal.value.sqlstate == "LJ002"
    assert await database.fetchval("SELECT count(*) FROM audit_entry") == 1
    assert (await audit.verify()).seals == 1


async def test_deleting_rows_without_a_release_is_found(addresses: Addresses) -> None:
    await three_seals()
    async with as_owner(addresses, tampering=True) as owner:
        await owner.execute("DELETE FROM audit_entry")
    assert (await audit.verify()).broken_at == 1


async def test_long_texts_of_a_client_are_cut_to_what_fits() -> None:
    caller = staff()
    long = caller.origin.__class__(request_id="r" * 500, ip="203.0.113.9", user_agent="长" * 500)
    actor = caller.__class__("staff", uuid4(), name="名" * 100, origin=long)
    await audit.record(actor, "door.open", "Door")
    row = await database.fetchrow("SELECT * FROM audit_entry")
    assert row is not None
    assert (len(row["user_agent"]), len(row["request_id"]), len(row["actor_name"])) == (200, 64, 60)
