"""Scheduled jobs in the browser: seen, run, paused and resumed by who runs the installation."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from api.wiring import PERMISSIONS
from domains.kernel import clock, database, jobs
from tests.api.pages.visitors import HTMX, Visitor, seen
from tests.factories import identity
from tests.factories.jobs import NAME, Work, forget, operator_account, runs, shanghai

pytestmark = pytest.mark.usefixtures("instance")


@pytest.fixture(autouse=True)
async def one_job(instance: object) -> AsyncIterator[jobs.Job]:
    """There is one job that never ran."""
    job = Work(failures=1).job()
    jobs.catalogue.fill((job,))
    yield job
    await forget()


@pytest.fixture
async def mine(visitor: Visitor) -> Visitor:
    """An operator without any role, on the page."""
    await visitor.sign_in(await identity.login_of(await operator_account()))
    await visitor.get("/staff/jobs")
    return visitor


async def press(mine: Visitor, verb: str, **fields: str) -> str:
    """Send a form of the open page; what is read then in its place."""
    answer = await mine.post(f"/staff/jobs/{verb}", {"job": NAME, **fields}, **HTMX)
    assert answer.status_code == 200
    return seen(answer)


async def test_who_has_every_permission_and_runs_nothing_is_not_offered_the_page(visitor: Visitor) -> None:
    account = await identity.staff(await identity.places(), tuple(PERMISSIONS))
    await visitor.sign_in(await identity.login_of(account))
    shown = await visitor.get("/staff/search")
    assert shown.status_code == 200 and "/staff/jobs" not in shown.text
    for path in ("/staff/jobs", "/staff/jobs?job=test.job", "/staff/jobs/runs?job=test.job"):
        refused = await visitor.get(path)
        assert refused.status_code == 403 and "没有权限" in seen(refused)
    for verb in ("run", "pause", "resume"):
        refused = await visitor.post(f"/staff/jobs/{verb}", {"job": NAME, "reason": "维修"})
        assert refused.status_code == 403
    assert await runs() == []
    assert await database.fetchval("SELECT count(*) FROM job_pause") == 0


async def test_an_operator_without_a_compound_starts_there(mine: Visitor) -> None:
    assert (await mine.get("/staff")).headers["location"] == "/staff/jobs"
    shown = await mine.get("/staff/jobs")
    assert shown.text.count('href="/staff/jobs" aria-current="page"') == 2
    assert 'href="/staff/payments/exceptions?of=NONE"' in shown.text
    text = seen(shown)
    assert "测试任务 test.job · 0 2 * * *" in text and "还没有运行过" in text and "正常" in text
    english = seen(await mine.get("/staff/jobs", **{"accept-language": "en"}))
    assert "Test job" in english and "Never ran" in english and "On time" in english


async def test_run_now_is_followed_to_its_end(mine: Visitor, one_job: jobs.Job) -> None:
    key = "0191d3a0-7c4e-7b3a-9f6e-1c2d3e4f5a6b"
    assert "等待运行" in await press(mine, "run", key=key)
    assert "等待运行" in await press(mine, "run", key=key)  # pressed twice
    assert "正在等待运行或正在运行" in await press(mine, "run")
    (row,) = await runs()
    following = await mine.get(f"/staff/jobs?job={NAME}", **HTMX)
    assert 'hx-trigger="every 3s"' in following.text and "<form" not in following.text
    await jobs.run_due(one_job, row["due_at"])
    failed = await mine.get(f"/staff/jobs?job={NAME}", **HTMX)
    assert "失败" in seen(failed) and "ValueError" in seen(failed) and "hx-trigger" not in failed.text
    await jobs.run_due(one_job, row["due_at"])
    ended = seen(await mine.get(f"/staff/jobs?job={NAME}", **HTMX))
    assert "成功" in ended and "第 2 次尝试" in ended and "由 王师傅 要求运行" in ended


async def test_a_job_is_paused_with_its_reason_and_resumed(mine: Visitor) -> None:
    before = seen(await mine.get("/staff/jobs"))
    assert "暂停…" in before and "恢复" not in before.replace("恢复后补一次", "")
    assert "内容不能为空" in await press(mine, "pause", reason=" ")
    paused = await press(mine, "pause", reason="<b>换打印机</b>")
    assert "已暂停" in paused and "王师傅 于" in paused and "<b>换打印机</b>" in paused
    assert "<b>换" not in (await mine.get("/staff/jobs")).text
    assert "已经暂停" in await press(mine, "pause", reason="再来")
    resumed = await press(mine, "resume")
    assert "已暂停" not in resumed and "正常" in resumed
    assert "没有暂停" in await press(mine, "resume")


async def test_without_a_script_a_form_leads_back_with_a_message(mine: Visitor) -> None:
    for verb, told in (("run", "已要求运行"), ("pause", "任务已暂停"), ("resume", "任务已恢复")):
        done = await mine.post(f"/staff/jobs/{verb}", {"job": NAME, "reason": "维修"})
        assert (done.status_code, done.headers["location"]) == (303, "/staff/jobs")
        assert told in seen(await mine.get("/staff/jobs"))
    await mine.post("/staff/jobs/run", {"job": "no.such"})
    assert "没有这个定时任务" in seen(await mine.get("/staff/jobs"))
    bad = await mine.post("/staff/jobs/run", {"job": NAME, "key": "no key"})
    assert bad.status_code == 400


async def test_runs_are_unfolded_page_by_page(mine: Visitor, one_job: jobs.Job) -> None:
    assert "没有运行记录" in seen(await mine.get(f"/staff/jobs/runs?job={NAME}", **HTMX))
    for hour in range(23):
        await jobs.run_due(one_job, shanghai("2026-03-02T00:00") + timedelta(hours=hour))
    part = await mine.get(f"/staff/jobs/runs?job={NAME}", **HTMX)
    assert "<html" not in part.text and part.text.count("<tr>") == 21  # with the header
    assert "2026-03-02 22:00" in seen(part) and "加载更多" in seen(part)
    more = part.text.split('hx-get="')[1].split('"')[0].replace("&amp;", "&")
    rest = seen(await mine.get(more, **HTMX))
    assert "2026-03-02 00:00" in rest and "加载更多" not in rest
    whole = await mine.get(f"/staff/jobs/runs?job={NAME}")
    assert "<h1>测试任务</h1>" in whole.text
    assert (await mine.get("/staff/jobs/runs?job=no.such")).headers["location"] == "/staff/jobs"
    assert (await mine.get("/staff/jobs/runs")).headers["location"] == "/staff/jobs"


async def test_a_late_job_shows_as_late(mine: Visitor, one_job: jobs.Job) -> None:
    await jobs.run_due(one_job, clock.now() - timedelta(days=3))
    assert "逾期" in seen(await mine.get("/staff/jobs"))
