"""The ASGI application: GraphQL, health and readiness, metrics, pages."""

from __future__ import annotations

import asyncio

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from api import edge, files, gateway_notices
from api.devices import routes as devices
from api.graphql.connections import Connections
from api.observability import routes as observability
from api.observability.metrics import Metrics
from api.observability.operations import operation_names
from api.observability.requests import Observed
from api.pages import routes as pages
from api.pages.asking import committed_documents
from api.pages.headers import SecurityHeaders
from api.settings import Settings
from schema.root import schema


def build_app(settings: Settings, stop: asyncio.Event | None = None) -> Starlette:
    """The application over slots that are filled; once `stop` is set it is not ready any more."""
    options = edge.options_of(settings)
    held = Connections(options.sockets_per_client)
    site = pages.site(schema, settings, held, stop)
    metrics = Metrics(operation_names([*options.trusted.texts.values(), *committed_documents()]))
    return Starlette(
        routes=[
            *edge.routes(settings, metrics, held),
            *pages.routes(site),
            *files.routes(site),
            *devices.routes(),
            *gateway_notices.routes(metrics),
            *observability.routes(metrics, settings, stop),
        ],
        middleware=[
            Middleware(Observed, metrics=metrics),
            Middleware(SecurityHeaders, https=settings.url.startswith("https://")),
        ],
        exception_handlers={HTTPException: site.unmatched},
    )
