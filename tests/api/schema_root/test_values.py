"""Bad values in every place where a client puts one: a coded error and never a fault."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest

from schema.relay import encode
from tests.api.identity.clients import Api
from tests.api.schema_root.callers import codes, problems, send, tokens
from tests.api.schema_root.introspected import Json, Place, places, request

pytestmark = pytest.mark.usefixtures("instance")

# Whoever may do most comes furthest with a bad value; the others come as far as the door with one of them.
OTHERS = ("nobody", "resident", "another company")
IDS: dict[str, Json] = {
    "empty": "",
    "no base64": "编号",
    "no id": "SG91c2U6",
    "another case": encode("house", uuid4()),
    "an unknown type": encode("Secret", uuid4()),
    "unknown": encode("House", uuid4()),
    "an unknown building": encode("Building", uuid4()),
    "a number": 7,
    "long": "A" * 3_000,
    "sql": "' OR 1=1 --",
}
WRONG: dict[str, Json] = {
    "a number": 7, "an object": {"a": 1}, "a list of lists": [["x"]], "a boolean": True,
}  # fmt: skip
TEXTS: dict[str, Json] = {
    "too long": "字" * 20_001, "NUL": "a\x00b", "escape": "\x1b[31m", "half a character": "\ud800",
}  # fmt: skip
ODD: dict[str, Json] = {
    "empty": "", "blank": "  \n\t ", "turned around": "\u202eabc", "a wildcard": "%_\\", "emoji": "👨‍👩‍👧",
    "rare": "𠮷", "two thousand": "x" * 2_000, "markup": "<script>alert(1)</script>", "sql": "'; DROP TABLE house; --",
    "a template": "{{7*7}}${7*7}",
}  # fmt: skip


@pytest.fixture(scope="module")
async def known(instance: object) -> dict[str, str | None]:
    return await tokens()


def callers_of(values: dict[str, Json]) -> Iterator[tuple[str, str, Json]]:
    """Each value by staff with every permission, and one by each of the others: caller, name and value."""
    for turn, (name, value) in enumerate(values.items()):
        yield "staff", name, value
        if turn < len(OTHERS):
            yield OTHERS[turn], name, value


def by_name(type_name: str) -> dict[str, Place]:
    return {str(place): place for place in places(type_name)}


@pytest.mark.parametrize("place", by_name("ID"))
async def test_an_id_that_is_none(api: Api, known: dict[str, str | None], place: str) -> None:
    for caller, name, value in callers_of(IDS):
        response = await send(api.http, request(by_name("ID")[place], value), known[caller])
        assert list(problems(response)) == [], (caller, name)
        found = codes(response)
        # Whoever may ask learns that the id is none; an unknown one may simply find nothing.
        assert found or "unknown" in name or response.json()["data"], (caller, name)


@pytest.mark.parametrize("place", by_name("String") | by_name("LongText"))
async def test_a_text_that_cannot_be(api: Api, known: dict[str, str | None], place: str) -> None:
    there = (by_name("String") | by_name("LongText"))[place]
    for caller, name, value in callers_of(WRONG | TEXTS):
        if there.type_name == "String" or name != "too long":
            response = await _sent(api, request(there, value), known[caller])
            assert list(problems(response)) == [], (caller, name)
            assert set(codes(response)) & {"BAD_USER_INPUT", "BAD_REQUEST"}, (caller, name, response.text)


@pytest.mark.parametrize("place", by_name("String") | by_name("LongText"))
async def test_a_text_that_is_odd(api: Api, known: dict[str, str | None], place: str) -> None:
    there = (by_name("String") | by_name("LongText"))[place]
    for caller, name, value in callers_of(ODD):
        response = await send(api.http, request(there, value), known[caller])
        assert list(problems(response)) == [], (caller, name)


@pytest.mark.parametrize("type_name", ["Int", "Decimal", "Date", "DateTime", "Boolean", "Long"])
async def test_other_values_that_cannot_be(api: Api, known: dict[str, str | None], type_name: str) -> None:
    odd: list[Json] = [
        2**31,
        -(2**63),
        1.5,
        "x",
        "",
        [],
        {},
        None,
        True,
        "0001-01-01",
        "9999-12-31T23:59:59Z",
        0,
        -1,
    ]
    for place in by_name(type_name).values():
        for caller, _, value in callers_of({repr(value): value for value in odd}):
            response = await send(api.http, request(place, value), known[caller])
            assert list(problems(response)) == [], (str(place), value, caller)


async def _sent(api: Api, body: Json, token: str | None) -> Json:
    import json

    # What no UTF-8 can hold travels as an escape.
    headers = {"content-type": "application/json", **({"authorization": f"Bearer {token}"} if token else {})}
    return await api.http.post("/graphql", content=json.dumps(body).encode(), headers=headers)
