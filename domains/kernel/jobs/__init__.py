"""Scheduled work (定时任务): one leader, every due time once, misfires caught up; run by hand, paused, watched.

What a job does is computed from rows that are due, so that running it twice is nothing; the
unique row per (job, due) keeps it from running twice in the first place.
"""

from domains.kernel.jobs.control import LEADER, pause_job, request_run, resume_job, run_job
from domains.kernel.jobs.events import EVENTS, JobFailed
from domains.kernel.jobs.job import Job, Result, Trigger, catalogue, cron, is_late, latest_due, next_due
from domains.kernel.jobs.listing import JobRun, RunsAsked, ScheduledJob, runs, scheduled_jobs
from domains.kernel.jobs.running import catch_up, purge, run_due
from domains.kernel.jobs.scheduling import LEADER_LOCK, Scheduler

__all__ = [
    "EVENTS",
    "LEADER",
    "LEADER_LOCK",
    "Job",
    "JobFailed",
    "JobRun",
    "Result",
    "RunsAsked",
    "ScheduledJob",
    "Scheduler",
    "Trigger",
    "catalogue",
    "catch_up",
    "cron",
    "is_late",
    "latest_due",
    "next_due",
    "pause_job",
    "purge",
    "request_run",
    "resume_job",
    "run_due",
    "run_job",
    "runs",
    "scheduled_jobs",
]
