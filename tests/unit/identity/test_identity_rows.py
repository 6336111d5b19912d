"""What the database itself holds to, limits of sign-in codes, and what is deleted in time."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from tortoise.exceptions import IntegrityError

from domains.identity import jobs, limits
from domains.identity.models import Account, RefreshToken, RoleAssignment, Session, SmsCode
from domains.identity.service import sms_codes
from domains.identity.service.founding import found_staff
from domains.kernel import clock, database
from domains.kernel.actor import ANONYMOUS, SYSTEM
from domains.kernel.errors import Conflict, Invalid, Throttled, Unauthenticated
from tests.factories.identity import new_phone, places, resident, staff, token, unique

pytestmark = pytest.mark.usefixtures("instance")


async def test_a_phone_belongs_to_one_resident() -> None:
    phone = new_phone()
    await resident(phone)
    with pytest.raises(IntegrityError):
        await resident(phone)


async def test_a_scope_names_exactly_its_place() -> None:
    there = await places()
    account = await staff(there, [])
    row = await RoleAssignment.get(account_id=account).select_related("role")
    for columns in ({"scope": "compound"}, {"scope": "company", "compound_id": there.compound_id}):
        with pytest.raises(IntegrityError):
            await RoleAssignment.create(
                account_id=account, role_id=row.role.id, assigned_at=clock.now(), **columns
            )


async def test_an_address_asks_for_twenty_codes_an_hour_and_a_phone_for_one_a_minute() -> None:
    address = f"2001:db8:{uuid4().hex[:4]}:{uuid4().hex[:4]}"
    for number in range(20):
        await limits.take_sms(uuid4().bytes, f"{address}::{number:x}")
    with pytest.raises(Throttled):
        await limits.take_sms(uuid4().bytes, f"{address}::ffff")
    phone = uuid4().bytes
    await limits.take_sms(phone, str(uuid4()))
    with pytest.raises(Throttled) as refusal:
        await limits.take_sms(phone, str(uuid4()))
    assert 0 < refusal.value.retry_after_s <= 60


async def test_one_live_code_per_phone() -> None:
    phone = new_phone()
    for _ in range(3):
        await sms_codes.issue(phone)
    code = await sms_codes.issue(phone)
    assert len(code) == 6 and code.isdigit()
    async with database.transaction():
        assert not await sms_codes.spend(new_phone(), code)
        assert await sms_codes.spend(phone, code)
        assert not await sms_codes.spend(phone, code)


async def test_spent_tokens_and_old_codes_are_deleted_and_nothing_else() -> None:
    await SmsCode.all().delete()
    await sms_codes.issue(new_phone())
    account = await resident()
    await token(account)
    await token(account)
    session = await Session.filter(account_id=account).first()
    assert session is not None
    await RefreshToken.filter(session_id=session.id).update(used_at=clock.now() - timedelta(days=31))
    assert await jobs.purge(None) == {"tokens": 1, "codes": 0, "devices": 0}
    with clock.use(clock.FixedClock(clock.now() + timedelta(days=2))):
        assert await jobs.purge(None) == {"tokens": 0, "codes": 1, "devices": 0}
    assert await RefreshToken.filter(session__account_id=account).count() == 1


async def test_the_first_administrator_is_founded_by_the_system_alone() -> None:
    company = unique("物业")
    with pytest.raises(Unauthenticated):
        await found_staff(ANONYMOUS, company=company, login=unique("a"), name="张三", permissions=[])
    login = unique("a")
    made = await found_staff(SYSTEM, company=company, login=login, name="张三", permissions=["staff.read"])
    assert (await Account.get(pk=made.account_id)).name == "张三"
    with pytest.raises(Conflict):
        await found_staff(SYSTEM, company=company, login=login, name="李四", permissions=[])
    with pytest.raises(Invalid):
        await found_staff(SYSTEM, company=company, login=unique("a"), name="李四", permissions=["no.such"])
    with pytest.raises(Invalid):
        await found_staff(
            SYSTEM, company=company, login=unique("a"), name="李四", permissions=[], password="weak"
        )
    assert await Account.filter(name="李四").count() == 0
