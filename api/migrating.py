"""Migrations: one process at a time, then what the application's role may do."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

import asyncpg
from tortoise.connection import get_connection
from tortoise.context import TortoiseContext
from tortoise.migrations.executor import MigrationExecutor, MigrationTarget

from api.wiring import APPS
from domains.kernel.database import CONNECTION, orm_config

LOCK = 0x4C4C_4D49_4752

# What is a journal may be read and added to, and nothing else.
JOURNALS = ("audit_entry", "audit_seal")


async def migrate(owner_url: str, app_url: str) -> list[str]:
    """Bring the database up to date as its owner; the names of the migrations that were applied."""
    guard = await asyncpg.connect(owner_url)
    try:
        await guard.execute("SELECT pg_advisory_lock($1)", LOCK)
        applied = await _apply(owner_url)
        if applied or not await _granted(guard, app_url):
            await _grant(guard, app_url)
        return applied
    finally:
        await guard.close()


async def _apply(owner_url: str) -> list[str]:
    config = orm_config(owner_url, APPS, pool_size=2)
    applied: list[str] = []

    def note(event: str, app: str, name: str) -> None:
        if event == "apply_done":
            applied.append(f"{app}.{name}")

    async with TortoiseContext() as context:
        await context.init(config=config)
        executor = MigrationExecutor(get_connection(CONNECTION), config["apps"])
        targets = [MigrationTarget(app_label=label, name="__latest__") for label in APPS]
        await executor.migrate(targets, direction="forward", progress=note)
    return applied


def _role(url: str) -> str:
    return unquote(urlsplit(url).username or "")


async def _granted(connection: asyncpg.Connection, app_url: str) -> bool:
    return bool(
        await connection.fetchval("SELECT has_table_privilege($1, 'audit_entry', 'INSERT')", _role(app_url))
    )


async def _grant(connection: asyncpg.Connection, app_url: str) -> None:
    """Rows for the application's role; the schema and the journals' past stay the owner's."""
    role = _role(app_url)
    if role == await connection.fetchval("SELECT current_user"):
        return
    name = '"' + role.replace('"', '""') + '"'
    async with connection.transaction():
        database = await connection.fetchval("SELECT quote_ident(current_database())")
        await connection.execute(
            f"GRANT TEMPORARY ON DATABASE {database} TO {name}"
        )  # imports stage their rows
        await connection.execute(f"GRANT USAGE ON SCHEMA public TO {name}")
        await connection.execute(
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {name}"
        )
        await connection.execute(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {name}")
        await connection.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {', '.join(JOURNALS)} FROM {name}")
        await connection.execute(f"REVOKE INSERT, UPDATE, DELETE ON tortoise_migrations FROM {name}")
