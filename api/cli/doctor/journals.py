"""What the database holds: migrations, the audit's last seals, events and jobs that did not succeed."""

from __future__ import annotations

from api.cli.doctor.findings import Finding, doubtful, fine, wrong
from api.migrating import pending_migrations
from api.settings import Settings
from domains.kernel import audit, database, outbox

SEALS = 5
LATE_S = 300.0

LATEST_RUNS = """
SELECT DISTINCT ON (job) job, state, due_at FROM job_run ORDER BY job, due_at DESC
"""


async def examine(settings: Settings) -> list[Finding]:
    """Nothing further where the tables are not there."""
    if pending := await pending_migrations():
        shown = "、".join(pending[:5])
        report = doubtful if settings.profile == "embedded" else wrong
        return [report("数据库结构", f"有 {len(pending)} 个迁移未执行:{shown}", "请运行 linli migrate")]
    return [fine("数据库结构", "已是最新"), await _seals(), await _events(), await _jobs()]


async def _seals() -> Finding:
    verdict = await audit.verify_last(SEALS)
    if verdict.broken_at is not None:
        advice = "请保留现场并报告,用 linli verify-audit 查看完整的校验结果"
        return wrong("审计日志", f"第 {verdict.broken_at} 个封条与内容不符,日志可能被改动", advice)
    return fine("审计日志", f"最近 {verdict.seals} 个封条完好")


async def _events() -> Finding:
    backlog = await outbox.backlog()
    if backlog.parked:
        advice = "用 linli outbox list 查看原因,处理后用 linli outbox retry 重新投递"
        return wrong("事件投递", f"{backlog.parked} 条已搁置", advice)
    if backlog.oldest_s > LATE_S:
        text = f"{backlog.pending} 条待投递,最早的已等待 {backlog.oldest_s / 60:.0f} 分钟"
        return wrong("事件投递", text, "请确认 linli worker(或 linli serve)正在运行")
    return fine("事件投递", f"{backlog.pending} 条待投递")


async def _jobs() -> Finding:
    runs = await database.fetch(LATEST_RUNS)
    failed = [row["job"] for row in runs if row["state"] == "failed"]
    if failed:
        advice = "请在日志中搜索 job.failed 查看原因;下一次到期时会再次执行"
        return wrong("定时任务", f"最近一次失败:{'、'.join(failed)}", advice)
    return fine("定时任务", f"{len(runs)} 个任务最近一次都成功" if runs else "尚未执行过")
