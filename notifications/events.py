"""What happened while telling people."""

from __future__ import annotations

from dataclasses import dataclass

from domains.kernel.events import Event


@dataclass(frozen=True, slots=True)
class MessageFault(Event):
    """A platform cannot be asked as we ask it: a template or a setting is wrong, and somebody must mend it."""

    channel: str
    code: str
    kind: str
    detail: str


EVENTS: tuple[type[Event], ...] = (MessageFault,)
