"""How the edge behaves, decided by the composition root."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from graphql import GraphQLError

from api.graphql.documents import TrustedDocuments
from schema.context import Context
from schema.limits.bounds import Limits

OnErrors = Callable[[Context, str | None, Sequence[GraphQLError]], Awaitable[None]]


async def _nothing(context: Context, operation: str | None, errors: Sequence[GraphQLError]) -> None:
    """Errors go to the client alone."""


@dataclass(frozen=True, slots=True)
class EdgeOptions:
    """Sizes are bytes, times are seconds. The defaults are those of development."""

    introspection: bool = True
    suggestions: bool = True
    ide: bool = True
    uploads: bool = False
    trusted: TrustedDocuments = field(default_factory=TrustedDocuments)
    trusted_only: bool = False
    names_required: bool = False
    body_limit: int = 1_000_000
    file_limit: int = 10_000_000
    files: int = 5
    limits: Limits = field(default_factory=Limits)
    on_errors: OnErrors = _nothing
    """What else happens to the errors of an operation, before it is answered."""
    allowed_origins: frozenset[str] = frozenset()
    endpoint_url: str = "/graphql"
    static_url: str = "/static/vendor/graphiql"
    heartbeat_s: float = 15.0
    send_limit_s: float = 20.0
    """How long one message may take to leave, before a client that does not read is cut."""
    init_timeout_s: float = 5.0
    sockets_per_client: int = 5
    operations_per_socket: int = 20
    message_limit: int = 100_000
