"""Who runs the installation: the first of its staff, whom the command line names, and nobody by a role."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from api.wiring import PERMISSIONS
from domains.identity import queries
from domains.identity.models import Account, StaffMember
from domains.identity.service.founding import found_staff
from domains.identity.service.operators import set_operator
from domains.kernel import clock, database
from domains.kernel.actor import SYSTEM, Actor, Grant
from domains.kernel.errors import Forbidden, NotFound
from schema.relay import encode
from tests.api.identity.clients import Api, codes
from tests.factories import identity
from tests.factories.kernel import audit_rows

pytestmark = pytest.mark.usefixtures("instance")
EVERYTHING = tuple(PERMISSIONS)


async def founded(first_operates: bool = True) -> StaffMember:
    made = await found_staff(
        SYSTEM, company=identity.unique("物业"), login=identity.unique("a"), name="许文博",
        permissions=EVERYTHING, password=identity.PASSWORD, first_operates=first_operates,
    )  # fmt: skip
    return await StaffMember.get(account_id=made.account_id)


async def test_the_first_of_the_staff_runs_the_installation_and_no_later_one() -> None:
    await database.execute("DELETE FROM role_assignment")
    await database.execute("DELETE FROM staff_member")
    flags = [(await founded()).is_operator for _ in range(3)]
    assert flags == [True, False, False]
    details = [row["details"] for row in await audit_rows("staff.found")][-3:]
    assert ["true" in each for each in details] == flags
    await database.execute("DELETE FROM role_assignment")
    await database.execute("DELETE FROM staff_member")
    assert (await founded(first_operates=False)).is_operator is False


async def test_it_is_given_and_taken_back_from_one_request_to_the_next(api: Api) -> None:
    account = await identity.staff(await identity.places(), ())
    login, token = await identity.login_of(account), await identity.token(account)

    async def answers() -> list[str]:
        answer = await api.ask("{ jobs { name } }", token=token)
        return codes(answer) if "errors" in answer else []

    assert await answers() == ["FORBIDDEN"]
    await set_operator(SYSTEM, login=f" {login.upper()} ", is_operator=True)
    assert await answers() == []
    await set_operator(SYSTEM, login=login, is_operator=False)
    assert await answers() == ["FORBIDDEN"]
    written = [row for row in await audit_rows("staff.set_operator") if row["subject_id"] == account]
    assert [(row["actor_kind"], row["details"]) for row in written] == [
        ("system", '{"operator": true}'), ("system", '{"operator": false}'),
    ]  # fmt: skip


async def test_nobody_but_the_command_line_gives_it() -> None:
    account = await identity.staff(await identity.places(), EVERYTHING)
    login = await identity.login_of(account)
    for caller in (await identity.actor(account), Actor(), Actor("staff", account, operator=True)):
        with pytest.raises(Exception, match=r"FORBIDDEN|UNAUTHENTICATED"):
            await set_operator(caller, login=login, is_operator=True)
    assert not (await StaffMember.get(account_id=account)).is_operator
    with pytest.raises(NotFound):
        await set_operator(SYSTEM, login="no-such-login", is_operator=True)


async def test_alarms_go_to_operators_whose_accounts_count_now() -> None:
    at = await identity.places()
    accounts = [await identity.staff(at, ()) for _ in range(6)]
    await StaffMember.filter(account_id__in=accounts[:5]).update(is_operator=True)
    today = clock.today()
    await Account.filter(pk=accounts[1]).update(disabled_at=clock.now())
    await StaffMember.filter(account_id=accounts[2]).update(
        valid_from=today - timedelta(days=9), valid_until=today - timedelta(days=1)
    )
    await StaffMember.filter(account_id=accounts[3]).update(valid_from=today + timedelta(days=1))
    await StaffMember.filter(account_id=accounts[4]).update(valid_until=today)
    assert set(await queries.operators()) & set(accounts) == {accounts[0], accounts[4]}


@pytest.mark.parametrize("mutation", ["resetStaffPassword", "updateStaff", "disableStaff", "enableStaff"])
async def test_an_administrator_of_the_company_does_not_become_the_operator(api: Api, mutation: str) -> None:
    at = await identity.places()
    boss, peer = await identity.staff(at, EVERYTHING), await identity.staff(at, EVERYTHING)
    await set_operator(SYSTEM, login=await identity.login_of(peer), is_operator=True)
    before = await StaffMember.get(account_id=peer).values()
    kinds = {"resetStaffPassword": "ResetStaffPasswordInput", "updateStaff": "UpdateStaffInput"}
    given = {"staff": encode("Staff", peer)} | ({"name": "改名"} if mutation == "updateStaff" else {})
    refused = await api.attempt(
        mutation, kinds.get(mutation, "StaffInput"), "staff { id }", await identity.token(boss), **given
    )
    assert codes(refused) == ["BEYOND_OWN_AUTHORITY"]
    assert await StaffMember.get(account_id=peer).values() == before
    assert (await Account.get(pk=peer)).disabled_at is None
    await set_operator(SYSTEM, login=await identity.login_of(boss), is_operator=True)
    done = await api.attempt(
        mutation,
        kinds.get(mutation, "StaffInput"),
        "staff { isOperator }",
        await identity.token(boss),
        **given,
    )
    assert done["data"][mutation]["staff"] == {"isOperator": True}


def test_no_grant_makes_an_operator() -> None:
    place = UUID(int=1)
    with pytest.raises(Forbidden):
        Actor("staff", place, grants=tuple(Grant(each, place) for each in EVERYTHING)).require_operator()
    SYSTEM.require_operator()
    Actor("staff", place, operator=True).require_operator()
