"""A client as a person's phone or desk is one: HTTP and nothing else."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import httpx


@dataclass
class Client:
    """Somebody who talks to the API. JSON is Any: a journey asserts on what it reads."""

    url: str
    token: str = ""
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=60))

    def headers(self) -> dict[str, str]:
        """With the bearer token of whoever signed in."""
        return {"authorization": f"Bearer {self.token}"} if self.token else {}

    def ask(self, query: str, **variables: object) -> Any:
        """The data of an operation that has no top-level error."""
        answer = self.answer(query, **variables)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    def answer(self, query: str, **variables: object) -> Any:
        """The whole response, whatever it says."""
        response = self.http.post(
            f"{self.url}/graphql", json={"query": query, "variables": variables}, headers=self.headers()
        )
        assert response.status_code < 500, response.text
        return response.json()

    def codes(self, query: str, **variables: object) -> list[str]:
        """The codes of the top-level errors."""
        return [error["extensions"]["code"] for error in self.answer(query, **variables).get("errors", [])]

    def upload(self, query: str, variables: dict[str, object], path: str, name: str, data: bytes) -> Any:
        """An operation with a file, by the multipart request specification."""
        response = self.http.post(
            f"{self.url}/graphql",
            data={
                "operations": json.dumps({"query": query, "variables": variables}),
                "map": json.dumps({"0": [path]}),
            },
            files={"0": (name, data)},
            headers=self.headers() | {"apollo-require-preflight": "true"},
        )
        answer = response.json()
        assert response.status_code < 500 and "errors" not in answer, answer
        return answer["data"]

    def sign_in_staff(self, login: str, password: str) -> None:
        """Sign in by password and keep the token."""
        data = self.ask(
            """mutation SignIn($input: SignInStaffInput!) { signInStaff(input: $input) {
                 credentials { accessToken refreshToken } errors { code message } } }""",
            input={"login": login, "password": password, "device": "journey"},
        )["signInStaff"]
        assert data["errors"] == [], data
        self.token = data["credentials"]["accessToken"]
