"""Rows by the hundred thousand, for the plans of queries."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from domains.kernel import database

UNWATCHED = "session_replication_role"
GRANT = f"GRANT SET ON PARAMETER {UNWATCHED} TO PUBLIC"


@asynccontextmanager
async def unchecked() -> AsyncIterator[None]:
    """What is written here meets neither triggers nor foreign keys, as what is restored from a backup: checking each
    row takes a minute, and is not what a plan is about. A server that was given to the tests checks all the same."""
    async with database.transaction():
        if await database.fetchval("SELECT has_parameter_privilege($1, 'SET')", UNWATCHED):
            await database.execute(f"SET LOCAL {UNWATCHED} = replica")
        # Of tables that nobody has analysed yet the planner believes that they are small.
        await database.execute("SET LOCAL enable_nestloop = off")
        yield
