"""Real servers for every test: a private PostgreSQL and Valkey (or those of DATABASE_URL and REDIS_URL),
one migrated template database per run, a clone of it per module."""

from __future__ import annotations

import asyncio
import gc
import os
import secrets
import shutil
import signal
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import httpx
import pytest
import redis.asyncio as aioredis
from argon2 import PasswordHasher
from hypothesis.configuration import set_hypothesis_home_dir
from tortoise.apps import Apps

from api import keys
from api.instance import Addresses, running
from api.keys import Keys, load_keys
from api.migrating import migrate
from api.servers.supervisor import Servers, Supervisor
from api.settings import REPOSITORY, Settings
from domains.identity import passwords
from tests import describing, memory
from tests.factories import crowds

set_hypothesis_home_dir(REPOSITORY / ".linli" / "cache" / "hypothesis")

pytest_plugins = ["tests.broker"]

ENVIRONMENT = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "PORT")


def pytest_configure() -> None:
    """Programs under test hear Ctrl-C, also where the tests run in the background of a shell that has them ignore it.

    Ten thousand tests, the schema and its documents live as long as the run does: looking through all of them for garbage
    every few hundred objects takes a sixth of the time.
    """
    gc.set_threshold(100_000, 50, 100)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """What is there by now stays."""
    gc.collect()
    gc.freeze()


@dataclass(frozen=True, slots=True)
class TestServers:
    """The servers of this run; `template` is a migrated, empty database."""

    __test__ = False

    owner_url: str
    app_url: str
    redis_url: str
    template: str
    cache_is_private: bool


def with_database(url: str, name: str) -> str:
    """The same server, another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


async def administer(owner_url: str, *statements: str) -> None:
    """Run statements as the owner, outside of a transaction."""
    connection = await asyncpg.connect(owner_url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def given() -> dict[str, str]:
    """Servers named by the environment; taken out of it, so that settings in tests start clean."""
    return {name: os.environ.pop(name) for name in ENVIRONMENT if name in os.environ}


@pytest.fixture(scope="session")
def servers(given: dict[str, str]) -> Iterator[TestServers]:
    """The servers of this run with their template database; workers that run side by side have their own."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "alone")
    with memory.folder(REPOSITORY / ".linli" / "test" / worker) as root:
        yield from _started(root, given)


def _started(root: Path, given: Mapping[str, str]) -> Iterator[TestServers]:
    supervisor = Supervisor(root, durable=False)
    started = asyncio.run(
        supervisor.start(with_postgres="DATABASE_URL" not in given, with_valkey="REDIS_URL" not in given)
    )
    owner = given.get("DATABASE_OWNER_URL") or given.get("DATABASE_URL") or started.owner_url
    app = given.get("DATABASE_URL") or started.app_url
    template = f"linli_template_{secrets.token_hex(4)}"
    if started.owner_url:
        asyncio.run(administer(_superuser(started.owner_url, root), crowds.ROLE))
        asyncio.run(_greet_quickly(started))
    try:
        asyncio.run(administer(owner, f"CREATE DATABASE {template}"))
        asyncio.run(_migrate(with_database(owner, template), with_database(app, template)))
        cache = given.get("REDIS_URL") or started.redis_url
        yield TestServers(owner, app, cache, template, cache_is_private="REDIS_URL" not in given)
        asyncio.run(administer(owner, f"DROP DATABASE IF EXISTS {template} WITH (FORCE)"))
    finally:
        asyncio.run(supervisor.stop())


async def _greet_quickly(started: Servers) -> None:
    """Every connection works out the password's hash as often as the role says: 4096 times are 4 ms of each."""
    for url in (started.owner_url, started.app_url):
        connection = await asyncpg.connect(url)
        try:
            if connection.get_server_version().major >= 16:  # before, it cannot be said
                await connection.execute(
                    f"SET scram_iterations = 1; ALTER ROLE CURRENT_USER PASSWORD '{urlsplit(url).password}'"
                )
        finally:
            await connection.close()


def _superuser(owner_url: str, root: Path) -> str:
    """The same server as the one who may grant anything."""
    secret = (root / "secrets" / "postgres").read_text().strip()
    parts = urlsplit(owner_url)
    return urlunsplit(parts._replace(netloc=f"postgres:{secret}@{parts.hostname}:{parts.port}"))


async def _migrate(owner_url: str, app_url: str) -> None:
    await migrate(owner_url, app_url)


async def _empty(redis_url: str) -> None:
    async with aioredis.Redis.from_url(redis_url) as cache:
        await cache.flushall()


@pytest.fixture(scope="module")
def addresses(servers: TestServers) -> Iterator[Addresses]:
    """A database of this module's own, a clone of the template; Valkey empty, where it is ours to empty."""
    if servers.cache_is_private:
        asyncio.run(_empty(servers.redis_url))
    name = f"linli_t_{secrets.token_hex(6)}"
    asyncio.run(administer(servers.owner_url, f"CREATE DATABASE {name} TEMPLATE {servers.template}"))
    yield Addresses(
        owner_url=with_database(servers.owner_url, name),
        app_url=with_database(servers.app_url, name),
        redis_url=servers.redis_url,
    )
    asyncio.run(administer(servers.owner_url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))


@pytest.fixture(scope="session", autouse=True)
def cheap() -> Iterator[None]:
    """Hashes at the least cost; keys, certificates and models that were read are not read anew: most tests need staff and an
    instance, few care for how hard passwords are to guess."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        patch.setattr(keys, "_checked_pem", cache(keys._checked_pem))
        patch.setattr(Apps, "_build_initial_querysets", describing.once(Apps._build_initial_querysets))
        patch.setattr("httpx._transports.default.create_ssl_context", cache(httpx.create_ssl_context))
        yield


@pytest.fixture(scope="session")
def made_keys(tmp_path_factory: pytest.TempPathFactory, given: dict[str, str]) -> Path:
    """The folder of keys of an installation, made once."""
    home = tmp_path_factory.mktemp("keys")
    load_keys(Settings(home=home))
    return home / "keys"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, made_keys: Path) -> Settings:
    """Settings with a home of this module's own; its keys are a copy, since making some takes a while."""
    home: Path = tmp_path_factory.mktemp("home")
    shutil.copytree(made_keys, home / "keys")
    return Settings(home=home)


@pytest.fixture(scope="module")
async def instance(settings: Settings, addresses: Addresses) -> AsyncIterator[Keys]:
    """A running instance in this process: connected, slots filled, Valkey empty."""
    async with running(settings, addresses) as keys:
        yield keys
