"""One of each kind of caller, and requests as any client sends them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID, uuid4

import httpx

from api.wiring import PERMISSIONS
from domains.estate.models import Compound
from schema.relay import encode
from tests.api.schema_root.introspected import Json
from tests.factories import identity, residents

EVERY_PERMISSION = tuple(PERMISSIONS)


@dataclass(frozen=True)
class Callers:
    """Accounts by kind of caller (None is nobody), and global ids of things that some of them may see."""

    accounts: dict[str, UUID | None]
    ids: tuple[str, ...]

    async def tokens(self) -> dict[str, str | None]:
        """A fresh session of each."""
        return {name: await identity.token(id) if id else None for name, id in self.accounts.items()}


async def callers() -> Callers:
    """Nobody, a resident with a house, staff with every permission there, and staff of another company."""
    scene, other = await residents.scene(), await identity.places()
    compound = await Compound.get(pk=scene.compound_id).select_related("company", "region")
    colleague = await identity.staff(compound.company.name, ["estate.read"])
    ids = (
        encode("Compound", scene.compound_id), encode("Compound", other.compound_id),
        encode("Building", scene.building_id), encode("House", scene.house_id), encode("House", scene.far_house_id),
        encode("Region", compound.region.id), encode("Person", scene.owner.person_id),
        encode("Occupancy", scene.owner.occupancy_id), encode("Staff", colleague), encode("House", uuid4()),
    )  # fmt: skip
    accounts = {
        "nobody": None,
        "resident": scene.owner.account_id,
        "staff": await identity.staff(compound.company.name, EVERY_PERMISSION),
        "another company": await identity.staff(other, EVERY_PERMISSION),
    }
    return Callers(accounts, ids)


async def tokens() -> dict[str, str | None]:
    """A token of each kind of caller."""
    return await (await callers()).tokens()


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
    for word in ("Traceback", "asyncpg", "SELECT ", "tortoise", "/api/graphql/", "site-packages"):
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
