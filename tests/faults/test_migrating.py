"""Migrating: twice, by several processes at once, and after a run that was killed."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncpg
import pytest

from api import migrating
from api.wiring import APPS
from tests.conftest import TestServers, administer, with_database
from tests.faults.conftest import Nursery


@dataclass(frozen=True, slots=True)
class Empty:
    """A database without a table."""

    owner_url: str
    app_url: str

    async def value(self, sql: str) -> object:
        connection = await asyncpg.connect(self.app_url)
        try:
            return await connection.fetchval(sql)
        finally:
            await connection.close()


@pytest.fixture
async def place(servers: TestServers) -> AsyncIterator[Empty]:
    name = f"linli_m_{secrets.token_hex(6)}"
    await administer(servers.owner_url, f"CREATE DATABASE {name}")
    yield Empty(with_database(servers.owner_url, name), with_database(servers.app_url, name))
    await administer(servers.owner_url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


async def whole(place: Empty) -> bool:
    """Whether the application can read and write the last table there is."""
    return bool(
        await place.value(
            "SELECT has_table_privilege('vehicle', 'INSERT') AND has_table_privilege('audit_entry', 'INSERT') "
            "AND NOT has_table_privilege('audit_entry', 'UPDATE, DELETE, TRUNCATE')"
        )
    )


async def test_four_processes_at_once_migrate_once(place: Empty, nursery: Nursery) -> None:
    processes = [nursery.spawn("migrate", place.owner_url, place.app_url) for _ in range(4)]
    for each in processes:
        await nursery.end_of(each)
    assert await whole(place)
    assert await place.value("SELECT count(*) = count(DISTINCT (app, name)) FROM tortoise_migrations")
    assert await place.value("SELECT count(DISTINCT app) FROM tortoise_migrations") == len(APPS)
    assert await migrating.migrate(place.owner_url, place.app_url) == []


@pytest.mark.parametrize("moment", ["applying", "granting"])
async def test_after_a_run_that_was_killed_the_next_one_finishes(
    place: Empty, nursery: Nursery, moment: str
) -> None:
    await nursery.end_of(nursery.spawn("migrate", place.owner_url, place.app_url, moment))
    if moment == "applying":
        assert await place.value("SELECT to_regclass('outbox_message') IS NULL")
    await migrating.migrate(place.owner_url, place.app_url)
    assert await whole(place)
