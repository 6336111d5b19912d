"""Clients of the small schema, in-process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route

from api.graphql.connections import Connections
from api.graphql.endpoint import GraphQLEndpoint, request_id_of
from api.graphql.options import EdgeOptions
from api.graphql.stream import GraphQLStream
from domains.kernel.actor import Actor
from domains.kernel.errors import Throttled, Unauthenticated
from schema.context import Context, language_of
from schema.limits.budget import Budget
from tests.api.edge.small import SCHEMA

STAFF = Actor(kind="staff", account_id=UUID(int=1), name="王师傅")


async def context_for(http: Request) -> Context:
    """Bearer "good" is staff, none is a stranger, "busy" is throttled and all else is invalid."""
    credential = http.headers.get("authorization", "").removeprefix("Bearer ")
    if credential == "busy":
        raise Throttled("THROTTLED", "操作太频繁,请稍后再试", 2.5)
    if credential == "broken":
        raise RuntimeError("password=hunter2")
    if credential not in ("", "good"):
        raise Unauthenticated("UNAUTHENTICATED", "请先登录")
    language = language_of(http.headers.get("accept-language", ""))
    actor = STAFF if credential else Actor()
    return Context(actor, request_id_of(http), language, budget_key=credential)


def application(options: EdgeOptions, budget: Budget | None = None) -> Starlette:
    endpoint = GraphQLEndpoint(SCHEMA, context_for, options, budget)
    stream = GraphQLStream(endpoint, Connections(options.sockets_per_client))
    return Starlette(routes=[Route("/graphql", endpoint), Route("/graphql/stream", stream)])


def client(options: EdgeOptions | None = None, budget: Budget | None = None) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(application(options or EdgeOptions(), budget))
    return httpx.AsyncClient(transport=transport, base_url="http://linli")


# The JSON of a response has any shape: `Any` is what lets a test index into it.
async def post(
    http: httpx.AsyncClient,
    query: str,
    variables: Mapping[str, object] | None = None,
    headers: Mapping[str, str] | None = None,
    **members: object,
) -> Any:
    body = {"query": query, "variables": variables or {}, **members}
    response = await http.post("/graphql", json=body, headers=headers)
    return response.json()


def codes(answer: Any) -> list[str]:
    return [error["extensions"]["code"] for error in answer["errors"]]
