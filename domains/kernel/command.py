"""What every command has in common: authority, one transaction, the audit row, idempotency.

What is left to read in a service is the rule and the write.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cached_property, wraps
from typing import Any, Concatenate, Literal, ParamSpec, TypeVar, cast, get_type_hints
from uuid import UUID

from pydantic import TypeAdapter

from domains.kernel import audit, database, idempotency
from domains.kernel.actor import Actor
from domains.kernel.errors import DomainError, Forbidden, Unauthenticated

P = ParamSpec("P")
R = TypeVar("R")
Caller = Literal["anyone", "account", "resident", "staff", "system"]
_SYSTEM_ID = UUID(int=0)


@dataclass(slots=True)
class _Record:
    """What the running command said about itself for the audit."""

    subject_type: str = ""
    subject_id: UUID | None = None
    compound_id: UUID | None = None
    details: dict[str, object] = field(default_factory=dict)


_running: ContextVar[_Record | None] = ContextVar("command", default=None)


def concerns(subject_type: str, subject_id: UUID | None, compound_id: UUID | None, **details: object) -> None:
    """Say what the running command is about; facts and ids only, no personal data."""
    current = _running.get()
    if current is None:
        raise RuntimeError("only a command concerns something")
    current.subject_type, current.subject_id, current.compound_id = subject_type, subject_id, compound_id
    current.details.update(details)


@dataclass(frozen=True)
class _Command:
    action: str
    caller: Caller
    permission: str | None
    audited: bool
    while_confined: bool
    by_turns: bool
    keeps_answer: bool
    function: Callable[..., Awaitable[Any]]  # Any: the decorated command's own types

    @cached_property
    def answer(self) -> TypeAdapter[Any]:
        """How the result is kept and given again; made on first use, hints are resolved late."""
        return TypeAdapter(get_type_hints(self.function)["return"])

    def authorise(self, actor: Actor) -> None:
        """The coarse check; the fine one (which compound, which house) is the command's first line."""
        if self.caller == "anyone" or actor.kind == "system":
            return
        if actor.account_id is None or self.caller not in ("account", actor.kind):
            actor.refuse()
        if actor.confined and not self.while_confined:
            actor.refuse()
        if self.permission and not actor.compounds(self.permission):
            actor.refuse()

    async def run(self, actor: Actor, *args: Any, key: UUID | None, **kwargs: Any) -> Any:
        """Everything in one transaction; a refusal of staff is kept in one of its own."""
        record = _Record()
        try:
            self.authorise(actor)
            async with database.transaction():
                return await self._inside(record, actor, args, key, kwargs)
        except (Forbidden, Unauthenticated) as refusal:
            await self._keep_refusal(actor, record, refusal)
            raise

    async def _inside(
        self, record: _Record, actor: Actor, args: tuple[Any, ...], key: UUID | None, kwargs: dict[str, Any]
    ) -> Any:
        if key is not None:
            digest = idempotency.body_hash({"args": args, **kwargs})
            caller_id = _SYSTEM_ID if actor.kind == "system" else actor.id
            claim = await idempotency.claim(caller_id, self.action, key, digest, by_turns=self.by_turns)
            if not claim.fresh:
                return self.answer.validate_python(claim.answer)
        result = await self._call(record, actor, args, kwargs)
        if key is not None and not self.keeps_answer:
            answer = self.answer.dump_python(result, mode="json")
            await idempotency.complete(caller_id, self.action, key, answer)
        if self.audited:
            if not record.subject_type:
                raise RuntimeError(f"{self.action} does not say what it concerns")
            await audit.record(
                actor, self.action, record.subject_type, record.subject_id,
                compound_id=record.compound_id, details=record.details,
            )  # fmt: skip
        return result

    async def _call(
        self, record: _Record, actor: Actor, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        token = _running.set(record)
        try:
            return await self.function(actor, *args, **kwargs)
        finally:
            _running.reset(token)

    async def _keep_refusal(self, actor: Actor, record: _Record, refusal: DomainError) -> None:
        if actor.kind != "staff" or not self.audited:
            return
        async with database.transaction():
            await audit.record(
                actor, self.action, record.subject_type or "command", record.subject_id,
                compound_id=record.compound_id or getattr(refusal, "compound_id", None),
                details={**record.details, "code": refusal.code}, outcome="refused",
            )  # fmt: skip
        if isinstance(refusal, Forbidden):
            refusal.is_audited = True


Body = Callable[Concatenate[Actor, P], Coroutine[object, object, R]]


def command(
    action: str,
    *,
    caller: Caller,
    permission: str | None = None,
    audited: bool = True,
    while_confined: bool = False,
    by_turns: bool = False,
    keeps_answer: bool = False,
) -> Callable[[Body[P, R]], Body[P, R]]:
    """Make a function a command: `caller` and `permission` are checked before anything is read,
    its writes, its audit row and its idempotency record are one transaction.

    `while_confined` opens it to a session whose password must be changed first. `by_turns`
    lets one caller's calls of a keyed command come one after the other, and `keeps_answer` says that
    a statement of the command itself keeps the answer under the key (`idempotency.KEEP`).
    A command that takes `idempotency_key` gives the same answer to the same key and body.
    """

    def decorate(function: Body[P, R]) -> Body[P, R]:
        made = _Command(action, caller, permission, audited, while_confined, by_turns, keeps_answer, function)
        keyed = "idempotency_key" in inspect.signature(function).parameters
        assert keyed or not (by_turns or keeps_answer), "both are matters of the key"

        @wraps(function)
        async def wrapped(actor: Actor, *args: P.args, **kwargs: P.kwargs) -> R:
            key = kwargs.get("idempotency_key") if keyed else None
            result: R = await made.run(actor, *args, key=key, **kwargs)  # type: ignore[arg-type]  # key is a UUID here
            return result

        return cast("Body[P, R]", wrapped)  # `wraps` keeps the parameters and forgets that they are these

    return decorate


sensitive_read = command
"""A read of personal data: the same path, for its audit row is in the transaction of the read."""
