"""The engine, observed: which operation ran, how it ended, what it cost the database."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Iterable

from graphql import GraphQLFormattedError
from graphql.execution import ExecutionResult

from api.graphql.engine import ANY, Answer, Engine, Kinds, Ready, Refused, Request
from api.observability import exchange
from domains.kernel import database
from schema.context import Context

_NAME = re.compile(r"\b(?:query|mutation|subscription)\s+([A-Za-z_][A-Za-z0-9_]{0,79})")


def operation_names(documents: Iterable[str]) -> frozenset[str]:
    """The names of the operations in these documents."""
    return frozenset(name for text in documents for name in _NAME.findall(text))


class ObservedEngine(Engine):
    """Counts for the exchange that it works for; without one it is just an engine."""

    async def prepare(self, request: Request, context: Context, kinds: Kinds = ANY) -> Ready:
        """Notes the name of what runs, and what was refused."""
        try:
            ready = await super().prepare(request, context, kinds)
        except Refused as refusal:
            _count("refused", refusal.answer.errors, request.operation_name)
            raise
        if here := exchange.current():
            here.operation = ready.operation.name
        return ready

    async def execute(self, ready: Ready) -> Answer:
        """Counts the operation with its statements."""
        async with database.counted() as statements:
            answer = await super().execute(ready)
        _count(_outcome(answer), (), ready.operation.name, statements.count)
        return answer

    async def subscribe(self, ready: Ready) -> AsyncGenerator[Answer, None]:
        """Counts what is opened; its events are many and count as errors only."""
        try:
            answers = await super().subscribe(ready)
        except Refused:
            _count("error", (), ready.operation.name)
            raise
        _count("ok", (), ready.operation.name)
        return answers

    def _answer(self, ready: Ready, result: ExecutionResult) -> Answer:
        answer = super()._answer(ready, result)
        if here := exchange.current():
            for code in _codes(answer):
                here.metrics.error(code)
        return answer


def _count(
    outcome: str, errors: Iterable[GraphQLFormattedError], name: str | None, statements: int | None = None
) -> None:
    here = exchange.current()
    if here is None:
        return
    here.metrics.operation(name, outcome, statements)
    for error in errors:
        here.metrics.error(error["extensions"]["code"])


def _outcome(answer: Answer) -> str:
    codes = {error["extensions"]["code"] for error in answer.errors}
    return "fault" if "INTERNAL" in codes else "error" if codes else "ok"


def _codes(answer: Answer) -> Iterable[object]:
    """Top-level errors, and the refusals in the payloads of mutations."""
    for error in answer.errors:
        yield error["extensions"]["code"]
    for payload in (answer.data or {}).values():
        refusals = payload.get("errors") if isinstance(payload, dict) else None
        if isinstance(refusals, list):
            yield from (each["code"] for each in refusals if isinstance(each, dict) and "code" in each)
