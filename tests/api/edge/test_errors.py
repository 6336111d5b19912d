"""What a client sees of refusals, faults and bad input."""

from __future__ import annotations

import json

import pytest

from tests.api.edge.clients import client, codes, post

RENAME = (
    "mutation R($i: RenameInput!) { rename(input: $i) { house { number } errors { code field message } } }"
)


async def test_a_business_failure_is_data() -> None:
    async with client() as http:
        answer = await post(http, RENAME, {"i": {"houseId": "x", "name": "taken"}})
    assert "errors" not in answer
    failure = {"code": "CONFLICT", "field": ["houseId"], "message": "内容已被更新,请刷新后重试"}
    assert answer["data"]["rename"] == {"house": None, "errors": [failure]}


async def test_success_has_no_errors() -> None:
    async with client() as http:
        answer = await post(http, RENAME, {"i": {"houseId": "x", "name": "new"}})
    assert answer["data"]["rename"] == {"house": {"number": "0001"}, "errors": []}


async def test_missing_authority_is_a_top_level_error() -> None:
    async with client() as http:
        stranger = await post(http, RENAME, {"i": {"houseId": "x", "name": "denied"}})
        known = await post(
            http,
            RENAME,
            {"i": {"houseId": "x", "name": "denied"}},
            headers={"authorization": "Bearer good"},
        )
    assert codes(stranger) == ["UNAUTHENTICATED"]
    assert codes(known) == ["FORBIDDEN"]
    assert known["errors"][0]["extensions"]["family"] == "FORBIDDEN"
    assert known["errors"][0]["path"] == ["rename"]


async def test_authority_at_the_field() -> None:
    async with client() as http:
        stranger = await post(http, "{ secret }")
        staff = await post(http, "{ secret }", headers={"authorization": "Bearer good"})
    assert codes(stranger) == ["UNAUTHENTICATED"]
    assert stranger["data"] == {"secret": None}
    assert staff["data"] == {"secret": "王师傅"}


async def test_english_by_accept_language() -> None:
    english = {"accept-language": "en-US,en;q=0.9,zh;q=0.5"}
    async with client() as http:
        refused = await post(http, "{ forbidden }", headers=english)
        failed = await post(http, RENAME, {"i": {"houseId": "x", "name": "taken"}}, headers=english)
        limited = await post(http, "{ who }" + " " * 100_000, headers=english)
    assert refused["errors"][0]["message"].startswith("You do not have this permission")
    assert failed["data"]["rename"]["errors"][0]["message"].startswith("It has changed")
    assert limited["errors"][0]["message"].startswith("The document has too many tokens")


@pytest.mark.parametrize("field", ["fault", "broken"])
async def test_a_fault_is_masked_and_logged_by_place(field: str, capsys: pytest.CaptureFixture[str]) -> None:
    async with client() as http:
        answer = await post(http, f"{{ {field} }}")
    assert codes(answer) == ["INTERNAL"]
    logged = capsys.readouterr().out
    assert "graphql.fault" in logged
    assert "small.py" in logged
    assert "hunter2" not in logged + str(answer)


async def test_throttling_says_when_to_come_back() -> None:
    async with client() as http:
        answer = await post(http, "{ throttled }")
    assert answer["errors"][0]["extensions"]["retryAfter"] == 7


@pytest.mark.parametrize("value", [2**53, -(2**53), 1.5, "5", True, [], {}, 10**30])
async def test_long_refuses_what_is_not_an_exact_integer(value: object) -> None:
    async with client() as http:
        answer = await http.post(
            "/graphql",
            content=_json({"query": "query Q($n: Long) { echo(number: $n) }", "variables": {"n": value}}),
            headers={"content-type": "application/json"},
        )
    assert codes(answer.json())[0] in ("BAD_USER_INPUT", "BAD_REQUEST")
    assert "data" not in answer.json()


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


@pytest.mark.parametrize("value", [2**53 - 1, -(2**53 - 1), 0])
async def test_long_carries_its_whole_range(value: int) -> None:
    async with client() as http:
        answer = await post(http, "query Q($n: Long) { echo(number: $n) }", {"n": value})
    assert answer["data"] == {"echo": str(value)}


async def test_literals_of_long_are_checked_too() -> None:
    async with client() as http:
        assert codes(await post(http, "{ echo(number: 9007199254740992) }")) == ["GRAPHQL_VALIDATION_FAILED"]
        assert codes(await post(http, '{ echo(number: "1") }')) == ["GRAPHQL_VALIDATION_FAILED"]


async def test_null_for_an_argument_with_a_default_is_the_clients_error() -> None:
    async with client() as http:
        answer = await post(http, "query Q($n: Int) { needs(number: $n) }", {"n": None})
    assert codes(answer) == ["BAD_USER_INPUT"]


@pytest.mark.parametrize("bad", ["a\x00b", "a\x1fb", "a\x7f", "a\x85"])
async def test_control_characters_are_refused_with_their_place(bad: str) -> None:
    async with client() as http:
        answer = await post(http, RENAME, {"i": {"houseId": "x", "name": bad}})
        literal = await post(http, "{ echo(text: " + _json(bad).decode() + ") }")
    extensions = answer["errors"][0]["extensions"]
    assert (extensions["code"], extensions["inputPath"]) == ("BAD_USER_INPUT", ["i", "name"])
    assert codes(literal) == ["BAD_USER_INPUT"]


async def test_line_breaks_and_tabs_are_text() -> None:
    async with client() as http:
        answer = await post(http, "query Q($t: String) { echo(text: $t) }", {"t": "一\n二\t三"})
    assert answer["data"] == {"echo": "一\n二\t三"}


async def test_text_is_bounded_and_long_text_further() -> None:
    query = "query Q($t: String, $l: LongText) { echo(text: $t, long: $l) }"
    async with client() as http:
        fits = await post(http, query, {"t": "长" * 2000})
        over = await post(http, query, {"t": "长" * 2001})
        long = await post(http, query, {"l": "长" * 20_000})
        too_long = await post(http, query, {"l": "长" * 20_001})
        literal = await post(http, '{ echo(text: "' + "x" * 2001 + '") }')
    assert "errors" not in fits and "errors" not in long
    assert codes(over) == codes(too_long) == codes(literal) == ["BAD_USER_INPUT"]
    assert over["errors"][0]["message"] == "文字太长,请缩短后重试"


async def test_deeply_nested_variables_are_refused() -> None:
    value: object = "x"
    for _ in range(500):
        value = [value]
    async with client() as http:
        answer = await post(http, "query Q($t: String) { echo(text: $t) }", {"t": value})
    assert codes(answer) == ["BAD_USER_INPUT"]


async def test_money_is_shown_in_yuan() -> None:
    async with client() as http:
        answer = await post(http, "{ balance { fen display } }")
    assert answer["data"]["balance"] == {"fen": 12_850, "display": "¥128.50"}
