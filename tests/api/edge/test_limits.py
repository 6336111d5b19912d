"""Depth, width, cost and budget: decided before anything runs."""

from __future__ import annotations

import time

import pytest

from api.graphql.engine import Engine
from api.graphql.options import EdgeOptions
from schema.context import Context
from schema.limits.bounds import Limits
from schema.limits.budget import BudgetStatus
from tests.api.edge.clients import client, codes, post
from tests.api.edge.small import SCHEMA

DEEP = "{ __typename " + "... on Query { " * 30 + "who" + " }" * 31
NESTED = "{ nodes(ids: []) { " + "... on Node { " * 200 + "id" + " }" * 202


@pytest.mark.parametrize(
    ("query", "code"),
    [
        (DEEP, "QUERY_TOO_DEEP"),
        (NESTED, "QUERY_TOO_DEEP"),
        ("{" * 50_000, "GRAPHQL_PARSE_FAILED"),
        ("{ a" * 900 + "}" * 900, "QUERY_TOO_DEEP"),
        ("{ echo(text: " + "[" * 1500 + "]" * 1500 + ") }", "QUERY_TOO_DEEP"),
        ("{ " + " ".join(f"a{n}: who" for n in range(31)) + " }", "QUERY_TOO_WIDE"),
        ("{ who " + "@skip(if: false) " * 51 + "}", "QUERY_TOO_WIDE"),
        ("{ " + "who " * 5000 + "}", "QUERY_TOO_LARGE"),
        ("{ " + " ".join(f"x{n}: who" for n in range(21)) + " }", "QUERY_TOO_WIDE"),
        ("{ who }" + " " * 100_001, "QUERY_TOO_LARGE"),
    ],
)
async def test_what_is_too_much_is_refused(query: str, code: str) -> None:
    async with client() as http:
        answer = await post(http, query)
    assert codes(answer) == [code]
    assert "data" not in answer


async def test_fragments_that_multiply_are_refused_quickly() -> None:
    layers = [f"fragment F{n} on Query {{ ...F{n + 1} " + f"...F{n + 1} " * 9 + "}" for n in range(8)]
    query = "{ ...F0 } " + " ".join(layers) + " fragment F8 on Query { who }"
    started = time.perf_counter()
    async with client() as http:
        answer = await post(http, query)
    assert codes(answer) == ["QUERY_TOO_COSTLY"]
    assert time.perf_counter() - started < 5


async def test_validation_stops_at_the_limit_of_errors() -> None:
    async with client() as http:
        answer = await post(http, "{ " + " ".join(f"no{n}" for n in range(100)) + " }")
    assert len(answer["errors"]) == 20


async def test_execution_reports_no_more_errors_than_the_limit() -> None:
    async with client(EdgeOptions(limits=Limits(errors=3))) as http:
        answer = await post(http, "{ a: fault b: fault c: fault d: fault e: forbidden }")
    assert codes(answer) == ["INTERNAL", "INTERNAL", "TOO_MANY_ERRORS"]


def requested(query: str, variables: dict[str, object] | None = None) -> int:
    engine = Engine(SCHEMA, EdgeOptions())
    operation = engine.documents.prepare(query).operation(None)
    assert operation is not None
    return operation.cost.requested(variables or {})


@pytest.mark.parametrize(
    ("query", "variables", "cost"),
    [
        ("{ who }", None, 1),
        ("{ expensive }", None, 501),
        ("{ houses(first: 10) { nodes { number } } }", None, 1 + 1 + 10),
        ("{ houses(first: 10) { edges { cursor node { number } } pageInfo { endCursor } } }", None, 12),
        ("{ houses { nodes { number } } }", None, 22),
        ("query Q($n: Int) { houses(first: $n) { nodes { number } } }", {"n": 50}, 52),
        ("query Q($n: Int) { houses(first: $n) { nodes { number } } }", {}, 22),
        ("query Q($n: Int) { houses(first: $n) { nodes { number } } }", {"n": 10**9}, 102),
        ("query Q($n: Int) { houses(first: $n) { nodes { number } } }", {"n": "x"}, 22),
        ("query Q($i: [ID!]!) { nodes(ids: $i) { id } }", {"i": ["a", "b", "c"]}, 4),
        ('{ nodes(ids: ["a", "b"]) { id } }', None, 3),
        (
            "{ ...F } fragment F on Query { houses(first: 5) { ...G } }"
            "fragment G on HouseConnection { nodes { id } }",
            None,
            7,
        ),
        ('mutation { rename(input: {houseId: "a", name: "b"}) { house { id } errors { code } } }', None, 13),
    ],
)
def test_cost(query: str, variables: dict[str, object] | None, cost: int) -> None:
    assert requested(query, variables) == cost


async def test_cost_is_reported_as_asked_and_as_used() -> None:
    async with client() as http:
        answer = await post(
            http,
            "query Q($id: ID!) { houses(first: 3) { nodes { number } } missing: node(id: $id) { id } }",
            {"id": MISSING},
        )
    assert answer["extensions"]["cost"] == {"requested": 6, "actual": 5}
    assert answer["data"]["missing"] is None


MISSING = "SG91c2U6MDAwMDAwMDAtMDAwMC0wMDAwLTAwMDAtMDAwMDAwMDAwM2U4"


async def test_an_operation_beyond_the_limit_of_cost_does_not_run() -> None:
    async with client(EdgeOptions(limits=Limits(cost=100))) as http:
        answer = await post(http, "{ expensive }")
    assert codes(answer) == ["QUERY_TOO_COSTLY"]
    assert answer["extensions"]["cost"] == {"requested": 501, "actual": 0}


class Purse:
    """A bucket that does not refill during a test."""

    def __init__(self, points: int) -> None:
        self.points = points
        self.keys: list[str] = []

    async def take(self, context: Context, cost: int) -> BudgetStatus:
        self.keys.append(context.budget_key)
        allowed = cost <= self.points
        if allowed:
            self.points -= cost
        return BudgetStatus(allowed, 1000, self.points, 10.0, 0.0 if allowed else 2.2)


async def test_the_budget_is_charged_before_execution_and_told() -> None:
    purse = Purse(600)
    async with client(budget=purse) as http:
        first = await http.post("/graphql", json={"query": "{ expensive }"})
        second = await http.post("/graphql", json={"query": "{ expensive }"})
    status = {"maximumAvailable": 1000, "currentlyAvailable": 99, "restoreRate": 10.0}
    assert first.json()["extensions"]["cost"]["throttleStatus"] == status
    assert first.headers["ratelimit-policy"] == '"cost";q=1000;w=100'
    assert first.headers["ratelimit"] == '"cost";r=99;t=91'
    assert (second.status_code, second.headers["retry-after"]) == (429, "3")
    assert codes(second.json()) == ["THROTTLED"]
    assert "data" not in second.json()
    assert second.json()["extensions"]["cost"]["requested"] == 501


def test_a_document_is_prepared_once_whether_good_or_bad() -> None:
    documents = Engine(SCHEMA, EdgeOptions()).documents
    for text in ("{ who }", "{ nothing }", "{"):
        assert documents.prepare(text) is documents.prepare(text)
    assert len(documents.accepted.entries) == 1
    assert len(documents.rejected.entries) == 2


def test_bad_documents_do_not_push_out_good_ones() -> None:
    documents = Engine(SCHEMA, EdgeOptions(limits=Limits(documents=3))).documents
    good = documents.prepare("{ who }")
    for number in range(10):
        documents.prepare(f"{{ nothing{number} }}")
    assert documents.prepare("{ who }") is good
    assert len(documents.rejected.entries) == 3
