"""Whether a failure is the database's absence (数据库不可用), which is no message's fault."""

from __future__ import annotations

import asyncpg
from tortoise.exceptions import DBConnectionError

# A pool that is exhausted says TimeoutError, which is an OSError as a refused connection is; a deadlock or
# a failed serialisation is the company a statement was in, not the statement.
_AWAY = (
    OSError,
    DBConnectionError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
    asyncpg.ReadOnlySQLTransactionError,
)


def is_outage(failure: BaseException) -> bool:
    """Whether the same work may well succeed later; the ORM's wrapping is looked through."""
    cause: BaseException | None = failure
    while cause is not None:
        # The driver files an argument that no column takes under the same head as a closed connection.
        if isinstance(cause, _AWAY) and not isinstance(cause, ValueError):
            return True
        cause = cause.__cause__
    return False
