"""`linli deliveries`: what operators type."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest
from typer.testing import CliRunner, Result

from api.cli.commands import app
from api.instance import Addresses

Linli = Callable[..., Result]

NOTICE = """
INSERT INTO notice (id, kind, dedupe_key, urgency, data, subject_type, created_at, expires_at)
VALUES ($1, 'test.plain', 'cli', 'normal', '{}', '', now(), now())
"""
NOTIFICATION = """
INSERT INTO notification (id, notice_id, account_id, kind, created_at) VALUES ($1, $1, $1, 'test.plain', now())
"""
DELIVERY = """
INSERT INTO delivery (id, notice_id, notification_id, account_id, kind, channel, is_urgent, is_digest, is_climb,
    state, reason, attempts, due_at, expires_at, created_at, settled_at)
VALUES ($1, $2, $2, $2, 'test.plain', $3, false, false, false, $4, $5, 1, now(), now(), now(), clock_timestamp())
"""
ATTEMPT = """
INSERT INTO delivery_attempt (id, delivery_id, number, outcome, code, detail, began_at, ended_at)
VALUES ($1, $1, 1, 'refused', 'isv.BLACK', 'blocked', now() - interval '1.5 seconds', now())
"""


@pytest.fixture
def linli(addresses: Addresses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Linli:
    """The command line against this module's database."""
    monkeypatch.setenv("LINLI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DATABASE_URL", addresses.app_url)
    monkeypatch.setenv("DATABASE_OWNER_URL", addresses.owner_url)
    monkeypatch.setenv("REDIS_URL", addresses.redis_url)

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(app, ("deliveries", *arguments))

    return invoke


async def fill(addresses: Addresses, dead: UUID, uncertain: UUID, sent: UUID) -> None:
    connection, notice = await asyncpg.connect(addresses.owner_url), uuid4()
    try:
        await connection.execute(NOTICE, notice)
        await connection.execute(NOTIFICATION, notice)
        await connection.execute(DELIVERY, dead, notice, "sms", "dead", "isv.BLACK")
        await connection.execute(ATTEMPT, dead)
        await connection.execute(DELIVERY, uncertain, notice, "voice", "uncertain", "TIMED_OUT")
        await connection.execute(DELIVERY, sent, notice, "alipay", "sent", None)
    finally:
        await connection.close()


async def state(addresses: Addresses, id: UUID) -> tuple[object, ...]:
    connection = await asyncpg.connect(addresses.owner_url)
    try:
        row = await connection.fetchrow(
            "SELECT state, attempts, expires_at > now() FROM delivery WHERE id = $1", id
        )
        assert row is not None
        return tuple(row.values())
    finally:
        await connection.close()


def test_what_did_not_go_out_is_listed_shown_and_sent_again(linli: Linli, addresses: Addresses) -> None:
    dead, uncertain, sent = uuid4(), uuid4(), uuid4()
    asyncio.run(fill(addresses, dead, uncertain, sent))
    listed = linli("list").output.splitlines()
    assert [line.split("\t")[0] for line in listed] == [str(uncertain), str(dead)]
    assert listed[1].split("\t")[2:] == ["投递失败", "sms", "test.plain", "isv.BLACK"]
    assert linli("list", "--state", "expired").output == "没有这样的投递\n"
    shown = linli("show", str(dead)).output
    assert "1.5 秒\trefused\tisv.BLACK\tblocked" in shown and "应发 20" in shown
    again = linli("resend", str(dead), str(sent))
    first, second = again.output.splitlines()
    assert (again.exit_code, first) == (1, f"{dead} 已重新投递")
    assert "只有投递失败、已过期或结果不明的消息可以重新投递(DELIVERY_NOT_RESENDABLE)" in second
    assert asyncio.run(state(addresses, dead)) == ("pending", 0, True)
    assert asyncio.run(state(addresses, sent)) == ("sent", 1, False)


def test_what_is_not_there_is_said(linli: Linli) -> None:
    for command in ("show", "resend"):
        refused = linli(command, str(uuid4()))
        assert refused.exit_code == 1 and "没有这条投递记录" in refused.output
    assert linli("show", "nonsense").exit_code == 2
    assert linli("list", "--state", "lost").exit_code == 2
