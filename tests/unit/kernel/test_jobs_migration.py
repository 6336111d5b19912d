"""A database in use is brought up to date: runs and staff stay as they are, and the old program goes on."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from api import migrating
from api.instance import Addresses
from domains.kernel.ids import uuid7
from tests.conftest import TestServers
from tests.factories.old_databases import migrated_to

RUN = """
INSERT INTO job_run (id, job, due_at, state, attempts, started_at, lease_until)
VALUES ($1, 'audit.seal', now() - make_interval(mins => $2), $3, 1, now(), now())
"""
STAFF = """
WITH company AS (INSERT INTO company (id, name) VALUES ($1, '老物业') RETURNING id),
    account AS (INSERT INTO account (id, kind, name, language, created_at)
        VALUES ($2, 'staff', '老员工', 'zh', now()) RETURNING id)
INSERT INTO staff_member (account_id, company_id, login, password_hash, must_change_password, valid_from,
    idle_timeout_s, max_failures, failures)
SELECT account.id, company.id, $3, 'x', false, current_date, 1800, 5, 0 FROM account, company
"""


@pytest.fixture
async def urls(servers: TestServers) -> AsyncIterator[tuple[str, str]]:
    """A database as it was before jobs could be run by hand."""
    async with migrated_to(
        servers, **dict.fromkeys(("kernel", "estate", "identity"), "0002_integrity")
    ) as made:
        yield made


async def test_rows_in_use_stay_and_the_old_program_still_writes(urls: tuple[str, str]) -> None:
    owner = await asyncpg.connect(urls[0])
    for number, state in enumerate(("running", "succeeded", "failed")):
        await owner.execute(RUN, uuid7(), number, state)
    await owner.execute(STAFF, uuid7(), uuid7(), "old")
    before = await owner.fetch("SELECT id, job, due_at, state, attempts, started_at FROM job_run ORDER BY id")

    applied = await migrating.migrate(*urls)

    assert {"kernel.0003_jobs_by_hand", "identity.0003_operator"} <= set(applied)
    kept = await owner.fetch("SELECT id, job, due_at, state, attempts, started_at FROM job_run ORDER BY id")
    assert kept == before
    assert await owner.fetchval("SELECT bool_or(is_requested) FROM job_run") is False
    assert await owner.fetchval("SELECT bool_or(is_operator) FROM staff_member") is False
    application = await asyncpg.connect(urls[1])
    await application.execute(RUN, uuid7(), 9, "running")
    await owner.execute(STAFF.replace("'老物业'", "'新物业'"), uuid7(), uuid7(), "new")
    await application.execute("INSERT INTO job_pause VALUES ('audit.seal', now(), NULL, '系统', '维修')")
    await application.close()
    await owner.close()


BAD_RUNS = (
    "state = 'lost'",
    "state = 'running', started_at = NULL",
    "state = 'succeeded', lease_until = NULL",
    "state = 'requested'",
    "is_requested = true",
    "requested_by_name = '王师傅'",
)


@pytest.mark.parametrize("change", BAD_RUNS)
async def test_the_database_refuses_runs_that_make_no_sense(addresses: Addresses, change: str) -> None:
    owner = await asyncpg.connect(addresses.owner_url)
    try:
        async with owner.transaction():
            await owner.execute(RUN, uuid7(), 1, "running")
            with pytest.raises(asyncpg.CheckViolationError):
                async with owner.transaction():
                    await owner.execute(f"UPDATE job_run SET {change}")
            await owner.execute("DELETE FROM job_run")
    finally:
        await owner.close()
