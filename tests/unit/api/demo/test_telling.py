"""The demo's messages: one for every way a delivery can end, and nothing new at the second start."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest

from api.demo.loading import fill_inboxes, load_demo
from api.demo.people import demo_people
from api.demo.telling import settled, tell_demo
from api.instance import Addresses, running
from api.settings import Settings
from domains.identity.models import Account
from domains.kernel import database
from domains.residents.models import Registration
from tests.unit.stand_ins.stand import Stand
from tests.unit.stand_ins.stand import running as stand_running


@pytest.fixture(scope="module")
def stand(settings: Settings) -> Iterator[Stand]:
    """The stand-ins, at home where the instance looks for them."""
    with stand_running(settings.home / "platform") as started:
        yield started


@pytest.fixture(scope="module")
async def loaded(settings: Settings, addresses: Addresses, stand: Stand) -> AsyncIterator[Addresses]:
    """The demo over stand-ins, as the first start leaves it."""
    there = replace(addresses, platform_url=str(stand.http.base_url).rstrip("/"))
    async with running(settings, there):
        await load_demo()
        await fill_inboxes(there)
        yield there


async def ends() -> Counter[str]:
    """How deliveries ended, by channel."""
    return Counter(
        f"{row['channel']} {row['state']}" for row in await database.fetch("SELECT * FROM delivery")
    )


ENDS = {
    "wechat sent": 1, "wechat suppressed": 1, "wechat uncertain": 1, "wechat expired": 1, "webhook dead": 1,
    "webhook sent": 1, "webpush pending": 1,
}  # fmt: skip


async def test_there_is_one_for_every_way_it_can_end(loaded: Addresses, stand: Stand) -> None:
    assert await ends() == ENDS
    shown = stand.http.get("/open/messages", params={"channel": "wechat"}).json()["messages"]
    # The one of which the answer was lost did arrive.
    assert len(shown) == 2
    unread = (
        "SELECT count(*) FROM notification n JOIN account a ON a.id = n.account_id WHERE n.read_at IS %s NULL"
    )
    assert await database.fetchval(unread % "") > 0 and await database.fetchval(unread % "NOT") > 0
    waits = await Registration.filter(state="pending")
    assert [each.name for each in waits] == [demo_people().tenant.name]


async def test_the_second_start_asks_once_and_does_nothing(loaded: Addresses) -> None:
    before = await ends()
    async with database.counted() as statements:
        await fill_inboxes(loaded)
    assert statements.count == 1
    await settled()
    assert await ends() == before


async def test_what_broke_off_goes_on_without_telling_anything_twice(loaded: Addresses) -> None:
    notices = "SELECT count(*) FROM notice WHERE kind <> 'webhook.test'"
    before = await database.fetchval(notices)
    accounts = await Account.all().count()
    await database.execute("DELETE FROM delivery WHERE kind = 'webhook.test'")
    await tell_demo(loaded.platform_url)
    assert await database.fetchval(notices) == before
    assert await Account.all().count() == accounts
    assert await database.fetchval("SELECT count(*) FROM webhook_endpoint") == 1


async def test_without_stand_ins_nobody_is_told_anything(loaded: Addresses) -> None:
    await database.execute("DELETE FROM delivery WHERE kind = 'webhook.test'")
    await fill_inboxes(replace(loaded, platform_url=""))
    assert await database.fetchval("SELECT count(*) FROM delivery WHERE kind = 'webhook.test'") == 0
