"""The page of scheduled jobs in a real browser: pressed, followed to the end, unfolded, paused; on a phone too."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from playwright.async_api import Browser, expect

from domains.kernel import clock, jobs
from tests.browser.driving import DESK, PHONE, window
from tests.factories import identity
from tests.factories.jobs import Work, forget, operator_account, runs

pytestmark = pytest.mark.usefixtures("instance")
NAME = "files.sweep"
WIDER = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


@pytest.fixture
async def one_job(instance: object) -> AsyncIterator[jobs.Job]:
    """One of the program's jobs, with nothing to do."""
    yield Work().job(name=NAME)
    await forget()


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
async def test_a_job_is_run_followed_unfolded_and_paused(
    served: str, opened: Browser, one_job: jobs.Job, size: tuple[int, int]
) -> None:
    await jobs.run_due(one_job, clock.now() - timedelta(days=1))
    login = await identity.login_of(await operator_account())
    async with window(opened, size) as each:
        page = each.page
        await each.sign_in(served, login, identity.PASSWORD)
        await page.wait_for_url("**/staff/jobs")
        job = page.locator("tbody.job", has_text=NAME)
        await job.get_by_role("button", name="立即运行").click()
        await expect(job).to_contain_text("等待运行")
        await jobs.run_due(one_job, (await runs(NAME))[-1]["due_at"])
        await expect(job.locator("tr").first).to_contain_text("由 王师傅 要求运行")
        await expect(job.locator("tr").first).to_contain_text("成功")
        await expect(job.locator("tr").first).not_to_contain_text("等待运行", timeout=6000)
        await job.locator("summary", has_text="运行记录").click()
        await expect(job.locator(".runs tbody tr")).to_have_count(2)
        await job.locator("summary", has_text="暂停").click()
        await job.locator("textarea").fill("换打印机")
        assert await page.evaluate(WIDER) is False
        await job.get_by_role("button", name="确认暂停").click()
        await expect(job).to_contain_text("暂停:换打印机".replace(":", "："))
        await job.get_by_role("button", name="恢复").click()
        await expect(job).not_to_contain_text("换打印机")
        assert await page.evaluate(WIDER) is False
