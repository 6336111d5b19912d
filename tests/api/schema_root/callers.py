"""One of each kind of caller, and requests as any client sends them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import httpx

from tests.api.schema_root.introspected import Json
from tests.factories import identity, residents

EVERY_PERMISSION = (
    "estate.read", "estate.write", "estate.import", *residents.EVERYTHING, "staff.read", "staff.write", "roles.write",
    "audit.read",
)  # fmt: skip


async def tokens() -> dict[str, str | None]:
    """Nobody, a resident with a house, staff with every permission, and staff of another company."""
    scene, there, other = await residents.scene(), await identity.places(), await identity.places()
    return {
        "nobody": None,
        "resident": await identity.token(scene.owner.account_id),
        "staff": await identity.token(await identity.staff(there, EVERY_PERMISSION)),
        "another company": await identity.token(await identity.staff(other, EVERY_PERMISSION)),
    }


async def send(http: httpx.AsyncClient, body: Json, token: str | None = None) -> httpx.Response:
    """Post a request."""
    headers: Mapping[str, str] = {"authorization": f"Bearer {token}"} if token else {}
    return await http.post("/graphql", json=body, headers=headers)


def problems(response: httpx.Response) -> Iterator[str]:
    """What no answer may be: a fault, an error without a code, or one that tells of the inside."""
    if response.status_code >= 500:
        yield f"status {response.status_code}"
    answer = response.json()
    for error in answer.get("errors", ()):
        code = error.get("extensions", {}).get("code")
        if not code or code == "INTERNAL":
            yield f"code {code}: {error}"
        if not error.get("extensions", {}).get("requestId"):
            yield f"no request id: {error}"
    for word in ("Traceback", "asyncpg", "SELECT ", "tortoise", "/work/", "site-packages"):
        if word in response.text:
            yield f"tells of {word}"


def codes(response: httpx.Response) -> list[str]:
    """Codes of the request's errors and of the payloads'."""
    answer = response.json()
    found = [error["extensions"]["code"] for error in answer.get("errors", ())]
    for payload in (answer.get("data") or {}).values():
        if isinstance(payload, dict):
            found += [error["code"] for error in payload.get("errors") or ()]
    return found
