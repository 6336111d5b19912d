"""Processes as they run: apart against given servers, stopped, killed, and beside each other."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import psutil
import pytest

from api.migrating import migrate
from api.servers.supervisor import Servers, Supervisor
from tests.factories.programs import free_port, run, started, wait_for


@pytest.fixture(scope="module")
async def servers(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Servers]:
    """A database and a cache that others run, as on a machine that has them already; migrated."""
    supervisor = Supervisor(tmp_path_factory.mktemp("given") / "servers", durable=False)
    found = await supervisor.start()
    await migrate(found.owner_url, found.app_url)
    yield found
    await supervisor.stop()


@pytest.fixture
def settings(servers: Servers, tmp_path: Path) -> dict[str, str]:
    return {
        "LINLI_HOME": str(tmp_path / "home"),
        "DATABASE_URL": servers.app_url,
        "DATABASE_OWNER_URL": servers.owner_url,
        "REDIS_URL": servers.redis_url,
    }


def typename(url: str) -> int:
    return httpx.post(f"{url}/graphql", json={"query": "query A { __typename }"}, timeout=30).status_code


def test_api_worker_and_scheduler_run_apart_against_given_servers(
    settings: dict[str, str], tmp_path: Path
) -> None:
    with (
        started(tmp_path, "api", **settings) as one,
        started(tmp_path, "api", **settings) as two,
        started(tmp_path, "worker", **settings) as worker,
        started(tmp_path, "scheduler", **settings) as scheduler,
    ):
        assert typename(one.url) == typename(two.url) == 200
        wait_for(scheduler, "scheduler.leads")
        wait_for(worker, "worker.delivers")
        assert not list((tmp_path / "home").glob("postgres")), "no private server was started"
        one.process.kill()
        assert one.process.wait(10) == -signal.SIGKILL
        assert typename(two.url) == 200
        assert worker.process.poll() is None
        assert [each.stop() for each in (two, worker, scheduler)] == [0, 0, 0]
        assert "Traceback" not in two.said() + worker.said() + scheduler.said()


def test_one_address_is_enough_and_the_doctor_warns(servers: Servers, tmp_path: Path) -> None:
    settings = {"LINLI_HOME": str(tmp_path / "home"), "DATABASE_URL": servers.owner_url}
    with started(tmp_path, "serve", **settings) as program:
        assert typename(program.url) == 200
        said = run("doctor", PORT=program.url.rpartition(":")[2], **settings)
        assert said.returncode == 0, said.stdout
        assert "! 数据库角色" in said.stdout
        assert "拥有数据表" in said.stdout
        assert not (tmp_path / "home" / "postgres").exists()


def test_a_request_in_flight_is_answered_and_readiness_says_no_meanwhile(
    settings: dict[str, str], servers: Servers, tmp_path: Path
) -> None:
    with started(tmp_path, "api", LINLI_DRAIN_S=2, **settings) as program, ThreadPoolExecutor(1) as pool:
        held = asyncio.run(
            _hold_accounts(servers.owner_url, lambda: pool.submit(_slow, program.url), program)
        )
        assert held.status_code == 200, held.text
        assert program.process.wait(20) == 0
        with pytest.raises(httpx.TransportError):
            httpx.get(f"{program.url}/health")


def _slow(url: str) -> httpx.Response:
    query = """mutation S($i: SignInStaffInput!) { signInStaff(input: $i) { errors { code } } }"""
    body = {"query": query, "variables": {"i": {"login": "nobody", "password": "x", "device": "d"}}}
    return httpx.post(f"{url}/graphql", json=body, timeout=30)


async def _hold_accounts(owner_url: str, ask: Any, program: Any) -> httpx.Response:  # Any: of this file
    """Lock what signing in reads, ask, stop the program, look at its readiness, and let go."""
    connection = await asyncpg.connect(owner_url)
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE staff_member, account IN ACCESS EXCLUSIVE MODE")
            answer = ask()
            await asyncio.sleep(0.7)
            assert not answer.done()
            program.process.send_signal(signal.SIGTERM)
            await asyncio.sleep(0.5)
            refused = await asyncio.to_thread(httpx.get, f"{program.url}/ready")
            assert (refused.status_code, refused.json()) == (503, {"status": "stopping"})
            await asyncio.sleep(2)
        return await asyncio.wrap_future(answer)
    finally:
        await connection.close()


def test_a_port_in_use_is_said_before_anything_is_started(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for command in ("serve", "api", "demo"):
            said = run(command, PORT=port, LINLI_HOME=tmp_path / "home")
            assert said.returncode == 1
            assert f"端口 {port} 已被占用" in said.stderr
            assert "Traceback" not in said.stderr
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("DATABASE_URL", "postgresql://linli_app:wrong@{host}/linli", "用户名或密码不对"),
        ("DATABASE_URL", "postgresql://{app}@{host}/nowhere", "没有名为 nowhere 的数据库"),
        ("DATABASE_URL", "postgresql://a:b@127.0.0.1:1/linli", "没有响应"),
        ("DATABASE_OWNER_URL", "postgresql://linli_owner:wrong@{host}/linli", "用户名或密码不对"),
        ("REDIS_URL", "redis://127.0.0.1:1/0", "没有响应"),
        ("REDIS_URL", "redis://:wrong@{cache}/0", "密码"),
        ("REDIS_URL", "redis://{cache}/0", "密码"),
    ],
)
def test_servers_that_cannot_be_used_are_said_in_words(
    name: str, value: str, why: str, settings: dict[str, str], servers: Servers
) -> None:
    user, _, host = servers.app_url.removeprefix("postgresql://").partition("@")
    cache = servers.redis_url.rpartition("@")[2].removesuffix("/0")
    wrong = value.format(host=host.removesuffix("/linli"), app=user, cache=cache)
    said = run("worker", **(settings | {name: wrong}))
    assert said.returncode == 1
    assert name in said.stderr
    assert why in said.stderr
    assert "Traceback" not in said.stderr
    assert user.partition(":")[2] not in said.stderr


def test_a_stop_during_the_start_leaves_no_process(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with started(tmp_path, "worker", LINLI_HOME=home) as program:
        deadline = time.monotonic() + 30
        while not (home / "run" / "users").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert program.stop() == 128 + signal.SIGTERM, program.said()
    assert processes_of(home) == []


def test_a_killed_run_blocks_nothing_and_ctrl_c_leaves_no_process(tmp_path: Path) -> None:
    home = tmp_path / "home"
    port = free_port()
    with started(tmp_path, "serve", PORT=port, LINLI_HOME=home) as program:
        os.killpg(program.process.pid, signal.SIGKILL)
        program.process.wait(10)
    assert processes_of(home), "the servers of a killed run live on, for the next to take over"
    before = time.monotonic()
    with started(tmp_path, "serve", PORT=port, LINLI_HOME=home) as program:
        assert typename(program.url) == 200
        with started(tmp_path, "serve", LINLI_HOME=home) as beside:
            assert typename(beside.url) == 200
            assert beside.stop(signal.SIGINT) == 0
        assert typename(program.url) == 200, "the servers are shared, and stay while one run uses them"
        os.killpg(program.process.pid, signal.SIGINT)
        assert program.process.wait(20) == 0
    assert processes_of(home) == []
    assert time.monotonic() - before < 60


def processes_of(home: Path) -> list[int]:
    found = []
    for process in psutil.process_iter(["cmdline", "cwd"]):
        if str(home) in f"{process.info['cwd']} {process.info['cmdline']}":
            found.append(process.pid)
    return found
