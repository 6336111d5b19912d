"""The real schema over ASGI, and what tests of identity ask of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from domains.kernel import database

Json = Any  # the JSON of a response has any shape


class Api:
    """A client of the API."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def ask(
        self, query: str, variables: Mapping[str, object] | None = None, token: str | None = None
    ) -> Json:
        """The whole answer."""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        response = await self.http.post(
            "/graphql", json={"query": query, "variables": variables or {}}, headers=headers
        )
        return response.json()

    async def run(
        self, name: str, kind: str, fields: str, token: str | None = None, /, **input: object
    ) -> Json:
        """The payload of a mutation `name(input: kind!)`; top-level errors fail the test."""
        answer = await self.attempt(name, kind, fields, token, **input)
        assert "errors" not in answer, answer
        return answer["data"][name]

    async def attempt(
        self, name: str, kind: str, fields: str, token: str | None = None, /, **input: object
    ) -> Json:
        """The whole answer to a mutation."""
        query = (
            f"mutation($input: {kind}!) {{ {name}(input: $input) {{ {fields} errors {{ code field }} }} }}"
        )
        return await self.ask(query, {"input": input}, token)

    async def me(self, token: str) -> Json:
        """The caller's own account."""
        fields = "id name phone hasPhone kind language mustChangePassword hasTotp permissions"
        answer = await self.ask(f"{{ viewer {{ me {{ {fields} }} }} }}", token=token)
        assert "errors" not in answer, answer
        return answer["data"]["viewer"]["me"]


CREDENTIALS = "credentials { accessToken refreshToken }"


def codes(answer: Json) -> list[str]:
    """Codes of top-level errors, or of a payload's."""
    return [error["code"] if "code" in error else error["extensions"]["code"] for error in answer["errors"]]


async def count(table: str, where: str = "true", *values: object) -> int:
    """Rows of a table."""
    return int(await database.fetchval(f"SELECT count(*) FROM {table} WHERE {where}", *values))
