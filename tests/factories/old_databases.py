"""Databases as an earlier release of the program left them."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tortoise.context import TortoiseContext
from tortoise.migrations.executor import MigrationTarget

from api import migrating
from api.wiring import APPS
from domains.kernel.database import orm_config
from tests.conftest import TestServers, administer, with_database


@asynccontextmanager
async def migrated_to(servers: TestServers, **names: str) -> AsyncIterator[tuple[str, str]]:
    """A database after these migrations (app=name) and all that they need: its address as owner and as the application."""
    name = f"linli_m_{secrets.token_hex(6)}"
    await administer(servers.owner_url, f"CREATE DATABASE {name}")
    try:
        owner_url = with_database(servers.owner_url, name)
        config = orm_config(owner_url, APPS, pool_size=2)
        targets = [MigrationTarget(app_label=app, name=migration) for app, migration in names.items()]
        async with TortoiseContext() as context:
            await context.init(config=config)
            await migrating._executor(config).migrate(targets, direction="forward")
        yield owner_url, with_database(servers.app_url, name)
    finally:
        await administer(servers.owner_url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
