"""What a job is (定时任务), and when it is due."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from apscheduler.triggers.cron import CronTrigger

from domains.kernel import clock
from domains.kernel.slots import Slot

Result = dict[str, Any] | None  # Any: JSON a job reports about itself

_INSTANT = timedelta(microseconds=1)
_LOOK_BACK = tuple(timedelta(days=days) for days in (1 / 24, 2, 32, 400))


class Trigger(Protocol):
    """When a job is due: one of the scheduler library's triggers, by the one thing that is asked of it.
    Its text says the schedule to people."""

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        """The next due time after `previous_fire_time`, not before `now`."""


@dataclass(frozen=True)
class Job:
    """A scheduled job: `run` gets the due time, in UTC, and reports JSON facts about itself.

    It is stopped after `limit_s` and tried `attempts` times in all, `retry_after_s` after the first
    failure, twice that after the second, and so on. `zh` and `en` say what it does.
    """

    name: str
    trigger: Trigger
    run: Callable[[datetime], Awaitable[Result]]
    attempts: int = 3
    limit_s: float = 600.0
    retry_after_s: float = 60.0
    zh: str = ""
    en: str = ""

    @property
    def schedule(self) -> str:
        """The schedule as text: a cron expression in Asia/Shanghai."""
        return str(self.trigger)

    def label(self, language: str) -> str:
        """What people call it."""
        return (self.en if language == "en" else self.zh) or self.name


catalogue: Slot[Sequence[Job]] = Slot("jobs.catalogue")
"""Every job of the installation, for a process that runs none of them."""


class _Crontab(CronTrigger):  # type: ignore[misc]  # the library has no types
    """A trigger whose text is the five fields it was made from."""

    def __str__(self) -> str:
        fields = {field.name: str(field) for field in self.fields}
        return " ".join(fields[name] for name in ("minute", "hour", "day", "month", "day_of_week"))


def cron(expression: str) -> Trigger:
    """A trigger by a cron expression in Asia/Shanghai."""
    trigger: Trigger = _Crontab.from_crontab(expression, timezone=clock.SHANGHAI)
    return trigger


def next_due(trigger: Trigger, since: datetime) -> datetime | None:
    """The first due time after `since`, in UTC; None for a job that is never due again."""
    due = trigger.get_next_fire_time(None, since + _INSTANT)
    return due.astimezone(UTC) if due else None


def is_late(trigger: Trigger, last: datetime, now: datetime) -> bool:
    """Whether two due times have passed since the last run's: one is being missed, two are an outage."""
    missed = next_due(trigger, last)
    missed_again = next_due(trigger, missed) if missed else None
    return missed_again is not None and missed_again < now


def latest_due(trigger: Trigger, since: datetime, now: datetime) -> datetime | None:
    """The last due time after `since` and not after `now`; several that were missed count as one,
    for a job works off all rows that are due.

    A trigger can only be asked what comes next. To count up from long ago would take its time for a
    job that is due every minute, so the nearest past is asked first.
    """
    starts = [now - span for span in _LOOK_BACK if now - span > since]
    return next((due for start in (*starts, since) if (due := _last_between(trigger, start, now))), None)


def _last_between(trigger: Trigger, since: datetime, now: datetime) -> datetime | None:
    due, moment = None, since + _INSTANT
    while (moment_due := trigger.get_next_fire_time(due, moment)) is not None and moment_due <= now:
        due, moment = moment_due, moment_due + _INSTANT
    return due
