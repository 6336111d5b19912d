"""`linli jobs` and `linli staff`: what operators type."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest
from typer.testing import CliRunner, Result

from api.cli.commands import app
from api.instance import Addresses

Linli = Callable[..., Result]


@pytest.fixture
def linli(addresses: Addresses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Linli:
    """The command line against this module's database."""
    monkeypatch.setenv("LINLI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DATABASE_URL", addresses.app_url)
    monkeypatch.setenv("DATABASE_OWNER_URL", addresses.owner_url)
    monkeypatch.setenv("REDIS_URL", addresses.redis_url)

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(app, arguments)

    return invoke


async def fetch(addresses: Addresses, statement: str) -> list[tuple[object, ...]]:
    connection = await asyncpg.connect(addresses.owner_url)
    try:
        return [tuple(row.values()) for row in await connection.fetch(statement)]
    finally:
        await connection.close()


def line_of(listed: Result, name: str) -> str:
    assert listed.exit_code == 0, listed.output
    return next(line for line in listed.output.splitlines() if line.startswith(f"{name}\t"))


def test_jobs_are_listed_run_paused_and_resumed(linli: Linli) -> None:
    fresh = line_of(linli("jobs", "list"), "audit.seal")
    assert fresh.startswith("audit.seal\t正常\t*/5 * * * *\t下次 20") and "未运行过" in fresh
    assert "没有运行记录" in linli("jobs", "runs", "audit.seal").output
    assert "已要求运行 audit.seal" in linli("jobs", "run", "audit.seal").output
    again = linli("jobs", "run", "audit.seal")
    assert (again.exit_code, again.stderr) == (
        1,
        "这个任务正在等待运行或正在运行,请等它结束后再试(JOB_UNDER_WAY)\n",
    )
    asked = linli("jobs", "runs", "audit.seal").output.split("\t")
    assert (asked[1:3], asked[4]) == (["等待运行", "0"], "系统")
    assert linli("jobs", "pause", "audit.seal", "--reason", "换服务器").output == "已暂停 audit.seal\n"
    paused = line_of(linli("jobs", "list"), "audit.seal")
    assert "已暂停:换服务器" in paused and "下次 -" in paused and "等待运行" in paused
    assert linli("jobs", "resume", "audit.seal").output == "已恢复 audit.seal\n"
    assert "JOB_NOT_PAUSED" in linli("jobs", "resume", "audit.seal").stderr
    for wrong in (("run", "no.such"), ("pause", "no.such", "--reason", "x"), ("resume", "no.such")):
        refused = linli("jobs", *wrong)
        assert (refused.exit_code, "没有这个定时任务" in refused.stderr) == (1, True)
    assert linli("jobs", "pause", "audit.seal").exit_code == 2  # why is not optional


def test_the_first_of_the_staff_and_whom_the_command_names_run_the_installation(
    linli: Linli, addresses: Addresses
) -> None:
    flags = "SELECT login, is_operator FROM staff_member ORDER BY login"
    for login in ("first", "second"):
        assert linli("create-staff", login, "--name", "许文博", "--company", "桂语物业").exit_code == 0
    assert asyncio.run(fetch(addresses, flags)) == [("first", True), ("second", False)]
    assert linli("staff", "operator", "--login", "Second").output == "Second 已是系统运维人员;现有 2 位\n"
    revoked = linli("staff", "operator", "--login", "first", "--revoke")
    assert revoked.output == "first 不再是系统运维人员;现有 1 位\n"
    unknown = linli("staff", "operator", "--login", "nobody")
    assert (unknown.exit_code, "STAFF_NOT_FOUND" in unknown.stderr) == (1, True)
    assert asyncio.run(fetch(addresses, flags)) == [("first", False), ("second", True)]
