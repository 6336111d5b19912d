"""A process is killed in the middle of a command: nothing of it stays, and the same key runs again."""

from __future__ import annotations

from uuid import uuid4

import pytest

from api.instance import Addresses
from domains.kernel import database
from domains.kernel.actor import Actor
from tests.factories.kernel import audit_rows
from tests.faults.conftest import Nursery, effects, eventually
from tests.faults.worker import transfer

pytestmark = pytest.mark.usefixtures("empty")


async def test_a_command_killed_in_the_middle_leaves_nothing_and_its_key_runs_again(
    addresses: Addresses, nursery: Nursery
) -> None:
    caller, key = Actor("resident", uuid4()), uuid4()
    pid = nursery.spawn("transferring", addresses.app_url, str(caller.id), str(key))
    await eventually(lambda: effects("inside"))
    nursery.kill(pid)
    assert await transfer(caller, subject="money", idempotency_key=key) == 42
    assert await transfer(caller, subject="money", idempotency_key=key) == 42
    assert await effects("transfer") == [("money", 0)]
    assert await database.fetchval("SELECT count(*) FROM outbox_message") == 1
    assert len([row for row in await audit_rows("fault.transfer") if row["actor_id"] == caller.id]) == 1
