"""Who may do what on the private servers, and how they are set up; all against one pair of them."""

from __future__ import annotations

import stat
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
from redis.exceptions import AuthenticationError

from api.servers import Servers
from tests.unit.api.servers.probes import ask, ping, processes_of, running


@pytest.fixture(scope="module")
async def served(prepared: Path) -> AsyncIterator[Servers]:
    async with running(prepared) as servers:
        yield servers


async def test_both_roles_connect_and_the_application_creates_nothing(served: Servers) -> None:
    assert await ask(served.owner_url, "SELECT current_user || '@' || current_database()") == (
        "linli_owner@linli"
    )
    assert await ask(served.app_url, "SELECT current_user") == "linli_app"
    assert await ping(served.redis_url)
    await ask(served.owner_url, "CREATE TABLE houses (id int)")
    for refused in (
        "CREATE TABLE t (id int)",
        "CREATE TEMP TABLE t (id int)",
        "CREATE SCHEMA s",
        "CREATE ROLE intruder",
        "CREATE DATABASE d",
        "ALTER TABLE houses DISABLE TRIGGER ALL",
        "SELECT 1 FROM houses",
        "ALTER ROLE linli_app CREATEROLE",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await ask(served.app_url, refused)
    tables = "SELECT string_agg(tablename, ',') FROM pg_tables WHERE schemaname = 'public'"
    assert await ask(served.owner_url, tables) == "houses"
    assert await ask(served.owner_url, "SELECT count(*) FROM pg_roles WHERE rolname = 'intruder'") == 0


async def test_the_owner_clones_a_database_in_use_and_is_no_superuser(served: Servers) -> None:
    connection = await asyncpg.connect(served.owner_url)
    await connection.execute("CREATE DATABASE clone TEMPLATE template1")
    busy = await asyncpg.connect(served.app_url.removesuffix("linli") + "clone")
    await connection.execute("DROP DATABASE clone WITH (FORCE)")
    with pytest.raises((asyncpg.PostgresConnectionError, asyncpg.InterfaceError)):
        await busy.fetchval("SELECT 1")
    assert await connection.fetchval("SHOW is_superuser") == "off"
    await connection.close()


async def test_settings_are_local_utc_and_text_sorts_the_same_everywhere(
    served: Servers, prepared: Path
) -> None:
    assert await ask(served.app_url, "SHOW listen_addresses") == "127.0.0.1"
    assert await ask(served.app_url, "SHOW timezone") == "UTC"
    assert await ask(served.app_url, "SHOW server_encoding") == "UTF8"
    in_order = "SELECT string_agg(x, '' ORDER BY x) FROM unnest('{b,B,a,É}'::text[]) x"
    assert await ask(served.app_url, in_order) == "BabÉ"
    await ask(served.owner_url, "CREATE EXTENSION pg_trgm")
    assert await ask(served.app_url, "SELECT similarity('邻里小区', '邻里小区一期') > 0.4")
    listening = {
        c.laddr.ip for p in processes_of(prepared) for c in p.net_connections() if c.status == "LISTEN"
    }
    assert listening == {"127.0.0.1"}


async def test_wrong_passwords_are_refused_and_passwords_stay_private(
    served: Servers, prepared: Path
) -> None:
    for url in (served.owner_url, served.app_url):
        secret = urlsplit(url).password
        assert secret
        with pytest.raises(asyncpg.InvalidPasswordError):
            await ask(url.replace(secret, "wrong"), "SELECT 1")
    with pytest.raises(AuthenticationError):
        await ping(served.redis_url.replace(urlsplit(served.redis_url).password or "?", "wrong"))
    secrets = [file.read_text() for file in (prepared / "secrets").iterdir()]
    assert len(set(secrets)) == 4
    commands = " ".join(" ".join(process.cmdline()) for process in processes_of(prepared))
    assert not any(secret in commands or secret in repr(served) for secret in secrets)
    stored = [file for file in prepared.rglob("*") if file.is_file() and _holds(file, secrets)]
    assert stored
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in stored)


def _holds(file: Path, secrets: list[str]) -> bool:
    content = file.read_bytes()
    return any(secret.encode() in content for secret in secrets)
