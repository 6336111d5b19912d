"""Staff accounts: what is done, what is refused, what a race does."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from domains.identity.models import Account, StaffMember
from domains.kernel import clock, database
from schema.relay import encode
from tests.api.identity.clients import CREDENTIALS, Api, codes, count
from tests.api.identity.office import Office, create, one, role_of, sid
from tests.factories.identity import (
    PASSWORD,
    login_of,
    new_phone,
    staff,
    token,
    unique,
)

pytestmark = pytest.mark.usefixtures("instance")


async def test_an_account_is_made_with_a_password_shown_once(api: Api, office: Office) -> None:
    login, phone = unique("New."), new_phone()
    role = await role_of(office.manager_id)
    compound = encode("Compound", office.places.compound_id)
    made = await create(
        api, office.admin, login=login, phone=phone, roles=[{"role": role, "scope": {"compound": compound}}]
    )
    assert made["staff"]["login"] == login.lower()
    assert made["staff"]["phone"] == f"{phone[:3]}****{phone[-4:]}"
    assert [(a["scope"], a["place"]) for a in made["staff"]["assignments"]] == [("COMPOUND", compound)]
    signed = await api.run(
        "signInStaff", "SignInStaffInput", CREDENTIALS, login=login, password=made["temporaryPassword"]
    )
    assert (await api.me(signed["credentials"]["accessToken"]))["mustChangePassword"]
    kept = await StaffMember.get(login=login.lower())
    assert made["temporaryPassword"] not in kept.password_hash
    details = await database.fetchval("SELECT string_agg(details::text, '') FROM audit_entry")
    assert made["temporaryPassword"] not in details and phone not in details


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"login": "a"}, "LOGIN_INVALID"),
        ({"login": "有汉字"}, "LOGIN_INVALID"),
        ({"login": "x" * 41}, "LOGIN_INVALID"),
        ({"name": "x"}, "NAME_LENGTH"),
        ({"phone": "123"}, "PHONE_INVALID"),
        ({"validFrom": "2026-05-02", "validUntil": "2026-05-01"}, "VALIDITY_REVERSED"),
        ({"idleTimeoutS": 10}, "IDLE_TIMEOUT_RANGE"),
        ({"maxFailures": 0}, "MAX_FAILURES_RANGE"),
        ({"roles": [{"role": encode("Role", UUID(int=1)), "scope": {"company": True}}]}, "ROLE_NOT_FOUND"),
        ({"roles": [{"role": "nonsense", "scope": {"company": True}}]}, "BAD_ID"),
    ],
)
async def test_a_bad_account_is_not_made(
    api: Api, office: Office, wrong: dict[str, object], code: str
) -> None:
    before = await count("account"), await count("outbox_message")
    assert codes(await create(api, office.admin, **wrong)) == [code]
    assert (await count("account"), await count("outbox_message")) == before


async def test_a_login_is_taken_once_also_in_a_race(api: Api, office: Office) -> None:
    login = unique("race")
    answers = await asyncio.gather(*(create(api, office.admin, login=login) for _ in range(4)))
    assert sorted(codes(answer) for answer in answers) == [[]] + [["LOGIN_TAKEN"]] * 3
    assert await count("staff_member", "login = $1", login) == 1


async def test_disabling_ends_sessions_at_once_and_enabling_lets_in_again(api: Api, office: Office) -> None:
    account = await staff(office.places, ["estate.read"])
    theirs, login = await token(account), await login_of(account)
    answer = await one(api, "disableStaff", office.admin, account)
    assert answer["data"]["disableStaff"]["staff"]["disabledAt"]
    assert codes(await api.ask("{ viewer { me { id } } }", token=theirs)) == ["SESSION_ENDED"]
    assert (
        await count("outbox_message", "event = 'StaffDisabled' AND payload->>'account_id' = $1", str(account))
        == 1
    )
    assert "errors" not in await one(api, "enableStaff", office.admin, account)
    signed = await api.run("signInStaff", "SignInStaffInput", CREDENTIALS, login=login, password=PASSWORD)
    assert signed["errors"] == []


async def test_a_reset_gives_a_temporary_password_and_unlocks(api: Api, office: Office) -> None:
    account = await staff(office.places, ["estate.read"])
    theirs = await token(account)
    await StaffMember.filter(account_id=account).update(
        failures=9, locked_until=clock.now() + timedelta(hours=1)
    )
    made = await api.run(
        "resetStaffPassword", "ResetStaffPasswordInput", "temporaryPassword", office.admin, staff=sid(account)
    )
    assert codes(await api.ask("{ viewer { me { id } } }", token=theirs)) == ["SESSION_ENDED"]
    login = await login_of(account)
    for password, expected in ((PASSWORD, ["SIGN_IN_FAILED"]), (made["temporaryPassword"], [])):
        answer = await api.run("signInStaff", "SignInStaffInput", CREDENTIALS, login=login, password=password)
        assert codes(answer) == expected


async def test_nobody_disables_or_resets_themselves(api: Api, office: Office) -> None:
    answer = await one(api, "disableStaff", office.admin, office.admin_id)
    assert codes(answer["data"]["disableStaff"]) == ["STAFF_SELF"]
    reset = await api.run(
        "resetStaffPassword",
        "ResetStaffPasswordInput",
        "temporaryPassword",
        office.admin,
        staff=sid(office.admin_id),
    )
    assert codes(reset) == ["STAFF_SELF"]
    assert (await api.me(office.admin))["permissions"]


@pytest.mark.parametrize("mutation", ["disableStaff", "enableStaff"])
async def test_a_manager_does_not_reach_a_superior(api: Api, office: Office, mutation: str) -> None:
    answer = await one(api, mutation, office.manager, office.admin_id)
    assert codes(answer) == ["BEYOND_OWN_AUTHORITY"]
    assert (await Account.get(pk=office.admin_id)).disabled_at is None
    refused = "action = $1 AND subject_id = $2 AND outcome = 'refused' AND actor_id = $3"
    action = {"disableStaff": "staff.disable", "enableStaff": "staff.enable"}[mutation]
    assert await count("audit_entry", refused, action, office.admin_id, office.manager_id) == 1


async def test_a_manager_does_not_reset_a_superiors_password(api: Api, office: Office) -> None:
    before = (await StaffMember.get(account_id=office.admin_id)).password_hash
    answer = await api.attempt(
        "resetStaffPassword",
        "ResetStaffPasswordInput",
        "temporaryPassword",
        office.manager,
        staff=sid(office.admin_id),
    )
    assert codes(answer) == ["BEYOND_OWN_AUTHORITY"]
    assert (await StaffMember.get(account_id=office.admin_id)).password_hash == before


async def test_an_account_is_changed_and_what_is_left_out_stays(api: Api, office: Office) -> None:
    account = await staff(office.places, ["estate.read"])
    fields = "staff { name phone validFrom validUntil idleTimeoutS maxFailures }"
    before = await StaffMember.get(account_id=account)
    changed = await api.run(
        "updateStaff", "UpdateStaffInput", fields, office.admin, staff=sid(account), name="钱七",
        phone="13900000007", validUntil="2099-12-31", maxFailures=7,
    )  # fmt: skip
    assert changed["staff"] == {
        "name": "钱七", "phone": "139****0007", "validFrom": before.valid_from.isoformat(), "validUntil": "2099-12-31",
        "idleTimeoutS": before.idle_timeout_s, "maxFailures": 7,
    }  # fmt: skip
    open_ended = await api.run(
        "updateStaff", "UpdateStaffInput", fields, office.admin, staff=sid(account), isUnlimited=True
    )
    assert open_ended["staff"]["validUntil"] is None
    bad = await api.run(
        "updateStaff",
        "UpdateStaffInput",
        fields,
        office.admin,
        staff=sid(account),
        maxFailures=99,
        name="孙八",
    )
    assert codes(bad) == ["MAX_FAILURES_RANGE"]
    assert (await Account.get(pk=account)).name == "钱七"


async def test_a_sign_in_beside_a_disabling_leaves_no_session(api: Api, office: Office) -> None:
    for _ in range(5):
        account = await staff(office.places, ["estate.read"])
        login = await login_of(account)
        credentials = {"login": login, "password": PASSWORD}
        signing = [api.run("signInStaff", "SignInStaffInput", CREDENTIALS, **credentials) for _ in range(3)]
        await asyncio.gather(*signing, one(api, "disableStaff", office.admin, account))
        assert await count("session", "account_id = $1 AND ended_at IS NULL", account) == 0
