"""Migrations: one process at a time, then what the application's role may do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import asyncpg
from tortoise.connection import get_connection
from tortoise.context import TortoiseContext

from api.settings import REPOSITORY
from api.wiring import APPS
from domains.kernel import database
from domains.kernel.database import CONNECTION, orm_config

if TYPE_CHECKING:
    from tortoise.migrations.executor import MigrationExecutor

LOCK = 0x4C4C_4D49_4752

# What is a journal may be read and added to, and nothing else.
JOURNALS = (
    "audit_entry",
    "audit_seal",
    "journal",
    "entry",
    "settlement",
    "gateway_event",
    "bill_line",
    "meter_use",
    "accounts_publication",
    "document_issue",
)


APPLIED = "SELECT app, name FROM tortoise_migrations"

GRANTED = """
SELECT bool_and(has_table_privilege($1, c.oid, 'SELECT') AND has_table_privilege($1, c.oid, 'INSERT')
        = (c.relname <> 'tortoise_migrations')
    AND (c.relname = 'tortoise_migrations'
         OR has_table_privilege($1, c.oid, 'DELETE') = (c.relname <> ALL ($2::text[]))))
    AND has_database_privilege($1, current_database(), 'TEMPORARY')
FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
"""

ROLE = """
SELECT r.rolsuper AS super, r.rolcreaterole OR r.rolcreatedb OR r.rolbypassrls AS powers,
    EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
        AND pg_has_role(r.oid, c.relowner, 'MEMBER')) AS owns,
    EXISTS (SELECT FROM pg_class c WHERE c.relname = ANY ($1::text[]) AND c.relkind = 'r'
        AND (has_table_privilege(c.oid, 'UPDATE') OR has_table_privilege(c.oid, 'DELETE')
            OR has_table_privilege(c.oid, 'TRUNCATE') OR has_table_privilege(c.oid, 'TRIGGER'))) AS rewrites
FROM pg_roles r WHERE r.rolname = current_user
"""

_ROLE_TEXTS = {
    "super": "DATABASE_URL 的数据库角色是超级用户,请改用普通角色",
    "powers": "DATABASE_URL 的数据库角色可以建库、建角色或绕过行级安全,请收回这些权限",
    "owns": "DATABASE_URL 的数据库角色拥有数据表,可以停用触发器;请用另一个角色(DATABASE_OWNER_URL)执行 linli migrate",
    "rewrites": "DATABASE_URL 的数据库角色可以修改审计日志或账目,请用 DATABASE_OWNER_URL 重新执行 linli migrate",
}


async def migrate(owner_url: str, app_url: str) -> list[str]:
    """Bring the database up to date as its owner; the names of the migrations that were applied."""
    guard = await asyncpg.connect(owner_url)
    try:
        await guard.execute("SELECT pg_advisory_lock($1)", LOCK)
        current = not _missing(await _applied(guard))
        applied = [] if current else await _apply(owner_url)
        # Looked at every time: a run that died between the two would leave new tables out of reach.
        if not current or not await _granted(guard, app_url):
            await _grant(guard, app_url)
        return applied
    finally:
        await guard.close()


async def _apply(owner_url: str) -> list[str]:
    """All that is missing and the record of it in one transaction: a run that dies leaves what was there."""
    from tortoise.migrations.executor import MigrationTarget
    from tortoise.transactions import in_transaction

    from api.migrating_steps import quick_steps

    config = orm_config(owner_url, APPS, pool_size=2)
    applied: list[str] = []

    def note(event: str, app: str, name: str) -> None:
        if event == "apply_done":
            applied.append(f"{app}.{name}")

    async with TortoiseContext() as context:
        await context.init(config=config)
        await _executor(config).migrate([], direction="forward")  # the table of migrations itself
        async with in_transaction(CONNECTION):
            targets = [MigrationTarget(app_label=label, name="__latest__") for label in APPS]
            with quick_steps():
                await _executor(config).migrate(targets, direction="forward", progress=note)
    return applied


def _executor(config: dict[str, Any]) -> MigrationExecutor:  # Any: the ORM's own shape
    from tortoise.migrations.executor import MigrationExecutor

    return MigrationExecutor(get_connection(CONNECTION), config["apps"])


def _missing(applied: frozenset[tuple[str, str]]) -> list[str]:
    """What this program has and the database has not; a database that is ahead lacks nothing."""
    known = [
        (label, path.stem)
        for label in APPS
        for path in sorted((REPOSITORY / "migrations" / label).glob("[0-9]*.py"))
    ]
    return [f"{label}.{name}" for label, name in known if (label, name) not in applied]


async def _applied(connection: asyncpg.Connection) -> frozenset[tuple[str, str]]:
    if await connection.fetchval("SELECT to_regclass('tortoise_migrations')") is None:
        return frozenset()
    return frozenset((row["app"], row["name"]) for row in await connection.fetch(APPLIED))


async def pending_migrations() -> list[str]:
    """The migrations that the connected database lacks, as `app.name`."""
    if await database.fetchval("SELECT to_regclass('tortoise_migrations')") is None:
        return _missing(frozenset())
    return _missing(frozenset((row["app"], row["name"]) for row in await database.fetch(APPLIED)))


async def role_problems(connection: asyncpg.Connection) -> list[str]:
    """What the connected role may do and must not; empty when it is confined to rows."""
    row = await connection.fetchrow(ROLE, list(JOURNALS))
    assert row is not None, "an expression has a row"
    return [text for column, text in _ROLE_TEXTS.items() if row[column]]


async def _granted(connection: asyncpg.Connection, app_url: str) -> bool:
    role = _role(app_url)
    if role == await connection.fetchval("SELECT current_user"):
        return True
    return bool(await connection.fetchval(GRANTED, role, list(JOURNALS)))


def _role(url: str) -> str:
    return unquote(urlsplit(url).username or "")


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
