"""Reads that were denied to staff go into the audit (越权访问); denied commands have put themselves there."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from graphql import GraphQLError

from domains.kernel import audit, database
from domains.kernel.errors import Forbidden
from schema.context import Context


async def keep_refusals(context: Context, operation: str | None, errors: Sequence[GraphQLError]) -> None:
    """One row per compound that a staff member reached for without the authority."""
    if context.actor.kind != "staff":
        return
    reached: dict[UUID | None, list[str]] = {}
    for error in errors:
        cause = _cause(error)
        if isinstance(cause, Forbidden) and not cause.is_audited:
            path = ".".join(str(part) for part in error.path or ())
            reached.setdefault(cause.compound_id, []).append(path)
    if reached:
        await _record(context, operation, reached)


async def _record(context: Context, operation: str | None, reached: dict[UUID | None, list[str]]) -> None:
    async with database.transaction():
        for compound_id, paths in reached.items():
            details = {"operation": operation, "paths": paths[:10]}
            await audit.record(
                context.actor,
                "query.read",
                "Query",
                compound_id=compound_id,
                details=details,
                outcome="refused",
            )


def _cause(error: BaseException | None) -> BaseException | None:
    while isinstance(error, GraphQLError):
        error = error.original_error
    return error
