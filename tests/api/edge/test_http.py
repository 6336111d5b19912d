"""GraphQL over HTTP: status, media types, bodies, credentials."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest

from api.graphql.options import EdgeOptions
from tests.api.edge.clients import client, codes, post

GRAPHQL = {"accept": "application/graphql-response+json"}


async def test_answers_in_the_media_type_asked_for() -> None:
    async with client() as http:
        plain = await http.post("/graphql", json={"query": "{ who }"})
        graphql = await http.post("/graphql", json={"query": "{ who }"}, headers=GRAPHQL)
    assert plain.headers["content-type"] == "application/json; charset=utf-8"
    assert graphql.headers["content-type"] == "application/graphql-response+json; charset=utf-8"
    assert plain.json()["data"] == graphql.json()["data"] == {"who": "anonymous"}


async def test_errors_come_first_in_the_response() -> None:
    async with client() as http:
        response = await http.post("/graphql", json={"query": "{ fault }"})
    assert list(json.loads(response.text)) == ["errors", "data", "extensions"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ who", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("query A { who } query B { who }", "OPERATION_RESOLUTION_FAILURE"),
        ("", "BAD_REQUEST"),
    ],
)
async def test_a_request_error_is_400_without_data(query: str, code: str) -> None:
    async with client() as http:
        response = await http.post("/graphql", json={"query": query}, headers=GRAPHQL)
    assert response.status_code == 400
    assert "data" not in response.json()
    assert codes(response.json()) == [code]
    assert response.json()["errors"][0]["extensions"]["requestId"]


async def test_a_document_error_is_200_for_clients_of_plain_json() -> None:
    async with client() as http:
        response = await http.post("/graphql", json={"query": "{ nothing }"})
    assert response.status_code == 200
    assert "data" not in response.json()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b'"query"',
        b'{"query": 1}',
        b'{"query": "{ who }", "variables": []}',
        b'{"query": "{ who }", "operationName": {}}',
        b'{"query": "{ who }", "extensions": "x"}',
        b'{"query": "\xff"}',
        b"[" * 5000,
    ],
)
async def test_a_malformed_body_is_a_coded_400(body: bytes) -> None:
    async with client() as http:
        response = await http.post("/graphql", content=body, headers={"content-type": "application/json"})
    assert response.status_code == 400
    assert codes(response.json()) == ["BAD_REQUEST"]


async def test_batches_are_refused() -> None:
    async with client() as http:
        response = await http.post("/graphql", json=[{"query": "{ who }"}])
    assert (response.status_code, codes(response.json())) == (400, ["BATCHING_DISABLED"])


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""]
)
async def test_what_a_foreign_page_can_send_is_415(kind: str) -> None:
    async with client() as http:
        response = await http.post("/graphql", content=b'{"query":"{ who }"}', headers={"content-type": kind})
    assert (response.status_code, codes(response.json())) == (415, ["UNSUPPORTED_MEDIA_TYPE"])


async def test_a_large_body_is_413_also_without_a_declared_length() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(30):
            yield b" " * 100_000

    headers = {"content-type": "application/json"}
    async with client() as http:
        declared = await http.post("/graphql", content=b" " * 1_000_001, headers=headers)
        streamed = await http.post("/graphql", content=chunks(), headers=headers)
    assert [declared.status_code, streamed.status_code] == [413, 413]
    assert codes(streamed.json()) == ["PAYLOAD_TOO_LARGE"]


async def test_an_unacceptable_accept_is_406() -> None:
    async with client() as http:
        response = await http.post("/graphql", json={"query": "{ who }"}, headers={"accept": "text/csv"})
    assert (response.status_code, codes(response.json())) == (406, ["NOT_ACCEPTABLE"])


async def test_get_is_for_queries_only() -> None:
    async with client() as http:
        query = await http.get("/graphql", params={"query": "{ who }"})
        mutation = await http.get(
            "/graphql",
            params={"query": 'mutation { rename(input: {houseId: "x", name: "y"}) { errors { code } } }'},
        )
        put = await http.put("/graphql", json={"query": "{ who }"})
    assert query.json()["data"] == {"who": "anonymous"}
    assert (mutation.status_code, codes(mutation.json())) == (405, ["METHOD_NOT_ALLOWED"])
    assert (put.status_code, put.headers["allow"]) == (405, "GET, POST")


async def test_get_reads_variables_and_the_operation_name() -> None:
    params = {
        "query": "query A($t: String) { echo(text: $t) } query B { who }",
        "operationName": "A",
        "variables": '{"t": "邻里"}',
    }
    async with client() as http:
        assert (await http.get("/graphql", params=params)).json()["data"] == {"echo": "邻里"}
        broken = await http.get("/graphql", params={**params, "variables": "{"})
    assert (broken.status_code, codes(broken.json())) == (400, ["BAD_REQUEST"])


async def test_subscriptions_are_refused_over_plain_http() -> None:
    async with client() as http:
        response = await http.post("/graphql", json={"query": "subscription { count }"}, headers=GRAPHQL)
    assert (response.status_code, codes(response.json())) == (405, ["METHOD_NOT_ALLOWED"])


async def test_credentials() -> None:
    async with client() as http:
        good = await post(http, "{ who }", headers={"authorization": "Bearer good"})
        bad = await http.post("/graphql", json={"query": "{ who }"}, headers={"authorization": "Bearer no"})
        busy = await http.post(
            "/graphql", json={"query": "{ who }"}, headers={"authorization": "Bearer busy"}
        )
    assert good["data"] == {"who": "王师傅"}
    assert (bad.status_code, codes(bad.json())) == (401, ["UNAUTHENTICATED"])
    assert bad.headers["www-authenticate"].startswith("Bearer")
    assert (busy.status_code, busy.headers["retry-after"], codes(busy.json())) == (429, "3", ["THROTTLED"])


async def test_a_fault_before_execution_is_masked(capsys: pytest.CaptureFixture[str]) -> None:
    async with client() as http:
        response = await http.post(
            "/graphql", json={"query": "{ who }"}, headers={"authorization": "Bearer broken"}
        )
    assert (response.status_code, codes(response.json())) == (500, ["INTERNAL"])
    logged = capsys.readouterr().out
    assert "RuntimeError" in logged
    assert "hunter2" not in response.text + logged


async def test_a_request_id_given_upstream_is_kept() -> None:
    async with client() as http:
        answer = await post(http, "{ forbidden }")
    assert len(answer["errors"][0]["extensions"]["requestId"]) == 32


async def test_production_names_no_fields_and_shows_no_schema() -> None:
    options = EdgeOptions(introspection=False, suggestions=False, ide=False, names_required=True)
    async with client(options) as http:
        typo = await post(http, "query A { whom }")
        schema = await post(http, "query A { __schema { types { name } } }")
        hidden = await post(http, 'query A { ...F } fragment F on Query { __type(name: "House") { name } }')
        nameless = await post(http, "{ who }")
        typename = await post(http, "query A { __typename }")
    assert "Did you mean" not in typo["errors"][0]["message"]
    assert codes(schema) == codes(hidden) == ["INTROSPECTION_DISABLED"]
    assert codes(nameless) == ["OPERATION_NAME_REQUIRED"]
    assert typename["data"] == {"__typename": "Query"}
