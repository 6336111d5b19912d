"""Rows by the hundred thousand, for the plans of queries."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from domains.kernel import database

LOADER = "linli_loader"
# The application may become the loader, and may do by itself nothing that it may not do in production.
ROLE = f"""
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{LOADER}') THEN CREATE ROLE {LOADER}; END IF;
END $$;
GRANT SET ON PARAMETER session_replication_role TO {LOADER};
GRANT {LOADER} TO linli_app WITH INHERIT FALSE, SET TRUE
"""
HAS_LOADER = "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)"


@asynccontextmanager
async def unchecked() -> AsyncIterator[None]:
    """What is written here meets neither triggers nor foreign keys, as what is restored from a backup: checking each
    row takes a minute, and is not what a plan is about. A server that was given to the tests checks all the same."""
    async with database.transaction():
        if await database.fetchval(HAS_LOADER, LOADER):
            await database.execute(f"SET LOCAL ROLE {LOADER}")
            await database.execute("SET LOCAL session_replication_role = replica")
            await database.execute("SET LOCAL ROLE NONE")
        # Of tables that nobody has analysed yet the planner believes that they are small.
        await database.execute("SET LOCAL enable_nestloop = off")
        yield
