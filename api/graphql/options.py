"""How the edge behaves, decided by the composition root."""

from __future__ import annotations

from dataclasses import dataclass, field

from api.graphql.documents import TrustedDocuments
from schema.limits.bounds import Limits


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
    allowed_origins: frozenset[str] = frozenset()
    endpoint_url: str = "/graphql"
    static_url: str = "/static/vendor/graphiql"
    heartbeat_s: float = 15.0
    send_limit_s: float = 20.0
    """How long an event stream may be stuck before it is cut: a WebSocket has its pings, a stream nothing."""
    init_timeout_s: float = 5.0
    sockets_per_client: int = 5
    operations_per_socket: int = 20
    message_limit: int = 100_000
