"""The limits of the edge on the real schema."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from jose import jwt

from domains.estate import queries
from domains.kernel import clock
from domains.kernel.actor import Actor
from domains.kernel.clock import FixedClock
from tests.api.identity.clients import Api, codes
from tests.api.schema_root.callers import problems
from tests.factories import identity
from tests.factories.identity import places, staff

pytestmark = pytest.mark.usefixtures("instance")


@pytest.fixture
async def token(instance: object) -> str:
    return await identity.token(await staff(await places(), ["estate.read"]))


def nested(depth: int) -> str:
    return "{ organisation" + " { children" * depth + " { id }" + " }" * depth + " }"


WIDE = "compounds { houses(first: 100) { nodes { building { units { id } } unit { id } } } }"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        (nested(40), "QUERY_TOO_DEEP"),
        ("{" + " ".join(f"a{n}: compounds {{ id }}" for n in range(40)) + "}", "QUERY_TOO_WIDE"),
        ("{" + WIDE + "}", "QUERY_TOO_COSTLY"),
        (
            "{ compounds { houses(first: 100) { nodes { occupancies { house { vehicles { id } } } } } } }",
            "QUERY_TOO_COSTLY",
        ),
        ("{ compounds { id " + "id " * 5_000 + "} }", "QUERY_TOO_LARGE"),
        ("query Q { ...F } fragment F on Query { ...F }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ compounds { secret } }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ compounds { id }", "GRAPHQL_PARSE_FAILED"),
        ("", "BAD_REQUEST"),
    ],
)
async def test_a_document_that_asks_too_much_is_not_executed(
    api: Api, token: str, query: str, code: str
) -> None:
    answer = await api.ask(query, token=token)
    assert codes(answer)[0] == code
    assert "data" not in answer


async def test_what_a_screen_asks_for_is_allowed(api: Api, token: str) -> None:
    answer = await api.ask(
        "{ compounds { id name buildings { id name units { id name houseCount } } } }", token=token
    )
    assert "errors" not in answer
    assert answer["extensions"]["cost"]["requested"] < 10_000


async def test_a_body_of_ten_megabytes_is_refused(api: Api, token: str) -> None:
    for headers in ({}, {"authorization": f"Bearer {token}"}):
        response = await api.http.post(
            "/graphql", content=b'{"query": "{ compounds { id } }", "x": "' + b"a" * 10_000_000 + b'"}',
            headers={"content-type": "application/json", **headers},
        )  # fmt: skip
        assert (response.status_code, codes(response.json())) == (413, ["PAYLOAD_TOO_LARGE"])
        assert list(problems(response)) == []


async def test_an_upload_beyond_the_limit_is_refused(api: Api, token: str) -> None:
    operations = (
        '{"query": "mutation($i: ImportHousesInput!) { importHouses(input: $i) { errors { code } } }", '
    )
    operations += '"variables": {"i": {"compoundId": "x", "file": null}}}'
    response = await api.http.post(
        "/graphql", data={"operations": operations, "map": '{"0": ["variables.i.file"]}'},
        files={"0": ("a.xlsx", b"x" * 11_000_000)},
        headers={"authorization": f"Bearer {token}", "x-requested-with": "test"},
    )  # fmt: skip
    assert (response.status_code, codes(response.json())) == (413, ["FILE_TOO_LARGE"])


async def bearing(api: Api, header: str) -> tuple[int, list[str]]:
    response = await api.http.post(
        "/graphql", json={"query": "{ compounds { id } }"}, headers={b"authorization": header.encode()}
    )
    assert list(problems(response)) == []
    assert "data" not in response.json()
    return response.status_code, codes(response.json())


async def test_an_expired_token_is_401(api: Api) -> None:
    account = await identity.resident()
    with clock.use(FixedClock(clock.now() - timedelta(minutes=16))):
        old = await identity.token(account)
    assert await bearing(api, f"Bearer {old}") == (401, ["TOKEN_EXPIRED"])


async def test_a_forged_token_is_401(api: Api, token: str) -> None:
    claims = jwt.get_unverified_claims(token)
    head, body, mark = token.split(".")
    for forged in (
        "x", "a.b.c", f"{head}.{body}.", f"{head}.{body}.{mark[::-1]}", "é",
        jwt.encode(claims, "secret", algorithm="HS256"), f"{head}.{body[:-4]}AAAA.{mark}", "." * 50, "A" * 5_000,
    ):  # fmt: skip
        assert await bearing(api, f"Bearer {forged}") == (401, ["TOKEN_INVALID"]), forged[:40]
    for header in ("Basic dTpw", "Bearer", f"Token {token}"):
        assert await bearing(api, header) == (401, ["TOKEN_INVALID"])


async def test_a_token_of_an_ended_session_is_401(api: Api, token: str) -> None:
    await api.ask("mutation { signOut { errors { code } } }", token=token)
    assert await bearing(api, f"Bearer {token}") == (401, ["SESSION_ENDED"])


async def test_a_fault_is_masked(api: Api, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(actor: Actor) -> None:
        await asyncio.sleep(0)
        raise RuntimeError("password=hunter2 SELECT * FROM account")

    monkeypatch.setattr(queries, "compounds", broken)
    answer = await api.ask("{ compounds { id } }", token=token)
    assert codes(answer) == ["INTERNAL"]
    assert "hunter2" not in str(answer) and "SELECT" not in str(answer)
    assert answer["errors"][0]["extensions"]["requestId"]
