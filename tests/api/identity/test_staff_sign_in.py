"""Staff sign in by password: lock-out, validity, first password, authenticator app."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import pyotp
import pytest

from domains.identity import limits
from domains.identity.models import Account, Session, StaffMember
from domains.identity.service.staff_sign_in import sign_in_staff
from domains.kernel import clock
from domains.kernel.actor import Actor, Origin
from domains.kernel.errors import Throttled
from tests.api.identity.clients import CREDENTIALS, Api, Json, codes, count
from tests.factories.identity import PASSWORD, login_of, places, staff, token, unique

pytestmark = pytest.mark.usefixtures("instance")


async def sign_in(api: Api, login: str, password: str = PASSWORD, **more: object) -> Json:
    return await api.run(
        "signInStaff", "SignInStaffInput", CREDENTIALS, login=login, password=password, **more
    )


async def employee() -> tuple[UUID, str]:
    account = await staff(await places(), ["estate.read"])
    return account, await login_of(account)


async def test_login_and_password_sign_in_and_leave_an_audit_row(api: Api) -> None:
    account, login = await employee()
    signed = await sign_in(api, f"  {login.upper()} ", device="前台电脑")
    assert (await api.me(signed["credentials"]["accessToken"]))["name"] == "王师傅"
    assert (
        await count(
            "audit_entry", "action = 'session.sign_in' AND subject_id = $1 AND outcome = 'done'", account
        )
        == 1
    )


async def test_who_does_not_exist_and_what_is_wrong_are_one_answer(api: Api) -> None:
    _, login = await employee()
    wrong, nobody = await sign_in(api, login, "wrong"), await sign_in(api, "nobody", "wrong")
    assert wrong["errors"] == nobody["errors"]
    assert codes(wrong) == ["SIGN_IN_FAILED"]


async def test_a_login_that_nobody_has_locks_like_one_that_somebody_has(api: Api) -> None:
    _, known = await employee()
    nobody = unique("nobody")
    for _ in range(5):
        assert codes(await sign_in(api, known, "wrong")) == codes(await sign_in(api, nobody, "wrong"))
    locked, unknown = await sign_in(api, known, "wrong"), await sign_in(api, f" {nobody.upper()}", "wrong")
    assert codes(locked) == ["ACCOUNT_LOCKED"]
    assert unknown["errors"] == locked["errors"]


@pytest.mark.parametrize(
    ("first", "same", "other"),
    [("203.0.113.9", "203.0.113.9", "203.0.113.10"), ("2001:db8::1", "2001:db8::2", "2001:db8:0:1::1")],
)
async def test_an_address_has_a_hundred_tries_however_many_logins(first: str, same: str, other: str) -> None:
    account, login = await employee()
    for _ in range(100):
        await limits.take_sign_in(first)
    caller = Actor(origin=Origin(ip=same))
    with pytest.raises(Throttled) as refused:
        await sign_in_staff(caller, login=login, password="wrong")
    assert (refused.value.code, refused.value.retry_after_s <= 1) == ("SIGN_IN_TOO_OFTEN", True)
    assert (await StaffMember.get(account_id=account)).failures == 0
    assert (await sign_in_staff(Actor(origin=Origin(ip=other)), login=login, password=PASSWORD)).access_token


async def test_twenty_wrong_passwords_at_once_count_twenty_and_lock(api: Api) -> None:
    account, login = await employee()
    await asyncio.gather(*(sign_in(api, login, "wrong") for _ in range(20)))
    row = await StaffMember.get(account_id=account)
    assert row.failures == 20
    assert row.locked_until is not None and row.locked_until > clock.now()
    assert codes(await sign_in(api, login)) == ["ACCOUNT_LOCKED"]
    assert await count("session", "account_id = $1", account) == 0


async def test_a_lock_ends_by_itself_and_counts_anew(api: Api) -> None:
    account, login = await employee()
    for _ in range(5):
        await sign_in(api, login, "wrong")
    with clock.use(clock.FixedClock(clock.now() + timedelta(minutes=15, seconds=1))):
        assert codes(await sign_in(api, login, "wrong")) == ["SIGN_IN_FAILED"]
        assert (await StaffMember.get(account_id=account)).failures == 1
        assert (await sign_in(api, login))["errors"] == []
    assert (await StaffMember.get(account_id=account)).failures == 0


async def test_disabled_or_invalid_accounts_are_told_only_to_who_knows_the_password(api: Api) -> None:
    disabled, over = await employee(), await employee()
    await Account.filter(pk=disabled[0]).update(disabled_at=clock.now())
    await StaffMember.filter(account_id=over[0]).update(
        valid_from=clock.today() - timedelta(days=2), valid_until=clock.today() - timedelta(days=1)
    )
    for (_, login), code in ((disabled, "ACCOUNT_DISABLED"), (over, "ACCOUNT_NOT_VALID")):
        assert codes(await sign_in(api, login)) == [code]
        assert codes(await sign_in(api, login, "wrong")) == ["SIGN_IN_FAILED"]


async def test_validity_that_ends_closes_open_sessions(api: Api) -> None:
    account, _ = await employee()
    mine = await token(account)
    await StaffMember.filter(account_id=account).update(
        valid_from=clock.today() - timedelta(days=2), valid_until=clock.today() - timedelta(days=1)
    )
    assert codes(await api.ask("{ viewer { me { id } } }", token=mine)) == ["ACCOUNT_NOT_VALID"]


async def test_an_idle_session_ends_by_itself(api: Api) -> None:
    account, _ = await employee()
    mine = await token(account)
    await Session.filter(account_id=account).update(last_seen_at=clock.now() - timedelta(seconds=1800))
    assert codes(await api.ask("{ viewer { me { id } } }", token=mine)) == ["SESSION_ENDED"]


async def change(api: Api, mine: str, password: str, new: str) -> Json:
    return await api.run(
        "changePassword", "ChangePasswordInput", "isDone", mine, password=password, newPassword=new
    )


async def test_a_first_password_opens_nothing_but_its_change(api: Api) -> None:
    there = await places()
    account = await staff(there, ["estate.read", "staff.read", "staff.write", "audit.read"])
    await StaffMember.filter(account_id=account).update(must_change_password=True)
    mine, elsewhere = await token(account), await token(account)
    assert (await api.me(mine))["mustChangePassword"]
    closed = {
        "{ staff { nodes { id } } }": "PASSWORD_CHANGE_REQUIRED",
        "{ roles { id } }": "PASSWORD_CHANGE_REQUIRED",
        "{ permissions { name } }": "PASSWORD_CHANGE_REQUIRED",
        "{ auditLog { nodes { id } } }": "PASSWORD_CHANGE_REQUIRED",
        "mutation { updateProfile(input: {language: EN}) { errors { code } } }": "PASSWORD_CHANGE_REQUIRED",
        f'mutation {{ setUpTotp(input: {{password: "{PASSWORD}"}}) {{ secret }} }}': "PASSWORD_CHANGE_REQUIRED",
        'mutation { createStaff(input: {login: "abc", name: "张三"}) { errors { code } } }': "PASSWORD_CHANGE_REQUIRED",
    }
    before = await count("account")
    for query, code in closed.items():
        assert codes(await api.ask(query, token=mine)) == [code], query
    assert await count("account") == before
    assert (await change(api, mine, PASSWORD, "Another-pass-1"))["isDone"]
    assert (await api.me(mine))["permissions"] == ["audit.read", "estate.read", "staff.read", "staff.write"]
    assert codes(await api.ask("{ viewer { me { id } } }", token=elsewhere)) == ["SESSION_ENDED"]


async def test_a_new_password_must_be_good_and_the_old_one_known(api: Api) -> None:
    account, login = await employee()
    mine = await token(account)
    for new in ("short1A", "alllowercase", "UPPERlower", "x" * 200 + "A1", f"{login}-A1b2"):
        assert codes(await change(api, mine, PASSWORD, new)) == ["PASSWORD_WEAK"], new
    assert codes(await change(api, mine, PASSWORD, PASSWORD)) == ["PASSWORD_UNCHANGED"]
    for _ in range(5):
        assert codes(await change(api, mine, "wrong", "Another-pass-1")) == ["PASSWORD_WRONG"]
    assert codes(await change(api, mine, PASSWORD, "Another-pass-1")) == ["ACCOUNT_LOCKED"]
    assert (await StaffMember.get(account_id=account)).failures == 5


async def with_totp(api: Api, mine: str) -> pyotp.TOTP:
    made = await api.run("setUpTotp", "OwnPasswordInput", "secret uri", mine, password=PASSWORD)
    assert made["uri"].startswith("otpauth://totp/")
    return pyotp.TOTP(made["secret"])


async def confirm(api: Api, mine: str, code: str) -> Json:
    return await api.run("confirmTotp", "ConfirmTotpInput", "isDone", mine, code=code)


async def test_an_authenticator_is_asked_for_once_it_was_confirmed(api: Api) -> None:
    account, login = await employee()
    mine = await token(account)
    assert codes(await confirm(api, mine, "123456")) == ["TOTP_NOT_SET_UP"]
    app = await with_totp(api, mine)
    assert (await sign_in(api, login))["errors"] == []
    for bad in ("", "000000x", "１２", "é" * 6):
        assert codes(await confirm(api, mine, bad)) == ["TOTP_WRONG"]
    await StaffMember.filter(account_id=account).update(failures=0)
    now = clock.now()
    assert (await confirm(api, mine, app.at(now)))["isDone"]
    assert codes(await sign_in(api, login)) == ["TOTP_REQUIRED"]
    with clock.use(clock.FixedClock(now + timedelta(seconds=60))):
        code = app.at(clock.now())
        answers = await asyncio.gather(*(sign_in(api, login, code=code) for _ in range(4)))
        assert sorted(codes(answer) for answer in answers) == [[]] + [["SIGN_IN_FAILED"]] * 3
    again = await api.run("setUpTotp", "OwnPasswordInput", "secret", mine, password=PASSWORD)
    assert codes(again) == ["TOTP_ALREADY_SET_UP"]
    kept = await StaffMember.get(account_id=account)
    assert kept.totp_sealed is not None and app.secret.encode() not in bytes(kept.totp_sealed)


async def test_an_authenticator_is_removed_with_the_password(api: Api) -> None:
    account, login = await employee()
    mine = await token(account)
    app = await with_totp(api, mine)
    await confirm(api, mine, app.at(clock.now()))
    refused = await api.run("removeTotp", "OwnPasswordInput", "isDone", mine, password="wrong")
    assert codes(refused) == ["PASSWORD_WRONG"]
    assert codes(await sign_in(api, login)) == ["TOTP_REQUIRED"]
    assert (await api.run("removeTotp", "OwnPasswordInput", "isDone", mine, password=PASSWORD))["isDone"]
    assert (await sign_in(api, login))["errors"] == []
