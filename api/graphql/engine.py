"""From a request to an answer, the same for every transport and for pages that ask in-process.

Everything that can refuse a request comes first and is remembered per document; what is left to do per
request is to read the variables, charge the budget and execute.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeGuard, cast

import strawberry
from graphql import (
    ExecutionResult,
    GraphQLError,
    GraphQLFormattedError,
    OperationType,
)
from graphql.execution import Executor, create_source_event_stream, map_source_to_response_event
from strawberry.execution import optimized_is_awaitable

from api.graphql.options import EdgeOptions
from schema.context import Context
from schema.errors import general_text, present_graphql, present_request_error
from schema.limits.budget import Budget, BudgetStatus
from schema.limits.cost import refused
from schema.limits.documents import Documents, Operation, Prepared
from schema.limits.text import TextCheck

QUERY = frozenset({OperationType.QUERY})
QUERY_OR_MUTATION = frozenset({OperationType.QUERY, OperationType.MUTATION})
ANY = QUERY_OR_MUTATION | {OperationType.SUBSCRIPTION}
Kinds = frozenset[OperationType]


@dataclass(frozen=True, slots=True)
class Request:
    """What a client sent."""

    text: str | None = None
    document_id: str | None = None
    operation_name: str | None = None
    variables: Mapping[str, object] = field(default_factory=dict)


@dataclass(slots=True)
class Answer:
    """What goes back. Without `executed` there is no `data` at all, and `status` is what HTTP says."""

    errors: list[GraphQLFormattedError] = field(default_factory=list)
    data: dict[str, object] | None = None
    executed: bool = False
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    extensions: dict[str, object] = field(default_factory=dict)

    def body(self) -> dict[str, object]:
        """The response map: errors first, where a reader looks first."""
        body: dict[str, object] = {"errors": self.errors} if self.errors else {}
        if self.executed:
            body["data"] = self.data
        if self.extensions:
            body["extensions"] = self.extensions
        return body


class Refused(Exception):
    """The request is not executed; carries the answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


@dataclass(frozen=True, slots=True)
class Ready:
    """An operation that may run now: checked and paid."""

    operation: Operation
    executor: Executor[None]
    context: Context
    requested: int
    budget: BudgetStatus | None


class Engine:
    """One schema with its limits, budget and trusted documents."""

    def __init__(self, schema: strawberry.Schema, options: EdgeOptions, budget: Budget | None = None) -> None:
        self.schema = schema._schema
        self.options = options
        self.budget = budget
        self.documents = Documents(self.schema, options.limits, options.introspection, options.suggestions)
        self.texts = TextCheck(options.limits)

    async def run(self, request: Request, context: Context, kinds: Kinds = QUERY_OR_MUTATION) -> Answer:
        """Answers a query or mutation."""
        try:
            ready = await self.prepare(request, context, kinds)
        except Refused as refusal:
            return refusal.answer
        return await self.execute(ready)

    async def prepare(self, request: Request, context: Context, kinds: Kinds = ANY) -> Ready:
        """Checks the request and charges its cost; Refused with the answer when it may not run."""
        try:
            prepared = self.documents.prepare(self._text(request))
            if prepared.errors:
                raise self._refused(context, *prepared.errors)
            operation = self._operation(prepared, request, kinds)
            self.texts.check(operation.inputs, request.variables)
        except GraphQLError as error:
            raise self._refused(context, error) from None
        executor = self._executor(prepared, operation, request, context)
        requested = operation.cost.requested(request.variables)
        budget = await self._charge(context, requested)
        return Ready(operation, executor, context, requested, budget)

    async def execute(self, ready: Ready) -> Answer:
        """Runs a query or mutation."""
        result = ready.executor.execute_operation()
        if optimized_is_awaitable(result):
            result = await cast("Awaitable[ExecutionResult]", result)
        done = cast("ExecutionResult", result)
        if done.errors:
            await self.options.on_errors(ready.context, ready.operation.name, done.errors)
        return self._answer(ready, done)

    async def subscribe(self, ready: Ready) -> AsyncGenerator[Answer, None]:
        """Answers of a subscription, each executed afresh; Refused when it cannot be opened."""
        source = create_source_event_stream(ready.executor)
        if optimized_is_awaitable(source):
            source = await cast("Awaitable[AsyncIterable[object] | ExecutionResult]", source)
        if isinstance(source, ExecutionResult):
            answer = self._answer(ready, source)
            answer.executed, answer.status = False, 400
            raise Refused(answer)
        events = map_source_to_response_event(ready.executor, cast("AsyncIterable[object]", source))
        return self._answers(ready, events)

    async def _answers(
        self, ready: Ready, events: AsyncGenerator[ExecutionResult, None]
    ) -> AsyncGenerator[Answer, None]:
        try:
            async for result in events:
                yield self._answer(ready, result)
                # An event is executed afresh: what one event loaded says nothing about the next.
                ready.context.loaders.clear()
        except Exception as error:
            fault = GraphQLError(str(error), original_error=error)
            yield self._answer(ready, ExecutionResult(None, [fault]))
        finally:
            await events.aclose()

    def _text(self, request: Request) -> str:
        text = request.text
        if request.document_id is not None:
            text = self.options.trusted.text(request.document_id)
            if text is None:
                raise refused("PERSISTED_QUERY_NOT_FOUND", None)
        if not text:
            raise refused("BAD_REQUEST", None)
        if self.options.trusted_only and not self.options.trusted.holds(text):
            raise refused("UNTRUSTED_DOCUMENT", None)
        return text

    def _operation(self, prepared: Prepared, request: Request, kinds: Kinds) -> Operation:
        operation = prepared.operation(request.operation_name)
        if operation is None:
            raise refused("OPERATION_RESOLUTION_FAILURE", None)
        if operation.name is None and self.options.names_required:
            raise refused("OPERATION_NAME_REQUIRED", None)
        if operation.kind not in kinds:
            raise refused("METHOD_NOT_ALLOWED", None)
        return operation

    def _executor(
        self, prepared: Prepared, operation: Operation, request: Request, context: Context
    ) -> Executor[None]:
        assert prepared.document is not None, "a document without errors is there"
        executor = Executor[None].build(
            self.schema,
            prepared.document,
            context_value=context,
            raw_variable_values=dict(request.variables),
            operation_name=operation.name,
            max_coercion_errors=self.options.limits.errors,
            is_awaitable=cast("Callable[[object], TypeGuard[Awaitable[object]]]", optimized_is_awaitable),
            hide_suggestions=not self.options.suggestions,
        )
        if isinstance(executor, list):
            raise self._refused(context, *executor)
        return executor

    async def _charge(self, context: Context, requested: int) -> BudgetStatus | None:
        if requested > self.options.limits.cost:
            raise self._refused(context, refused("QUERY_TOO_COSTLY", None), requested=requested)
        if self.budget is None:
            return None
        status = await self.budget.take(context, requested)
        context.headers.update(status.headers())
        if not status.allowed:
            throttled = refused("THROTTLED", None)
            raise self._refused(context, throttled, status=429, requested=requested, budget=status)
        return status

    def _refused(
        self,
        context: Context,
        *errors: GraphQLError,
        status: int = 400,
        requested: int | None = None,
        budget: BudgetStatus | None = None,
    ) -> Refused:
        shown = [present_request_error(e, context.request_id, context.language) for e in errors]
        answer = Answer(shown[: self.options.limits.errors], status=status, headers=context.headers)
        if any(error["extensions"]["code"] == "METHOD_NOT_ALLOWED" for error in shown):
            answer.status = 405
        if requested is not None:
            answer.extensions["cost"] = _cost_report(requested, 0, budget)
        return Refused(answer)

    def _answer(self, ready: Ready, result: ExecutionResult) -> Answer:
        context = ready.context
        errors = [present_graphql(e, context.request_id, context.language) for e in result.errors or ()]
        actual = ready.operation.cost.actual(result.data)
        report = _cost_report(ready.requested, actual, ready.budget)
        return Answer(
            errors=_bounded(errors, self.options.limits.errors, context),
            data=result.data,
            executed=True,
            headers=context.headers,
            extensions={"cost": report},
        )


def _cost_report(requested: int, actual: int, budget: BudgetStatus | None) -> dict[str, object]:
    report: dict[str, object] = {"requested": requested, "actual": actual}
    if budget is not None:
        report["throttleStatus"] = budget.report()
    return report


def _bounded(errors: list[GraphQLFormattedError], most: int, context: Context) -> list[GraphQLFormattedError]:
    if len(errors) <= most:
        return errors
    extensions = {"code": "TOO_MANY_ERRORS", "requestId": context.request_id}
    message = general_text("TOO_MANY_ERRORS", context.language)
    return [*errors[: most - 1], {"message": message, "extensions": extensions}]
