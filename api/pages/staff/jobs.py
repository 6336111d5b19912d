"""Scheduled work (定时任务), for who runs the installation."""

from __future__ import annotations

from uuid import uuid4

from starlette.responses import Response

from api.pages.asking import Data
from api.pages.cookies import Flash
from api.pages.page import Page

ROWS = 20
LIST = "/staff/jobs"


async def show(page: Page) -> Response:
    """Every job as it stands, or the line of the one that an open page follows to its end."""
    if page.is_partial and (name := page.asked("job")):
        found = (await page.ask("Jobs", name=name))["jobs"]
        # A job that the program no longer knows has no line.
        return page.show("staff/job_line.html", job=found[0]) if found else Response()
    return page.show("staff/jobs.html", jobs=(await page.ask("Jobs"))["jobs"], new_key=uuid4)


async def show_runs(page: Page) -> Response:
    """The runs of a job, the last due first."""
    name = page.asked("job") or ""
    found = (await page.ask("JobRuns", name=name, first=ROWS, after=page.asked("after")))["jobs"]
    if not found:
        return page.go(LIST)
    template = "staff/job_run_rows.html" if page.is_partial else "staff/job_runs.html"
    return page.show(template, job=found[0], found=found[0]["runs"])


async def run(page: Page) -> Response:
    """Request a run now."""
    given = {"job": page.typed("job"), "idempotencyKey": page.typed("key") or None}
    payload = (await page.ask("RunJob", input=given))["runJob"]
    return _changed(page, payload, page.texts("已要求运行，调度进程马上会执行"))


async def pause(page: Page) -> Response:
    """Stop running a job by its schedule."""
    given = {"job": page.typed("job"), "reason": page.typed("reason")}
    payload = (await page.ask("PauseJob", input=given))["pauseJob"]
    return _changed(page, payload, page.texts("任务已暂停，正在进行的运行不受影响"))


async def resume(page: Page) -> Response:
    """Run a job by its schedule again."""
    payload = (await page.ask("ResumeJob", input={"job": page.typed("job")}))["resumeJob"]
    return _changed(page, payload, page.texts("任务已恢复，错过的运行会补上一次"))


def _changed(page: Page, payload: Data, done: str) -> Response:
    """The job as it stands after the change, or why nothing was changed."""
    if payload["errors"]:
        message = payload["errors"][0]["message"]
        return page.notify(Flash("danger", message)) if page.is_partial else page.go(LIST, "danger", message)
    if page.is_partial:
        return page.show("staff/job.html", job=payload["job"], new_key=uuid4)
    return page.go(LIST, "success", done)
