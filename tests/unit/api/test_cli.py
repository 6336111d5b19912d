"""The command line: what it does, what it refuses in words, and what the doctor finds in broken installations."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import asyncpg
import pytest
import time_machine
from typer.testing import CliRunner, Result

from api.addresses import Addresses
from api.cli.commands import app
from api.cli.doctor import installation, journals, keyrings, outside, stores
from api.cli.doctor.findings import Finding
from api.keys import load_keys
from api.servers.errors import ProgramMissing
from api.settings import REPOSITORY, Settings
from domains.kernel import audit, database
from domains.kernel.actor import SYSTEM
from domains.kernel.ids import uuid7

pytestmark = pytest.mark.usefixtures("instance")

REGION = "浙江省/杭州市/西湖区/文新街道/星洲社区"
COMMANDS = (
    "serve", "api", "worker", "scheduler", "migrate", "import-houses", "create-staff", "create-compound",
    "verify-audit", "export-schema", "doctor", "demo", "outbox",
)  # fmt: skip

Linli = Callable[..., Result]


@pytest.fixture
def linli(addresses: Addresses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Linli:
    """The command line against this module's database."""
    monkeypatch.setenv("LINLI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DATABASE_URL", addresses.app_url)
    monkeypatch.setenv("DATABASE_OWNER_URL", addresses.owner_url)
    monkeypatch.setenv("REDIS_URL", addresses.redis_url)

    def invoke(*arguments: str, stdin: str = "") -> Result:
        return CliRunner().invoke(app, arguments, input=stdin)

    return invoke


def states(findings: list[Finding]) -> dict[str, str]:
    return {each.check: each.state for each in findings}


def test_every_command_is_listed(linli: Linli) -> None:
    listed = linli("--help").output
    assert [name for name in COMMANDS if name not in listed] == []


def test_a_company_is_set_up_from_the_command_line(linli: Linli, tmp_path: Path) -> None:
    made = linli("create-compound", "桂语里", "--company", "桂语物业", "--region", REGION, "--code", "gyl001")
    assert (made.exit_code, made.output) == (0, "桂语里 GYL001\n")
    again = linli("create-compound", "桂语里", "--company", "桂语物业", "--region", REGION)
    assert again.exit_code == 1
    assert "桂语里已经存在" in again.stderr
    staff = linli("create-staff", "manager", "--name", "许文博", "--company", "桂语物业")
    assert staff.exit_code == 0
    assert len(staff.output.split()[1]) >= 10
    taken = linli("create-staff", "manager", "--name", "许文博", "--company", "桂语物业")
    assert taken.exit_code == 1
    weak = linli("create-staff", "second", "--name", "何晓燕", "--company", "桂语物业", stdin="123\n")
    assert "密码至少" in weak.stderr


def test_a_register_that_is_none_imports_nothing(linli: Linli, tmp_path: Path) -> None:
    linli("create-compound", "台账里", "--company", "桂语物业", "--region", REGION, "--code", "TZL001")
    (broken := tmp_path / "broken.xlsx").write_bytes(b"PK\x03\x04 not a workbook")
    assert linli("import-houses", "NOWHERE", str(broken)).exit_code == 1
    refused = linli("import-houses", "TZL001", str(broken))
    assert refused.exit_code == 1
    assert refused.exception is None or isinstance(refused.exception, SystemExit)


def test_a_current_database_has_nothing_to_migrate(linli: Linli) -> None:
    assert linli("migrate").output == "数据库已是最新\n"


def test_production_migrates_with_the_owner_only(linli: Linli, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.unit.api.test_settings import production

    for name, value in production().items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("DATABASE_OWNER_URL")
    refused = linli("migrate")
    assert refused.exit_code == 1
    assert "DATABASE_OWNER_URL" in refused.stderr


def test_the_schema_that_is_printed_is_the_committed_one(linli: Linli) -> None:
    assert linli("export-schema").output == (REPOSITORY / "schema.graphql").read_text(encoding="utf-8")


def test_outbox_and_audit_are_looked_at(linli: Linli) -> None:
    assert "已搁置 0 条" in linli("outbox", "list").output
    assert "审计日志完整" in linli("verify-audit").output


def test_wrong_settings_are_words_and_not_a_trace(linli: Linli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "abc")
    for command in ("serve", "api", "worker", "migrate"):
        refused = linli(command)
        assert refused.exit_code == 2
        assert "PORT 必须是整数" in refused.stderr
    told = linli("doctor", "--json")
    assert told.exit_code == 1
    assert {"check": "配置", "state": "problem"}.items() <= json.loads(told.output)[-1].items()


def test_a_sound_installation_has_no_problem(linli: Linli, tmp_path: Path) -> None:
    load_keys(Settings(home=tmp_path / "home"))
    told = linli("doctor", "--json")
    findings = json.loads(told.output)
    assert [each for each in findings if each["state"] == "problem"] == []
    assert told.exit_code == 0
    assert {each["check"] for each in findings} >= {
        "Python",
        "依赖包",
        "数据库",
        "数据库角色",
        "缓存",
        "密钥",
        "审计日志",
    }
    assert "!" in linli("doctor").output


def test_the_doctor_goes_on_when_a_server_is_away(linli: Linli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://a:b@127.0.0.1:1/linli")
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    found = json.loads(linli("doctor", "--json").output)
    wrong = {each["check"] for each in found if each["state"] == "problem"}
    assert wrong >= {"数据库", "缓存"}
    assert all(each["advice"] for each in found if each["state"] != "ok")


def test_an_old_python_and_differing_packages_are_found(tmp_path: Path) -> None:
    assert installation.python_version((3, 9)).state == "problem"
    lock = tmp_path / "lock.txt"
    lock.write_text(
        "strawberry-graphql==0.0.1 \\\n    --hash=sha256:aa\nnot-there==1.0\n"
        "colorama-nowhere==1 ; sys_platform == 'win32' \\\n"
    )
    found = installation.packages(lock)
    assert found.state == "problem"
    assert "strawberry-graphql" in found.message
    assert "not-there 未安装" in found.message
    assert "nowhere" not in found.message
    assert installation.packages(installation.LOCK).state == "ok"


def test_binaries_that_are_missing_or_do_not_run_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> Path:
        raise ProgramMissing("没有找到")

    (broken := tmp_path / "postgres").write_bytes(b"\x7fELF nothing")
    broken.chmod(0o755)
    monkeypatch.setattr(installation, "valkey_program", missing)
    monkeypatch.setattr(installation, "postgres_programs", lambda: tmp_path)
    found = list(installation.programs(Settings(home=tmp_path)))
    assert [each.state for each in found] == ["problem", "problem"]


@pytest.mark.parametrize(("free", "state"), [(100 << 20, "problem"), (2 << 30, "warning"), (50 << 30, "ok")])
def test_a_full_disk_is_found(free: int, state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    assert installation.disk(tmp_path / "not" / "there").state == state


def test_secrets_that_others_can_read_are_found(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir(mode=0o700)
    assert installation.folder(tmp_path).state == "ok"
    (tmp_path / "secrets").chmod(0o750)
    assert installation.folder(tmp_path).state == "problem"


def test_a_port_that_another_program_has_is_found() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        taken = Settings(port=other.getsockname()[1])
        other.listen()
        assert installation.port(taken).state == "problem"
    assert installation.port(taken).state == "ok"


def test_lost_damaged_and_open_keys_are_found_and_none_is_made(tmp_path: Path) -> None:
    settings, folder = Settings(home=tmp_path), tmp_path / "keys"
    assert states(list(keyrings.examine(settings))) == {"密钥": "ok"}
    assert not folder.exists()
    load_keys(settings)
    assert states(list(keyrings.examine(settings))) == {"密钥": "ok"}
    (folder / "index-key").chmod(0o644)
    assert next(iter(keyrings.examine(settings))).state == "problem"
    (folder / "index-key").chmod(0o600)
    (folder / "index-key").write_text("damaged")
    assert states(list(keyrings.examine(settings))) == {"密钥": "problem"}
    (folder / "index-key").unlink()
    (tmp_path / "postgres" / "data").mkdir(parents=True)
    found = list(keyrings.examine(settings))
    assert found[0].state == "problem"
    assert "LINLI_INDEX_KEY" in found[0].message
    assert not (folder / "index-key").exists()


async def test_a_role_that_owns_the_tables_is_a_warning_and_in_production_a_problem(
    addresses: Addresses,
) -> None:
    same = Addresses(addresses.owner_url, addresses.owner_url, addresses.redis_url)
    assert states(await stores.of_database(Settings(), addresses))["数据库角色"] == "ok"
    assert states(await stores.of_database(Settings(), same))["数据库角色"] == "warning"
    strict = Settings().model_copy(update={"profile": "production"})
    assert states(await stores.of_database(strict, same))["数据库角色"] == "problem"


async def test_a_role_that_may_rewrite_the_audit_is_found(addresses: Addresses) -> None:
    role = urlsplit(addresses.app_url).username
    owner = await asyncpg.connect(addresses.owner_url)
    try:
        await owner.execute(f"GRANT UPDATE ON audit_entry TO {role}")
        found = await stores.of_database(Settings(), addresses)
        await owner.execute(f"REVOKE UPDATE ON audit_entry FROM {role}")
    finally:
        await owner.close()
    assert [each.message for each in found if each.check == "数据库角色"] == [
        "DATABASE_URL 的数据库角色可以修改审计日志或账目,请用 DATABASE_OWNER_URL 重新执行 linli migrate"
    ]


@pytest.mark.parametrize(("shift", "state"), [(0, "ok"), (-5, "warning"), (3600, "problem")])
async def test_a_clock_that_is_off_is_found(addresses: Addresses, shift: int, state: str) -> None:
    connection = await asyncpg.connect(addresses.app_url)
    try:
        with time_machine.travel(0, tick=True) as clock:
            import datetime as dt

            real: dt.datetime = await connection.fetchval("SELECT clock_timestamp()")
            clock.move_to(real + dt.timedelta(seconds=shift))
            assert (await stores.clock_skew(connection)).state == state
    finally:
        await connection.close()


def test_a_cache_that_forgets_limits_is_found() -> None:
    assert stores._eviction({"maxmemory": 1 << 20, "maxmemory_policy": "allkeys-lru"})[0].state == "warning"
    assert stores._eviction({"maxmemory": 1 << 20, "maxmemory_policy": "volatile-ttl"})[0].state == "ok"
    assert stores._eviction({"maxmemory": 0, "maxmemory_policy": "allkeys-lru"})[0].state == "ok"


async def test_platforms_that_do_not_answer_and_bad_documents_are_found(
    addresses: Addresses, tmp_path: Path
) -> None:
    (broken := tmp_path / "documents.json").write_text('{"abc": "query { a }"}')
    real = Settings(
        wechat_app_id="wx", wechat_secret="secret", wechat_url="http://127.0.0.1:1", trusted_documents=broken,  # type: ignore[arg-type]  # pydantic reads the text
    )  # fmt: skip
    found = states(await outside.examine(real, addresses))
    assert found == {
        "微信平台": "problem",
        "微信支付平台": "warning",
        "支付宝平台": "warning",
        "短信平台": "warning",
        "登记的查询": "problem",
    }


async def test_parked_events_and_failed_jobs_are_found() -> None:
    assert set(states(await journals.examine(Settings())).values()) == {"ok"}
    await database.execute(
        """INSERT INTO outbox_message (event_id, event, subject, payload, urgent, state, attempts, recorded_at,
           available_at) VALUES ($1, 'X', 's', '{}', false, 'parked', 8, now(), now())""", uuid7()
    )  # fmt: skip
    await database.execute(
        """INSERT INTO job_run (id, job, due_at, state, attempts, started_at, lease_until)
           VALUES ($1, 'audit.seal', now(), 'failed', 3, now(), now())""", uuid7()
    )  # fmt: skip
    found = states(await journals.examine(Settings()))
    assert (found["事件投递"], found["定时任务"]) == ("problem", "problem")
    await database.execute(
        "UPDATE outbox_message SET state = 'pending', recorded_at = now() - interval '1 hour'"
    )
    late = [each for each in await journals.examine(Settings()) if each.check == "事件投递"]
    assert "60 分钟" in late[0].message
    await database.execute("DELETE FROM outbox_message")
    await database.execute("DELETE FROM job_run")


async def test_missing_migrations_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "api.migrating.APPLIED", "SELECT app, name FROM tortoise_migrations WHERE app <> 'estate'"
    )
    found = await journals.examine(Settings())
    assert [(each.check, each.state) for each in found] == [("数据库结构", "warning")]
    assert "estate.0001_initial" in found[0].message
    strict = Settings().model_copy(update={"profile": "production"})
    assert (await journals.examine(strict))[0].state == "problem"


async def test_an_audit_that_was_rewritten_is_found(addresses: Addresses) -> None:
    async with database.transaction():
        await audit.record(SYSTEM, "test.act", "Thing", uuid7())
    await audit.seal()
    assert states(await journals.examine(Settings()))["审计日志"] == "ok"
    owner = await asyncpg.connect(addresses.owner_url)
    try:
        await owner.execute("ALTER TABLE audit_entry DISABLE TRIGGER USER")
        await owner.execute("UPDATE audit_entry SET action = 'test.other' WHERE action = 'test.act'")
        assert states(await journals.examine(Settings()))["审计日志"] == "problem"
        await owner.execute("UPDATE audit_entry SET action = 'test.act' WHERE action = 'test.other'")
        await owner.execute("ALTER TABLE audit_entry ENABLE TRIGGER USER")
    finally:
        await owner.close()
