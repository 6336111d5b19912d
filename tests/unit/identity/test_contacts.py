"""What identity tells notifications of whom to reach where, in the transaction in which it learns it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from domains.identity import contact, jobs
from domains.identity import permissions as may
from domains.identity.models import Account, PlatformIdentity, Session
from domains.identity.platforms.person import PlatformPerson
from domains.identity.service import joining, staff_accounts
from domains.identity.service.joining import Proof
from domains.identity.service.own_credentials import change_password
from domains.identity.service.profile import update_profile
from domains.identity.service.sessions import end_sessions, revoke_session, sign_out, start_session
from domains.kernel import clock, database, sealing
from domains.kernel.actor import Actor, Origin
from domains.kernel.errors import NotFound
from notifications import addresses
from notifications.kinds import Channel
from tests.factories import identity

pytestmark = pytest.mark.usefixtures("instance")


def somebody() -> PlatformPerson:
    return PlatformPerson("wechat", "wx1", identity.unique("open"))


async def enter(person: PlatformPerson | None = None, phone: str | None = None) -> UUID:
    """The account of somebody who signs in."""
    async with database.transaction():
        account = await joining.account_of(Proof("wechat" if person else "sms", person, phone))
    return account.id


async def reached(account_id: UUID) -> dict[str, tuple[str, str]]:
    rows = await database.fetch(
        "SELECT channel, address_sealed, app_id FROM contact WHERE account_id = $1", account_id
    )
    return {
        row["channel"]: (sealing.unseal(row["address_sealed"], "contact.address"), row["app_id"])
        for row in rows
    }


async def recipient(account_id: UUID) -> tuple[str, bool] | None:
    """Language, and whether told nothing any more; None for whom notifications do not know."""
    row = await database.fetchrow(
        "SELECT language, closed_at IS NOT NULL AS is_closed FROM recipient WHERE account_id = $1", account_id
    )
    return None if row is None else (row["language"], row["is_closed"])


async def test_who_signs_in_is_reached_by_what_was_proved() -> None:
    person, phone = somebody(), identity.new_phone()
    account = await enter(person)
    assert await recipient(account) == ("zh", False)
    assert await reached(account) == {"wechat": (person.open_id, "wx1")}
    assert await enter(person, phone) == account
    assert await reached(account) == {"wechat": (person.open_id, "wx1"), "sms": (phone, "")}


async def test_a_sign_in_that_is_rolled_back_leaves_nothing() -> None:
    before = await database.fetchval("SELECT count(*) FROM recipient")
    with pytest.raises(ZeroDivisionError):
        async with database.transaction():
            await joining.account_of(Proof("wechat", somebody(), identity.new_phone()))
            raise ZeroDivisionError
    assert await database.fetchval("SELECT count(*) FROM recipient") == before


async def test_a_second_sign_in_of_the_same_person_writes_no_contact() -> None:
    person, phone = somebody(), identity.new_phone()
    account = await enter(person, phone)
    before = await database.fetch("SELECT * FROM contact WHERE account_id = $1", account)
    await enter(person, phone)
    assert await database.fetch("SELECT * FROM contact WHERE account_id = $1", account) == before


async def test_a_number_belongs_to_whoever_proved_it_last() -> None:
    person, number = somebody(), identity.new_phone()
    first = await enter(person, number)
    fresh = identity.new_phone()
    assert await enter(person, fresh) == first
    second = await enter(phone=number)
    assert second != first
    assert (await reached(first))["sms"] == (fresh, "")
    assert (await reached(second))["sms"] == (number, "")


async def test_of_two_accounts_of_one_human_one_is_reached() -> None:
    person, phone = somebody(), identity.new_phone()
    by_phone, by_platform = await enter(phone=phone), await enter(person)
    kept = await enter(person, phone)
    closed = by_phone if kept == by_platform else by_platform
    assert kept in (by_phone, by_platform)
    assert await reached(kept) == {"sms": (phone, ""), "wechat": (person.open_id, "wx1")}
    assert (await reached(closed), await recipient(closed)) == ({}, ("zh", True))


async def test_things_are_told_in_the_language_that_was_chosen() -> None:
    account = await enter(phone=identity.new_phone())
    actor = await identity.actor(account)
    await update_profile(actor, language="en")
    assert await recipient(account) == ("en", False)
    await update_profile(actor, name="李住户")
    assert await recipient(account) == ("en", False)


async def administrator() -> tuple[identity.Places, Actor]:
    at = await identity.places()
    return at, await identity.actor(await identity.staff(at, [may.STAFF_WRITE, may.ROLES_WRITE]))


async def test_staff_are_reached_at_their_number_while_they_work_here() -> None:
    _, actor = await administrator()
    phone, new_phone = identity.new_phone(), identity.new_phone()
    made = await staff_accounts.create_staff(actor, login=identity.unique("s"), name="赵师傅", phone=phone)
    staff = made.account_id
    assert (await reached(staff), await recipient(staff)) == ({"sms": (phone, "")}, ("zh", False))
    await staff_accounts.update_staff(actor, account_id=staff, phone=new_phone)
    assert await reached(staff) == {"sms": (new_phone, "")}
    await staff_accounts.disable_staff(actor, account_id=staff)
    assert (await reached(staff), await recipient(staff)) == ({}, ("zh", True))
    await staff_accounts.update_staff(actor, account_id=staff, phone=phone)
    assert await reached(staff) == {}
    await staff_accounts.enable_staff(actor, account_id=staff)
    assert (await reached(staff), await recipient(staff)) == ({"sms": (phone, "")}, ("zh", False))


async def test_staff_without_a_number_are_known_and_not_reached() -> None:
    _, actor = await administrator()
    made = await staff_accounts.create_staff(actor, login=identity.unique("s"), name="钱师傅")
    assert (await reached(made.account_id), await recipient(made.account_id)) == ({}, ("zh", False))


async def session(account_id: UUID) -> UUID:
    """A session with a browser that takes Web Push."""
    account = await Account.get(pk=account_id)
    async with database.transaction():
        started = await start_session(account, "sms", "browser", Origin())
    id = uuid4()
    await database.execute(
        "INSERT INTO push_subscription (id, account_id, session_id, endpoint_sealed, endpoint_index, keys_sealed, "
        "created_at) VALUES ($1, $2, $3, $4, $5, $6, now())",
        id, account_id, started.session_id, b"e", id.bytes, b"k",
    )  # fmt: skip
    return started.session_id


async def browsers(account_id: UUID) -> set[UUID]:
    """The sessions whose browsers are pushed to."""
    rows = await database.fetch("SELECT session_id FROM push_subscription WHERE account_id = $1", account_id)
    return {row["session_id"] for row in rows}


async def test_a_browser_goes_with_its_session_and_no_other() -> None:
    account = await identity.resident()
    first, second, third = [await session(account) for _ in range(3)]
    neighbour = await identity.resident()
    other = await session(neighbour)
    await revoke_session(await identity.actor(account), session_id=first)
    assert await browsers(account) == {second, third}
    await sign_out(Actor("resident", account, second))
    assert await browsers(account) == {third}
    async with database.transaction():
        assert await end_sessions(account, "disabled") == 1
    assert await browsers(account) == set()
    assert await browsers(neighbour) == {other}


async def test_who_has_no_session_ends_none_by_signing_out() -> None:
    account = await identity.resident()
    kept = await session(account)
    await sign_out(Actor("resident", account))
    assert await browsers(account) == {kept}


async def test_nobody_ends_a_session_of_somebody_else() -> None:
    account, stranger = await identity.resident(), await identity.resident()
    kept = await session(account)
    with pytest.raises(NotFound):
        await revoke_session(await identity.actor(stranger), session_id=kept)
    assert await browsers(account) == {kept}
    assert (await Session.get(pk=kept)).ended_at is None


async def test_a_new_password_leaves_the_browser_in_hand_and_no_other() -> None:
    at = await identity.places()
    account = await identity.staff(at, [may.STAFF_READ])
    mine, other = await session(account), await session(account)
    actor = Actor("staff", account, mine)
    await change_password(actor, password=identity.PASSWORD, new_password="Another-Pass-2026")
    assert await browsers(account) == {mine}
    assert (await Session.get(pk=other)).end_reason == "password"


async def test_a_session_that_ran_out_is_pushed_nothing_after_the_nightly_purge() -> None:
    account = await identity.resident()
    old, kept = await session(account), await session(account)
    await Session.filter(pk=old).update(expires_at=clock.now() - timedelta(minutes=1))
    assert (await jobs.purge(None))["devices"] == 1
    assert await browsers(account) == {kept}


async def test_a_browser_that_was_registered_while_its_session_ended_is_forgotten() -> None:
    account = await identity.resident()
    ended = await session(account)
    await Session.filter(pk=ended).update(
        ended_at=clock.now() - timedelta(minutes=1), end_reason="signed_out"
    )
    assert (await jobs.purge(None))["devices"] == 1
    assert await browsers(account) == set()


async def test_who_is_disabled_while_choosing_a_language_stays_told_nothing() -> None:
    at = await identity.places()
    account = await identity.staff(at, [may.STAFF_READ])
    boss = await identity.actor(await identity.staff(at, [may.STAFF_WRITE, may.STAFF_READ, may.ROLES_WRITE]))
    await staff_accounts.disable_staff(boss, account_id=account)
    await update_profile(Actor("staff", account, uuid4()), language="en")
    assert await recipient(account) == ("zh", True)


async def test_accounts_that_were_there_before_come_to_be_known_once() -> None:
    phone = identity.new_phone()
    resident = await identity.resident(phone)
    await PlatformIdentity.create(account_id=resident, platform="wechat", app_id="wx1", open_id="older")
    await PlatformIdentity.create(account_id=resident, platform="wechat", app_id="wx2", open_id="newer")
    await PlatformIdentity.create(account_id=resident, platform="alipay", app_id="2021", open_id="ali")
    await Account.filter(pk=resident).update(language="en")
    gone = await identity.resident(identity.new_phone())
    await Account.filter(pk=gone).update(disabled_at=clock.now())
    assert (await recipient(resident), await reached(resident)) == (None, {})
    assert (await jobs.write_contacts(None))["accounts"] != 0
    expected = {"sms": (phone, ""), "wechat": ("newer", "wx2"), "alipay": ("ali", "2021")}
    assert (await recipient(resident), await reached(resident)) == (("en", False), expected)
    assert (await recipient(gone), await reached(gone)) == (("zh", True), {})
    before = await database.fetch("SELECT * FROM contact ORDER BY id")
    assert await jobs.write_contacts(None) == {"accounts": 0}
    assert await database.fetch("SELECT * FROM contact ORDER BY id") == before


async def test_what_differs_is_put_right_and_who_signed_in_last_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("domains.identity.reaching.BATCH", 2)
    await jobs.write_contacts(None)
    person, phone = somebody(), identity.new_phone()
    account = await enter(person, phone)
    await PlatformIdentity.create(
        account_id=account, platform="wechat", app_id="wx2", open_id=identity.unique("o")
    )
    await addresses.keep(account, Channel.SMS, "13900000009")
    await addresses.keep(account, Channel.ALIPAY, "never proved", "2021")
    others = [await identity.resident(identity.new_phone()) for _ in range(5)]
    assert await jobs.write_contacts(None) == {"accounts": 6}
    assert await reached(account) == {"sms": (phone, ""), "wechat": (person.open_id, "wx1")}
    assert all([await recipient(each) for each in others])


async def test_one_number_that_no_key_opens_keeps_nobody_waiting() -> None:
    broken, whole = (
        await identity.resident(identity.new_phone()),
        await identity.resident(identity.new_phone()),
    )
    await Account.filter(pk=broken).update(phone_sealed=b"\x01damaged")
    await jobs.write_contacts(None)
    assert (await recipient(broken), await recipient(whole)) == (None, ("zh", False))
    await Account.filter(pk=broken).update(**contact.seal(identity.new_phone()))
    assert await jobs.write_contacts(None) == {"accounts": 1}


async def test_an_account_that_somebody_is_writing_is_left_to_them() -> None:
    account, fresh = await identity.resident(identity.new_phone()), identity.new_phone()
    began, go_on = asyncio.Event(), asyncio.Event()

    async def write() -> None:
        async with database.transaction():
            await Account.filter(pk=account).update(**contact.seal(fresh))
            await addresses.keep(account, Channel.SMS, fresh)
            began.set()
            await go_on.wait()

    writing = asyncio.create_task(write())
    await began.wait()
    assert await jobs.write_contacts(None) == {"accounts": 0}
    go_on.set()
    await writing
    assert await reached(account) == {"sms": (fresh, "")}


async def test_sign_ins_and_the_job_at_once_agree_in_the_end() -> None:
    people = [(somebody(), identity.new_phone()) for _ in range(6)]
    accounts = [await enter(*each) for each in people]
    await database.execute("DELETE FROM contact WHERE account_id = ANY($1)", accounts)
    fresh = [(person, identity.new_phone()) for person, _ in people]
    await asyncio.gather(*(jobs.write_contacts(None) for _ in range(3)), *(enter(*each) for each in fresh))
    for account, (person, phone) in zip(accounts, fresh, strict=True):
        assert await reached(account) == {"sms": (phone, ""), "wechat": (person.open_id, "wx1")}
