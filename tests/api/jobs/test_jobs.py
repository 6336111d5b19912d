"""Jobs over GraphQL: what is read, in how many statements, page by page, and what pressing twice answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from api.wiring import JOBS
from domains.kernel import clock, database, jobs
from schema.relay import encode
from tests.api.identity.clients import Api, Json, codes
from tests.factories import identity
from tests.factories.jobs import NAME, Work, forget, operator_account, runs, shanghai

pytestmark = pytest.mark.usefixtures("instance")
LIST = "{ jobs { name lastRun { dueAt state } } }"
RUNS = """query($name: String, $first: Int, $after: String) { jobs(name: $name) {
    runs(first: $first, after: $after) { nodes { dueAt } pageInfo { hasNextPage endCursor } } } }"""


@pytest.fixture(scope="module")
async def mine(instance: object) -> str:
    """The token of an operator."""
    return await identity.token(await operator_account())


@pytest.fixture(autouse=True)
async def no_runs(instance: object) -> AsyncIterator[None]:
    """Every test begins without runs and pauses."""
    yield
    await forget()


def listed(many: int = 1) -> list[jobs.Job]:
    """So many jobs are all there are."""
    made = [Work().job(name=NAME if number == 0 else f"{NAME}.{number}") for number in range(many)]
    jobs.catalogue.fill(made)
    return made


async def test_the_jobs_of_the_program_are_listed_in_either_language(api: Api, mine: str) -> None:
    jobs.catalogue.fill(JOBS)
    query = "{ jobs { name label schedule maxAttempts limitS nextDueAt isLate pausedAt lastRun { id } } }"
    found = (await api.ask(query, token=mine))["data"]["jobs"]
    assert [each["name"] for each in found] == [job.name for job in JOBS]
    seal = found[0]
    assert seal | {"nextDueAt": ""} == {
        "name": "audit.seal", "label": "封存审计记录", "schedule": "*/5 * * * *", "maxAttempts": 3, "limitS": 600,
        "nextDueAt": "", "isLate": False, "pausedAt": None, "lastRun": None,
    }  # fmt: skip
    headers = {"authorization": f"Bearer {mine}", "accept-language": "en"}
    english = await api.http.post("/graphql", json={"query": "{ jobs { label } }"}, headers=headers)
    assert english.json()["data"]["jobs"][0] == {"label": "Seal the audit"}


async def test_a_run_is_told_with_what_it_reported(api: Api, mine: str) -> None:
    (job,) = listed()
    await jobs.run_due(job, shanghai("2026-03-02T02:00"))
    query = """{ jobs { lastRun { id dueAt isRequested requestedBy requestedByName state attempts startedAt
        finishedAt seconds result { name value } error } } }"""
    last = (await api.ask(query, token=mine))["data"]["jobs"][0]["lastRun"]
    (row,) = await runs()
    assert last["id"] == encode("JobRun", row["id"])
    assert last["dueAt"] == "2026-03-01T18:00:00+00:00"
    assert (last["state"], last["attempts"], last["error"]) == ("SUCCEEDED", 1, None)
    assert (last["isRequested"], last["requestedBy"], last["requestedByName"]) == (False, None, None)
    assert last["result"] == [{"name": "runs", "value": "1"}]
    assert 0 <= last["seconds"] < 5


async def test_the_next_due_time_is_the_clocks_and_none_while_paused(api: Api, mine: str) -> None:
    listed()
    query = "{ jobs { nextDueAt pausedByName pauseReason } }"
    with clock.use(clock.FixedClock(clock.now())) as fixed:
        found = (await api.ask(query, token=mine))["data"]["jobs"][0]
        assert found == {
            "nextDueAt": _next_two(fixed.now()), "pausedByName": None, "pauseReason": None,
        }  # fmt: skip
    paused = "job { nextDueAt pausedBy pausedByName pauseReason }"
    payload = await api.run("pauseJob", "PauseJobInput", paused, mine, job=NAME, reason="换打印机")
    assert payload["job"] | {"pausedBy": ""} == {
        "nextDueAt": None, "pausedBy": "", "pausedByName": "王师傅", "pauseReason": "换打印机",
    }  # fmt: skip
    assert payload["job"]["pausedBy"].startswith("U3RhZmY6")


def _next_two(now: datetime) -> str:
    due = now.astimezone(clock.SHANGHAI).replace(hour=2, minute=0, second=0, microsecond=0)
    return (due + timedelta(days=0 if due > now else 1)).astimezone(UTC).isoformat()


def _local(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(clock.SHANGHAI)


async def statements_of(api: Api, query: str, mine: str) -> int:
    async with database.counted() as statements:
        assert "errors" not in await api.ask(query, token=mine)
    return statements.count


@pytest.mark.parametrize("query", [LIST, "{ jobs { name runs(first: 5) { nodes { state } } } }"])
async def test_statements_do_not_grow_with_the_number_of_jobs(api: Api, mine: str, query: str) -> None:
    counted = []
    for many in (1, 12):
        for job in listed(many):
            await jobs.run_due(job, shanghai("2026-03-02T02:00"))
        await api.ask(query, token=mine)
        counted.append(await statements_of(api, query, mine))
        await forget()
    assert counted[0] == counted[1]


async def page(api: Api, mine: str, **variables: object) -> Json:
    answer = await api.ask(RUNS, {"name": NAME, **variables}, mine)
    return answer["data"]["jobs"][0]["runs"] if answer["data"] else answer


async def test_runs_are_read_page_by_page(api: Api, mine: str) -> None:
    (job,) = listed()
    for day in range(1, 8):
        await jobs.run_due(job, shanghai(f"2026-03-0{day}T02:00"))
    days, after = [], None
    for _ in range(4):
        found = await page(api, mine, first=3, after=after)
        days.append([_local(each["dueAt"]).day for each in found["nodes"]])
        after = found["pageInfo"]["endCursor"]
        if not found["pageInfo"]["hasNextPage"]:
            break
        await jobs.run_due(
            job, shanghai(f"2026-03-1{len(days)}T02:00")
        )  # what comes meanwhile shifts nothing
    assert days == [[7, 6, 5], [4, 3, 2], [1]]
    assert codes(await page(api, mine, after="x")) == ["BAD_CURSOR"]
    assert codes(await page(api, mine, first=101)) == ["BAD_PAGE_SIZE"]
    other = (await api.ask('{ jobs(name: "no.such") { name } }', token=mine))["data"]
    assert other == {"jobs": []}


async def test_pressing_twice_answers_by_the_key(api: Api, mine: str) -> None:
    listed(2)
    key = str(uuid4())

    async def press(**given: object) -> Json:
        return await api.run("runJob", "RunJobInput", "job { lastRun { id } }", mine, **given)

    first = await press(job=NAME, idempotencyKey=key)
    assert await press(job=NAME, idempotencyKey=key) == first
    refused = await press(job=NAME, idempotencyKey=str(uuid4()))
    assert (refused["job"], refused["errors"]) == (None, [{"code": "JOB_UNDER_WAY", "field": ["job"]}])
    assert codes(await press(job=f"{NAME}.1", idempotencyKey=key)) == ["IDEMPOTENCY_CONFLICT"]
    assert codes(await press(job="no.such")) == ["JOB_NOT_FOUND"]
    assert [len(await runs(name)) for name in (NAME, f"{NAME}.1", "no.such")] == [1, 0, 0]


@pytest.mark.parametrize("key", ["", "x", "{0191d3a0-7c4e-7b3a-9f6e-1c2d3e4f5a6b}", 7, "0" * 32])
async def test_a_key_that_is_no_uuid_is_refused(api: Api, mine: str, key: object) -> None:
    listed()
    answer = await api.attempt("runJob", "RunJobInput", "job { name }", mine, job=NAME, idempotencyKey=key)
    assert codes(answer) == ["BAD_USER_INPUT"]
    assert await runs() == []
