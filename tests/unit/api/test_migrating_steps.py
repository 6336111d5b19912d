"""A migration that only adds leaves the same database, step by step or at once."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import AsyncIterator

import asyncpg
import pytest

from api import migrating, migrating_steps
from api.wiring import APPS
from tests.conftest import TestServers, administer, with_database

SCHEMA = (
    """SELECT table_name, column_name, ordinal_position, column_default, is_nullable, udt_name, character_maximum_length,
        numeric_precision, numeric_scale FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 3""",
    "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2",
    """SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2""",
    """SELECT objoid::regclass::text, objsubid, description FROM pg_description
        WHERE classoid = 'pg_class'::regclass AND objoid >= 16384 ORDER BY 1, 2""",
)

# Enough to have every kind of operation: relations within an app and between two, columns added and altered.
SOME = ("kernel", "notifications", "payments", "estate")


@pytest.fixture
async def databases(servers: TestServers) -> AsyncIterator[list[tuple[str, str]]]:
    names = [f"linli_s_{secrets.token_hex(6)}" for _ in range(2)]
    for name in names:
        await administer(servers.owner_url, f"CREATE DATABASE {name}")
    yield [(with_database(servers.owner_url, name), with_database(servers.app_url, name)) for name in names]
    for name in names:
        await administer(servers.owner_url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


async def schema_of(url: str) -> list[list[tuple[object, ...]]]:
    connection = await asyncpg.connect(url)
    try:
        return [[tuple(row.values()) for row in await connection.fetch(part)] for part in SCHEMA]
    finally:
        await connection.close()


async def test_both_ways_leave_the_same(
    databases: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    (quick, _), (slow, _) = databases
    monkeypatch.setattr(migrating, "APPS", {name: APPS[name] for name in SOME})
    applied = await migrating._apply(quick)
    monkeypatch.setattr(migrating_steps, "quick_steps", contextlib.nullcontext)
    assert await migrating._apply(slow) == applied
    found, expected = await schema_of(quick), await schema_of(slow)
    for left, right in zip(found, expected, strict=True):
        assert left and left == right
