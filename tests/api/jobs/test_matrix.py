"""Every operation on jobs, by every kind of caller: running the installation is no role, and no role runs it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import get_args

import pytest

from api.wiring import PERMISSIONS
from domains.identity.models import StaffMember
from domains.kernel import database, jobs
from domains.kernel.actor import Capacity
from tests.api.identity.clients import Api, Json, codes, count
from tests.factories import estate, identity, residents
from tests.factories.jobs import NAME, Work, forget, operator, operator_account, runs

pytestmark = pytest.mark.usefixtures("instance")
EVERYTHING = tuple(PERMISSIONS)
JOB = "job { name pausedAt lastRun { state isRequested } }"
DENIED = {
    "owner": "FORBIDDEN", "family": "FORBIDDEN", "tenant": "FORBIDDEN", "neighbour": "FORBIDDEN",
    "stranger": "FORBIDDEN", "staff without": "FORBIDDEN", "staff with every permission": "FORBIDDEN",
    "staff of another company": "FORBIDDEN", "staff of one building": "FORBIDDEN", "former operator": "FORBIDDEN",
    "operator with a password to change": "PASSWORD_CHANGE_REQUIRED", "nobody": "UNAUTHENTICATED",
}  # fmt: skip
OPERATIONS = {
    "runJob": ("RunJobInput", {"job": NAME}),
    "pauseJob": ("PauseJobInput", {"job": NAME, "reason": "维修"}),
    "resumeJob": ("ResumeJobInput", {"job": NAME}),
}


@pytest.fixture(autouse=True)
async def one_job(instance: object) -> AsyncIterator[None]:
    """There is one job, paused or not as the test wants it."""
    jobs.catalogue.fill((Work().job(),))
    yield
    await forget()


@pytest.fixture(scope="module")
async def tokens(instance: object) -> dict[str, str | None]:
    """A token for each kind of caller."""
    at, other = await identity.places(), await identity.places()
    house, next_door = [await estate.house(at.building_id, room) for room in ("101", "102")]
    living = {kind: (await residents.occupant(house, kind)).account_id for kind in get_args(Capacity)}
    former, confined = await operator_account(*EVERYTHING), await operator_account(*EVERYTHING)
    await StaffMember.filter(account_id=former).update(is_operator=False)
    await StaffMember.filter(account_id=confined).update(must_change_password=True)
    accounts = living | {
        "neighbour": (await residents.occupant(next_door)).account_id,
        "stranger": await identity.resident(),
        "staff without": await identity.staff(at, ()),
        "staff with every permission": await identity.staff(at, EVERYTHING),
        "staff of another company": await identity.staff(other, EVERYTHING),
        "staff of one building": await identity.staff(
            at, EVERYTHING, scope="building", place_id=at.building_id
        ),
        "former operator": former,
        "operator with a password to change": confined,
        "operator": await operator_account(),
    }
    return {kind: await identity.token(account) for kind, account in accounts.items()} | {"nobody": None}


async def traces() -> tuple[object, ...]:
    """Equal before and after something that was refused."""
    row = await database.fetchrow(
        "SELECT (SELECT md5(coalesce(string_agg(r::text, '|' ORDER BY r.id), '')) FROM job_run r), "
        "(SELECT md5(coalesce(string_agg(p::text, '|' ORDER BY p.job), '')) FROM job_pause p), "
        "(SELECT count(*) FROM audit_entry WHERE outcome = 'done'), (SELECT count(*) FROM outbox_message), "
        "(SELECT count(*) FROM idempotency_record)"
    )
    assert row is not None
    return tuple(row.values())


@pytest.mark.parametrize("kind", DENIED)
@pytest.mark.parametrize("name", OPERATIONS)
async def test_who_does_not_run_the_installation_changes_nothing(
    api: Api, tokens: dict[str, str | None], name: str, kind: str
) -> None:
    if name == "resumeJob":
        await jobs.pause_job(operator(), job=NAME, reason="维修")
    before, (input_type, given) = await traces(), OPERATIONS[name]
    refused = "action LIKE 'job.%' AND outcome = 'refused'"
    seen = await count("audit_entry", refused)
    answer = await api.attempt(name, input_type, JOB, tokens[kind], **given)
    assert codes(answer) == [DENIED[kind]]
    assert await traces() == before
    # The pages' guard stops residents before the command; what staff tried stays seen.
    is_staff = "staff" in kind or kind == "former operator"
    assert await count("audit_entry", refused) == seen + is_staff


@pytest.mark.parametrize("kind", DENIED)
async def test_who_does_not_run_the_installation_reads_nothing(
    api: Api, tokens: dict[str, str | None], kind: str
) -> None:
    for query in ("{ jobs { name } }", '{ jobs(name: "no.such") { name } }'):
        answer = await api.ask(query, token=tokens[kind])
        assert (codes(answer), answer["data"]) == ([DENIED[kind]], None)


async def one(api: Api, token: str | None, name: str) -> Json:
    input_type, given = OPERATIONS[name]
    payload = await api.run(name, input_type, JOB, token, **given)
    assert payload["errors"] == []
    return payload["job"]


async def test_an_operator_without_any_role_does_all_of_it(api: Api, tokens: dict[str, str | None]) -> None:
    token, done = tokens["operator"], "action = $1 AND outcome = 'done' AND compound_id IS NULL"
    before = [await count("audit_entry", done, action) for action in ("job.run", "job.pause", "job.resume")]
    assert (await api.ask("{ jobs { name } }", token=token))["data"] == {"jobs": [{"name": NAME}]}
    requested = {"state": "REQUESTED", "isRequested": True}
    assert await one(api, token, "runJob") == {"name": NAME, "pausedAt": None, "lastRun": requested}
    assert (await one(api, token, "pauseJob"))["pausedAt"] is not None
    assert (await one(api, token, "resumeJob"))["pausedAt"] is None
    after = [await count("audit_entry", done, action) for action in ("job.run", "job.pause", "job.resume")]
    assert [new - old for new, old in zip(after, before, strict=True)] == [1, 1, 1]
    assert [row["state"] for row in await runs()] == ["requested"]
