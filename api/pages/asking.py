"""How pages get and change anything: committed operations, run in-process (登记过的查询)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from graphql import GraphQLFormattedError, OperationType

from api.graphql.engine import Answer, Engine, Refused, Request
from schema.context import Context

DOCUMENTS = Path(__file__).with_name("documents")
# An answer is JSON of the shape that its document gives it: which one, no type here can say.
Data = dict[str, Any]
_STATUSES = {
    "UNAUTHENTICATED": 401, "FORBIDDEN": 403, "NOT_FOUND": 404, "CONFLICT": 409,
    "THROTTLED": 429, "INTERNAL": 500, "UNAVAILABLE": 503,
}  # fmt: skip


class Refusal(Exception):  # what a person is told, not a fault
    """The operation was not carried out; `status` is what HTTP says, `message` what the person reads."""

    def __init__(self, code: str, message: str, status: int) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.status = status


@cache
def document(name: str) -> str:
    """The text of an operation. Its file is named as it is."""
    return (DOCUMENTS / f"{name}.graphql").read_text(encoding="utf-8")


def committed_documents() -> list[str]:
    """The texts of all operations that pages may ask for."""
    return [document(path.stem) for path in sorted(DOCUMENTS.glob("*.graphql"))]


async def ask(engine: Engine, context: Context, name: str, variables: Mapping[str, object]) -> Data:
    """The data of an operation. Raises Refusal for what the API answers with a top-level error."""
    answer = await engine.run(Request(document(name), operation_name=name, variables=variables), context)
    if answer.errors:
        raise refusal_of(answer.errors[0])
    assert answer.data is not None, "an operation without errors has data"
    return answer.data


async def follow(
    engine: Engine, context: Context, name: str, variables: Mapping[str, object]
) -> AsyncGenerator[Answer, None]:
    """The answers of a subscription, from the moment this returns. Raises Refusal where it cannot be opened."""
    request = Request(document(name), operation_name=name, variables=variables)
    try:
        ready = await engine.prepare(request, context, frozenset({OperationType.SUBSCRIPTION}))
        return await engine.subscribe(ready)
    except Refused as refused:
        raise refusal_of(refused.answer.errors[0]) from None


def refusal_of(error: GraphQLFormattedError) -> Refusal:
    """A top-level error as what the person is told."""
    extensions = error["extensions"]
    code = str(extensions["code"])
    return Refusal(code, error["message"], _STATUSES.get(str(extensions.get("family", code)), 400))
