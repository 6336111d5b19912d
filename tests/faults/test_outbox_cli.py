"""`linli outbox`: what an operator sees of what was given up, and takes up again."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from api.cli import running
from api.cli.outbox import app
from api.instance import Addresses
from api.settings import Settings

PARKED = """
INSERT INTO outbox_message (event_id, event, subject, payload, state, attempts, error, urgent, recorded_at, available_at)
SELECT gen_random_uuid(), 'BillIssued', 'bill_id:' || n, '{}', 'parked', 8, E'ValueError: 没有纸\\nDETAIL',
    false, now(), now()
FROM generate_series(1, 3) AS n RETURNING id
"""


@pytest.fixture
def runner(addresses: Addresses, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """Commands of this module's own database."""
    named = {
        "database_url": SecretStr(addresses.app_url),
        "database_owner_url": SecretStr(addresses.owner_url),
        "redis_url": SecretStr(addresses.redis_url),
    }
    monkeypatch.setattr(running, "load_settings", lambda: settings.model_copy(update=named))
    return CliRunner()


async def park(addresses: Addresses) -> list[int]:
    connection = await asyncpg.connect(addresses.app_url)
    try:
        return [row["id"] for row in await connection.fetch(PARKED)]
    finally:
        await connection.close()


def test_what_was_given_up_is_listed_and_taken_up_again(addresses: Addresses, runner: CliRunner) -> None:
    first, second, third = asyncio.run(park(addresses))
    listed = runner.invoke(app, ["list"])
    assert "已搁置 3 条" in listed.output
    assert f"{first}\tBillIssued\tbill_id:1" in listed.output
    assert "DETAIL" not in listed.output
    retried = runner.invoke(app, ["retry", str(second), "999999"])
    assert f"{second} 已重新投递" in retried.output
    assert "999999 不是已搁置的消息" in retried.output
    assert "已重新投递 2 条" in runner.invoke(app, ["retry", "--all"]).output
    assert "已搁置 0 条" in runner.invoke(app, ["list"]).output
    assert third > second > first


@pytest.mark.parametrize(
    "arguments", [["retry"], ["retry", "1", "--all"], ["retry", "x"], ["list", "--limit", "0"]]
)
def test_a_command_that_says_nothing_or_two_things_changes_nothing(
    runner: CliRunner, arguments: list[str]
) -> None:
    assert runner.invoke(app, arguments).exit_code == 2
