"""Where people are reached: one address a channel, sealed; closed, joined, put right."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import pytest

from domains.kernel import clock, database, sealing
from notifications import addresses
from notifications.addresses import Reached
from notifications.channels.port import Address
from notifications.kinds import Channel, FieldType, Kind, Text
from notifications.notifying import notify

pytestmark = pytest.mark.usefixtures("instance")

KIND = Kind(
    "test.told", Text("测试", "Test"), {"house": FieldType.TEXT}, Text("{house}", "{house}"), Text("", "")
)


async def contacts(account_id: UUID) -> dict[str, tuple[str, str]]:
    """Channel → address and mini-program."""
    rows = await database.fetch(
        "SELECT channel, address_sealed, app_id FROM contact WHERE account_id = $1", account_id
    )
    return {
        row["channel"]: (sealing.unseal(row["address_sealed"], "contact.address"), row["app_id"])
        for row in rows
    }


async def number(sql: str, *args: object) -> int:
    return int(await database.fetchval(sql, *args))


async def tell(*accounts: UUID, key: str | None = None) -> int:
    async with database.transaction():
        return await notify(
            accounts, KIND, {"house": "3-1-101"}, dedupe_key=key or str(uuid4()), compound_id=None
        )


async def consent(account_id: UUID, channel: str = "wechat", state: str = "free") -> None:
    await database.execute(
        "INSERT INTO message_consent (id, account_id, channel, template_id, state, granted_at) "
        "VALUES ($1, $2, $3, 'template', $4, now())", uuid4(), account_id, channel, state,
    )  # fmt: skip


async def consents(account_id: UUID) -> list[str]:
    rows = await database.fetch(
        "SELECT state FROM message_consent WHERE account_id = $1 ORDER BY state", account_id
    )
    return [row["state"] for row in rows]


async def browser(account_id: UUID) -> None:
    id = uuid4()
    await database.execute(
        "INSERT INTO push_subscription (id, account_id, session_id, endpoint_sealed, endpoint_index, keys_sealed, "
        "created_at) VALUES ($1, $2, $3, $4, $5, $6, now())", id, account_id, uuid4(), b"e", id.bytes, b"k",
    )  # fmt: skip


async def test_an_address_is_sealed_and_the_last_one_counts() -> None:
    me = uuid4()
    await addresses.know(me, "en")
    await addresses.keep(me, Channel.SMS, "13900000001")
    await addresses.keep(me, Channel.WECHAT, "openid-1", "wx1")
    await addresses.keep(me, Channel.WECHAT, "openid-2", "wx1")
    assert await contacts(me) == {"sms": ("13900000001", ""), "wechat": ("openid-2", "wx1")}
    assert await database.fetchval("SELECT language FROM recipient WHERE account_id = $1", me) == "en"
    raw = await database.fetchval(
        "SELECT address_sealed FROM contact WHERE account_id = $1 AND channel = 'sms'", me
    )
    assert b"13900000001" not in bytes(raw)


async def test_what_is_known_already_is_not_written() -> None:
    me = uuid4()
    await addresses.keep(me, Channel.SMS, "13900000001")
    await consent(me)
    before = await database.fetch("SELECT * FROM contact WHERE account_id = $1", me)
    async with database.counted() as cost:
        await addresses.keep(me, Channel.SMS, "13900000001")
    assert await database.fetch("SELECT * FROM contact WHERE account_id = $1", me) == before
    assert cost.count == 1
    assert await consents(me) == ["free"]


async def test_a_consent_was_given_by_whom_the_platform_knew() -> None:
    me, other = uuid4(), uuid4()
    await addresses.keep(me, Channel.WECHAT, "openid-1", "wx1")
    for account, channel in ((me, "wechat"), (me, "alipay"), (other, "wechat")):
        await consent(account, channel)
    await addresses.keep(me, Channel.WECHAT, "openid-2", "wx1")
    assert (await consents(me), await consents(other)) == (["free", "void"], ["free"])


async def test_writers_of_one_account_at_once_leave_one_address() -> None:
    me = uuid4()
    await asyncio.gather(*(addresses.keep(me, Channel.SMS, f"1390000000{n}") for n in range(8)))
    assert await number("SELECT count(*) FROM contact WHERE account_id = $1", me) == 1


async def test_a_forgotten_address_is_gone_and_no_other() -> None:
    me = uuid4()
    await addresses.keep(me, Channel.SMS, "13900000001")
    await addresses.keep(me, Channel.ALIPAY, "open", "2021")
    assert await addresses.forget(me, Channel.SMS) is True
    assert await addresses.forget(me, Channel.SMS) is False
    assert set(await contacts(me)) == {"alipay"}


@pytest.mark.parametrize("was_known", [True, False])
async def test_who_is_closed_is_told_nothing_until_known_again(was_known: bool) -> None:
    me, other = uuid4(), uuid4()
    for account in (me, other):
        if was_known:
            await addresses.know(account, "en")
        await addresses.keep(account, Channel.SMS, "13900000001")
        await browser(account)
    await addresses.close(me)
    closed_at = await database.fetchval("SELECT closed_at FROM recipient WHERE account_id = $1", me)
    await addresses.close(me)
    assert await database.fetchval("SELECT closed_at FROM recipient WHERE account_id = $1", me) == closed_at
    assert await tell(me, other) == 1
    assert await contacts(me) == {}
    assert await number("SELECT count(*) FROM push_subscription WHERE account_id = $1", me) == 0
    assert set(await contacts(other)) == {"sms"}
    assert await number("SELECT count(*) FROM push_subscription WHERE account_id = $1", other) == 1
    await addresses.know(me, "en")
    assert await tell(me) == 1


async def test_a_joined_account_gives_what_the_kept_one_lacks() -> None:
    kept, closed = uuid4(), uuid4()
    await addresses.keep(kept, Channel.SMS, "13900000001")
    await addresses.keep(closed, Channel.SMS, "13900000002")
    await addresses.keep(closed, Channel.WECHAT, "openid-1", "wx1")
    await consent(closed)
    await browser(closed)
    await wish(closed, "a", "wechat", False)
    await wish(closed, "b", "wechat", False)
    await wish(kept, "b", "wechat", True)
    await tell(closed, key="both")
    await tell(kept, key="both")
    await tell(closed, key="one")
    async with database.transaction():
        await addresses.join(kept, closed)
    assert await contacts(kept) == {"sms": ("13900000001", ""), "wechat": ("openid-1", "wx1")}
    assert await contacts(closed) == {}
    assert (await consents(kept), await consents(closed)) == (["free"], [])
    assert await wishes(kept) == {("a", "wechat"): False, ("b", "wechat"): True}
    assert await number("SELECT count(*) FROM notification WHERE account_id = $1", kept) == 2
    assert (
        await number("SELECT count(*) FROM push_subscription WHERE account_id = ANY($1)", [kept, closed]) == 0
    )
    assert await told(kept) == ["inbox.added", "inbox.joined"]
    assert await tell(kept, closed) == 1


async def wish(account_id: UUID, kind: str, channel: str, is_on: bool) -> None:
    await database.execute(
        "INSERT INTO notification_preference (id, account_id, kind, channel, is_on, updated_at) "
        "VALUES ($1, $2, $3, $4, $5, now())", uuid4(), account_id, kind, channel, is_on,
    )  # fmt: skip


async def wishes(account_id: UUID) -> dict[tuple[str, str], bool]:
    rows = await database.fetch(
        "SELECT kind, channel, is_on FROM notification_preference WHERE account_id = $1", account_id
    )
    return {(row["kind"], row["channel"]): row["is_on"] for row in rows}


async def told(account_id: UUID) -> list[str]:
    rows = await database.fetch(
        "SELECT name FROM viewer_event WHERE account_id = $1 ORDER BY at, id", account_id
    )
    return [row["name"] for row in rows]


async def test_a_join_that_brings_no_notice_tells_nobody() -> None:
    kept, closed = uuid4(), uuid4()
    async with database.transaction():
        await addresses.join(kept, closed)
    assert await told(kept) == []


async def test_a_consent_goes_with_its_address_only() -> None:
    kept, closed = uuid4(), uuid4()
    await addresses.keep(kept, Channel.WECHAT, "openid-1", "wx1")
    await addresses.keep(closed, Channel.WECHAT, "openid-2", "wx1")
    await consent(closed)
    async with database.transaction():
        await addresses.join(kept, closed)
    assert await contacts(kept) == {"wechat": ("openid-1", "wx1")}
    assert await consents(kept) == []


async def test_deliveries_on_their_way_come_along_and_of_two_digests_one_is_left() -> None:
    kept, closed = uuid4(), uuid4()
    for account, keys in ((kept, "k"), (closed, "cd")):
        for key in keys:
            await tell(account, key=f"{account}{key}")
    await waiting(kept, is_digest=True)
    await waiting(closed, is_digest=True)
    await waiting(closed, is_digest=False)
    async with database.transaction():
        await addresses.join(kept, closed)
    rows = await database.fetch(
        "SELECT account_id, state, reason FROM delivery WHERE account_id = ANY($1) ORDER BY state",
        [kept, closed],
    )
    assert [tuple(row.values()) for row in rows] == [
        (kept, "pending", None), (kept, "pending", None), (kept, "suppressed", "ACCOUNTS_JOINED"),
    ]  # fmt: skip


async def waiting(account_id: UUID, *, is_digest: bool) -> None:
    """A message by SMS that waits, of a notice that none waits for."""
    row = await database.fetchrow(
        "SELECT id, notice_id FROM notification n WHERE account_id = $1 "
        "AND NOT EXISTS (SELECT FROM delivery d WHERE d.notification_id = n.id) LIMIT 1",
        account_id,
    )
    assert row is not None
    await database.execute(
        "INSERT INTO delivery (id, notice_id, notification_id, account_id, kind, channel, is_urgent, is_digest, "
        "is_climb, state, attempts, due_at, expires_at, created_at) VALUES "
        "($1, $2, $3, $4, $5, 'sms', false, $6, false, 'pending', 0, $7, $7, $7)",
        uuid4(), row["notice_id"], row["id"], account_id, KIND.name, is_digest, clock.now(),
    )  # fmt: skip


async def test_rows_that_are_not_what_they_should_be_are_put_right_and_others_left() -> None:
    new, right, wrong, closed = (uuid4() for _ in range(4))
    await addresses.know(right, "zh")
    await addresses.keep(right, Channel.WECHAT, "older", "wx1")
    await addresses.know(wrong, "en")
    await addresses.keep(wrong, Channel.SMS, "13900000009")
    await addresses.keep(wrong, Channel.ALIPAY, "gone", "2021")
    await addresses.know(closed, "zh")
    await addresses.keep(closed, Channel.SMS, "13900000003")
    phone = Address("13900000001")
    wanted = [
        Reached(new, "en", addresses={"sms": [phone]}),
        Reached(right, "zh", addresses={"wechat": [Address("newer", "wx1"), Address("older", "wx1")]}),
        Reached(wrong, "zh", addresses={"sms": [phone]}),
        Reached(closed, "zh", is_closed=True, addresses={"sms": [phone]}),
    ]
    assert await addresses.wrong(wanted) == sorted([new, wrong, closed])
    async with database.transaction():
        await addresses.correct(wanted)
    assert await addresses.wrong(wanted) == []
    assert await contacts(new) == await contacts(wrong) == {"sms": ("13900000001", "")}
    assert await contacts(right) == {"wechat": ("older", "wx1")}
    assert await contacts(closed) == {}
    assert await tell(new, right, wrong, closed) == 3


async def test_an_address_that_no_key_opens_is_written_anew() -> None:
    me = uuid4()
    await addresses.know(me, "zh")
    await addresses.keep(me, Channel.SMS, "13900000001")
    await database.execute("UPDATE contact SET address_sealed = '\\x01ff' WHERE account_id = $1", me)
    wanted = [Reached(me, "zh", addresses={"sms": [Address("13900000001")]})]
    assert await addresses.wrong(wanted) == [me]
    await addresses.correct(wanted)
    assert await contacts(me) == {"sms": ("13900000001", "")}


async def test_nobody_to_put_right_is_nothing() -> None:
    assert await addresses.wrong([]) == []
    await addresses.correct([])
