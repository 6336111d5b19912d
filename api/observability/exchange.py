"""One request or one socket, as logs and metrics tell of it: what becomes known on the way is noted here."""

from __future__ import annotations

import re
import uuid
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from domains.kernel.actor import Actor

if TYPE_CHECKING:
    from api.observability.metrics import Metrics

_WELL_FORMED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")


@dataclass(slots=True)
class Exchange:
    """Ids and names only; nothing of what was asked or answered."""

    request_id: str
    metrics: Metrics
    operation: str | None = None
    actor_kind: str | None = None
    account_id: UUID | None = None


_current: ContextVar[Exchange | None] = ContextVar("exchange", default=None)


def current() -> Exchange | None:
    """What this task is answering, if anything."""
    return _current.get()


def begin(exchange: Exchange) -> None:
    """Make it what this task, and every task it starts, is answering."""
    _current.set(exchange)


def note_actor(actor: Actor) -> None:
    """Say who is calling."""
    if exchange := _current.get():
        exchange.actor_kind, exchange.account_id = actor.kind, actor.account_id


def request_id(given: str | None) -> str:
    """The caller's own id where it is well-formed (8 to 64 letters, digits, `.`, `_`, `-`), else a new one."""
    return given if given and _WELL_FORMED.fullmatch(given) else uuid.uuid4().hex
