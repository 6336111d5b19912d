"""The life of the private servers, against the real programs."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import textwrap
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from api.servers import Child, Supervisor
from api.servers.errors import NotReady, PasswordLost
from api.servers.process import Identity
from api.servers.state import write_state
from tests.unit.api.servers.probes import REPOSITORY, ask, known, ping, processes_of, running


@pytest.mark.parametrize(("durable", "expected"), [(True, "on"), (False, "off")])
async def test_durability_is_the_default_and_can_be_given_up(
    root: Path, durable: bool, expected: str
) -> None:
    supervisor = Supervisor(root) if durable else Supervisor(root, durable=False)
    servers = await supervisor.start(with_valkey=False)
    assert await ask(servers.app_url, "SHOW fsync") == expected
    assert await ask(servers.app_url, "SHOW synchronous_commit") == expected
    assert servers.redis_url == ""
    assert not known(root, "valkey").process.alive()
    await supervisor.stop()


async def test_a_second_run_adopts_and_leaves_the_servers_to_the_first(root: Path) -> None:
    async with running(root) as first:
        before = known(root, "postgres"), known(root, "valkey")
        async with running(root) as second:
            assert second == first
        assert (known(root, "postgres"), known(root, "valkey")) == before
        assert await ask(first.app_url, "SELECT 1") == 1
        assert await ping(first.redis_url)
    assert processes_of(root) == []


async def test_the_first_run_leaves_the_servers_to_a_second_that_still_works(root: Path) -> None:
    first, second = Supervisor(root, durable=False), Supervisor(root, durable=False)
    await first.start()
    servers = await second.start()
    await first.stop()
    assert await ask(servers.app_url, "SELECT 1") == 1
    assert await ping(servers.redis_url)
    await second.stop()
    await second.stop()
    assert processes_of(root) == []


async def test_two_starts_at_once_make_one_pair_of_servers(empty_root: Path) -> None:
    supervisors = [Supervisor(empty_root, durable=False) for _ in range(3)]
    first, *others = await asyncio.gather(*(each.start() for each in supervisors))
    assert all(other == first for other in others)
    assert sum(process.name() == "valkey-server" for process in processes_of(empty_root)) == 1
    assert sum("-D" in process.cmdline() for process in processes_of(empty_root)) == 1
    await asyncio.gather(*(each.stop() for each in supervisors))
    assert processes_of(empty_root) == []


async def test_killed_servers_come_back_with_their_data_on_their_ports(root: Path) -> None:
    supervisor = Supervisor(root)
    before = await supervisor.start()
    await ask(before.owner_url, "CREATE TABLE kept AS SELECT 42 AS n")
    os.kill(known(root, "postgres").process.pid, signal.SIGKILL)
    os.kill(known(root, "valkey").process.pid, signal.SIGKILL)
    async with running(root) as after:
        assert await ask(after.owner_url, "SELECT n FROM kept") == 42
        await ask(after.owner_url, "DROP TABLE kept")
        assert await ping(after.redis_url)
        assert after == before
    await supervisor.stop()
    assert processes_of(root) == []


async def test_a_second_start_of_both_takes_less_than_a_second(root: Path) -> None:
    began = time.monotonic()
    async with running(root):
        assert time.monotonic() - began < 1


async def test_a_process_that_has_the_old_pid_now_is_neither_adopted_nor_killed(root: Path) -> None:
    stranger = await asyncio.create_subprocess_exec("sleep", "60")
    for name in ("postgres", "valkey"):
        state = known(root, name)
        write_state(root / name, replace(state, process=Identity(stranger.pid, "1")))
    (root / "postgres" / "data" / "postmaster.pid").write_text(f"{stranger.pid}\n{root}\n1\n")
    async with running(root) as servers:
        assert await ask(servers.app_url, "SELECT 1") == 1
        assert known(root, "postgres").process.pid != stranger.pid
    assert stranger.returncode is None
    stranger.kill()
    await stranger.wait()


async def test_a_server_that_hangs_is_replaced(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.servers.server._ADOPT_SECONDS", 0.1)
    monkeypatch.setattr("api.servers.valkey._TIMEOUT_SECONDS", 0.1)
    monkeypatch.setattr("api.servers.valkey.Valkey.stop_steps", ((signal.SIGTERM, 0.1),))
    async with running(root):
        hung = known(root, "valkey").process
        os.kill(hung.pid, signal.SIGSTOP)
        async with running(root) as servers:
            assert await ping(servers.redis_url)
            assert not hung.alive()


async def test_a_port_taken_meanwhile_is_given_up(root: Path) -> None:
    taken = known(root, "valkey").port
    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind(("127.0.0.1", taken))
        squatter.listen()
        async with running(root) as servers:
            assert urlsplit(servers.redis_url).port != taken
            assert await ping(servers.redis_url)


async def test_an_initialisation_cut_short_starts_over(empty_root: Path) -> None:
    broken = empty_root / "postgres" / "new"
    broken.mkdir(parents=True)
    (broken / "PG_VERSION").write_text("18")
    async with running(empty_root) as servers:
        assert await ask(servers.app_url, "SELECT 1") == 1


async def test_a_failed_start_shows_the_log_and_leaves_nothing_running(copied_root: Path) -> None:
    (copied_root / "postgres" / "data" / "postgresql.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(NotReady, match="no_such_setting"):
        await Supervisor(copied_root).start()
    assert processes_of(copied_root) == []


async def test_a_start_given_up_half_way_leaves_nothing_running(root: Path) -> None:
    starting = asyncio.create_task(Supervisor(root, durable=False).start())
    while not (known(root, "postgres").process.alive() or starting.done()):
        await asyncio.sleep(0.005)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert processes_of(root) == []


async def test_a_lost_password_is_named_and_leaves_nothing_running(copied_root: Path) -> None:
    (copied_root / "secrets" / "postgres").unlink()
    with pytest.raises(PasswordLost, match="secrets/postgres"):
        await Supervisor(copied_root).start()
    assert processes_of(copied_root) == []


async def test_lost_passwords_of_the_roles_are_made_anew(copied_root: Path) -> None:
    before = {
        name: (copied_root / "secrets" / name).read_text() for name in ("linli_owner", "linli_app", "redis")
    }
    for name in before:
        (copied_root / "secrets" / name).unlink()
    async with running(copied_root) as after:
        assert before["linli_app"] not in after.app_url
        assert await ask(after.app_url, "SELECT 1") == 1
        assert await ping(after.redis_url)


SERVE = """
import socket, sys
with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as server:
    while True:
        server.accept()[0].close()
"""


async def test_children_live_and_end_with_the_servers(root: Path) -> None:
    platform = Child("platform", lambda port: ("-c", SERVE, str(port)), cwd=REPOSITORY)
    supervisor = Supervisor(root, durable=False)
    servers = await supervisor.start(with_postgres=False, children=[platform])
    port = urlsplit(servers.children["platform"]).port
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.close()
    await writer.wait_closed()
    child = known(root / "children", "platform").process
    assert child.alive()
    await supervisor.stop()
    assert not child.alive()
    assert processes_of(root) == []


async def test_a_child_that_fails_says_why(root: Path) -> None:
    broken = Child("platform", lambda port: ("-c", "raise SystemExit('no key')"), cwd=REPOSITORY)
    with pytest.raises(NotReady, match="no key"):
        await Supervisor(root).start(with_postgres=False, children=[broken])
    assert processes_of(root) == []


RUN = """
import asyncio, sys
from pathlib import Path
import asyncpg
from api.servers import Child, Supervisor

SERVE = '''{serve}'''

async def main() -> None:
    supervisor = Supervisor(Path(sys.argv[1]), durable=False)
    children = [Child("platform", lambda port: ("-c", SERVE, str(port)), cwd=Path.cwd())]
    servers = await supervisor.start(children=children)
    try:
        print("ready", flush=True)
        await asyncio.sleep(60)
    finally:
        connection = await asyncpg.connect(servers.app_url)
        print("last answer", await connection.fetchval("SELECT 1"), flush=True)
        await connection.close()
        await supervisor.stop()

try:
    asyncio.run(main())
except KeyboardInterrupt:
    pass
"""


@asynccontextmanager
async def other_run(root: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """A run in a process group of its own, as a shell starts one in the foreground; ready when given."""
    run = await asyncio.create_subprocess_exec(
        sys.executable, "-W", "error", "-c", textwrap.dedent(RUN.format(serve=SERVE)), str(root),
        cwd=REPOSITORY, stdout=asyncio.subprocess.PIPE, process_group=0,
    )  # fmt: skip
    assert run.stdout
    assert await run.stdout.readline() == b"ready\n"
    yield run
    await run.wait()


def wait_gone(root: Path) -> None:
    deadline = time.monotonic() + 10
    while processes_of(root) and time.monotonic() < deadline:
        time.sleep(0.02)


async def test_ctrl_c_reaches_the_app_and_the_servers_outlive_it(root: Path) -> None:
    async with other_run(root) as run:
        assert run.stdout
        os.killpg(run.pid, signal.SIGINT)
        assert await run.stdout.readline() == b"last answer 1\n"
        assert await run.wait() == 0
    assert processes_of(root) == []


async def test_what_a_killed_run_left_is_adopted_but_for_its_children(root: Path) -> None:
    async with other_run(root) as run:
        run.kill()
    left = known(root, "postgres"), known(root, "valkey")
    child = known(root / "children", "platform").process
    assert child.alive()
    platform = Child("platform", lambda port: ("-c", SERVE, str(port)), cwd=REPOSITORY)
    async with running(root, platform) as servers:
        assert (known(root, "postgres"), known(root, "valkey")) == left
        assert await ask(servers.app_url, "SELECT 1") == 1
        assert not child.alive()
    wait_gone(root)
    assert processes_of(root) == []
