"""`linli jobs …`: scheduled work as it stands, run now, paused and resumed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated

import typer

from api.cli.running import in_instance

app = typer.Typer(no_args_is_help=True, help="Scheduled jobs: as they stand, run now, pause, resume.")

Name = Annotated[str, typer.Argument(help="The job, as `list` shows it.")]
STATES = {"requested": "等待运行", "running": "运行中", "succeeded": "成功", "failed": "失败"}


@app.command("list")
def list_jobs() -> None:
    """Show every job: state, schedule, next due time, last run."""

    async def work() -> None:
        from domains.kernel import jobs
        from domains.kernel.actor import SYSTEM

        for each in await jobs.scheduled_jobs(SYSTEM):
            paused = f"已暂停:{each.pause_reason}" if each.paused_at else ""
            state = paused or ("逾期" if each.is_late else "正常")
            last = (
                f"{_at(each.last_run.due_at)} {STATES[each.last_run.state]}" if each.last_run else "未运行过"
            )
            next_due = f"下次 {_at(each.next_due_at)}"
            print("\t".join((each.name, state, each.schedule, next_due, last, each.job.zh)))

    in_instance(work)


@app.command()
def runs(
    name: Name,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most that many.")] = 20,
) -> None:
    """Show the runs of a job, the last due first."""

    async def work() -> None:
        from domains.kernel import jobs
        from domains.kernel.actor import SYSTEM

        ((*found,),) = await jobs.runs(SYSTEM, [jobs.RunsAsked(name, None, limit)])
        for each in found:
            took = "" if each.seconds is None else f"{each.seconds:.1f} 秒"
            by = each.requested_by_name or ""
            told = each.error or " ".join(f"{key}={value}" for key, value in each.result.items())
            print("\t".join((_at(each.due_at), STATES[each.state], str(each.attempts), took, by, told)))
        if not found:
            print(f"{name} 没有运行记录")

    in_instance(work)


@app.command()
def run(name: Name) -> None:
    """Request a run now; the scheduler that leads takes it up."""

    async def work() -> None:
        from domains.kernel import jobs
        from domains.kernel.actor import SYSTEM

        await jobs.run_job(SYSTEM, job=name)
        print(f"已要求运行 {name},由调度进程执行;用 linli jobs runs {name} 查看结果")

    _in_waking_instance(work)


@app.command()
def pause(name: Name, reason: Annotated[str, typer.Option(help="Why, for colleagues.")]) -> None:
    """Stop running a job by its schedule; a run in progress goes on to its end."""

    async def work() -> None:
        from domains.kernel import jobs
        from domains.kernel.actor import SYSTEM

        await jobs.pause_job(SYSTEM, job=name, reason=reason)
        print(f"已暂停 {name}")

    in_instance(work)


@app.command()
def resume(name: Name) -> None:
    """Run a job by its schedule again; what was missed is caught up by one run."""

    async def work() -> None:
        from domains.kernel import jobs
        from domains.kernel.actor import SYSTEM

        await jobs.resume_job(SYSTEM, job=name)
        print(f"已恢复 {name}")

    _in_waking_instance(work)


def _in_waking_instance(work: Callable[[], Awaitable[None]]) -> None:
    """The scheduler runs elsewhere: it is told at once."""

    async def waking() -> None:
        from api.delivering import wake_others

        wake_others()
        await work()

    in_instance(waking)


def _at(moment: datetime | None) -> str:
    from domains.kernel.clock import SHANGHAI

    return moment.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M") if moment else "-"
