"""Jobs that note what they do, operators, and readings of their rows, the short way."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import orjson

from domains.identity.models import StaffMember
from domains.identity.service.operators import set_operator
from domains.kernel import database
from domains.kernel.actor import SYSTEM, Actor
from domains.kernel.clock import SHANGHAI
from domains.kernel.jobs import Job, Result, Trigger, cron
from tests.factories import identity
from tests.factories.kernel import ORIGIN

NAME = "test.job"


def shanghai(text: str) -> datetime:
    """An instant by the clock of Shanghai."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


class Work:
    """What a job does: notes when it was due and how many of it ran at once, fails as often as it is told."""

    def __init__(self, *, failures: int = 0, pause_s: float = 0.0) -> None:
        self.dues: list[datetime] = []
        self.failures = failures
        self.pause_s = pause_s
        self.running = 0
        self.most = 0

    async def __call__(self, due: datetime) -> Result:
        self.dues.append(due)
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await asyncio.sleep(self.pause_s)
        finally:
            self.running -= 1
        if len(self.dues) <= self.failures:
            raise ValueError("no paper")
        return {"runs": len(self.dues)}

    def job(self, *, attempts: int = 3, trigger: Trigger | None = None, name: str = NAME) -> Job:
        """The job, due at 02:00 unless told, tried again at once."""
        when = trigger or cron("0 2 * * *")
        return Job(name, when, self, attempts, retry_after_s=0.0, zh="测试任务", en="Test job")


def operator(name: str = "赵运维") -> Actor:
    """Somebody who runs the installation and has no role anywhere."""
    return Actor("staff", uuid4(), uuid4(), name, operator=True, origin=ORIGIN)


async def operator_account(*permissions: str) -> UUID:
    """The account of an operator, with a role of these permissions in a company of its own."""
    account = await identity.staff(await identity.places(), permissions)
    await set_operator(SYSTEM, login=(await StaffMember.get(account_id=account)).login, is_operator=True)
    return account


async def runs(job: str = NAME) -> list[asyncpg.Record]:
    """The rows of a job's runs, the first due first."""
    return list(await database.fetch("SELECT * FROM job_run WHERE job = $1 ORDER BY due_at", job))


async def failures() -> list[dict[str, Any]]:  # Any: payloads
    """The payloads of JobFailed in the outbox, in order."""
    rows = await database.fetch("SELECT payload FROM outbox_message WHERE event = 'JobFailed' ORDER BY id")
    return [orjson.loads(row["payload"]) for row in rows]


async def forget() -> None:
    """No runs, no pauses, no events."""
    for table in ("job_run", "job_pause", "outbox_message"):
        await database.execute(f"DELETE FROM {table}")
