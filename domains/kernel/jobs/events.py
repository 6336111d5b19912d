"""What happened to scheduled work."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domains.kernel.events import Event


@dataclass(frozen=True, slots=True)
class JobFailed(Event):
    """A run used up its attempts, or its process died in the last of them: nobody tries it again."""

    job: str
    due: datetime
    attempts: int
    error: str


EVENTS: tuple[type[Event], ...] = (JobFailed,)
