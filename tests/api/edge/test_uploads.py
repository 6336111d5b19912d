"""Files by the GraphQL multipart request specification."""

from __future__ import annotations

import json
from typing import Any

import pytest

from api.graphql.options import EdgeOptions
from tests.api.edge.clients import client, codes, post

UPLOAD = "mutation U($file: Upload!) { upload(file: $file) }"
OPERATIONS = {"query": UPLOAD, "variables": {"file": None}}
ON = EdgeOptions(uploads=True)
CSRF = {"x-requested-with": "linli"}


# The JSON of a response has any shape.
async def upload(
    operations: object = OPERATIONS,
    places: object = None,
    content: bytes = b"0123456789",
    options: EdgeOptions = ON,
    headers: dict[str, str] = CSRF,
) -> tuple[int, Any]:
    places = {"0": ["variables.file"]} if places is None else places
    fields = {"operations": json.dumps(operations), "map": json.dumps(places)}
    async with client(options) as http:
        response = await http.post(
            "/graphql", data=fields, files={"0": ("名册.xlsx", content)}, headers=headers
        )
    return response.status_code, response.json()


async def test_a_file_reaches_the_resolver() -> None:
    _, answer = await upload()
    assert answer["data"] == {"upload": "名册.xlsx:10"}


async def test_uploads_are_off_unless_enabled() -> None:
    status, answer = await upload(options=EdgeOptions())
    assert (status, codes(answer)) == (415, ["UNSUPPORTED_MEDIA_TYPE"])


async def test_a_form_that_a_foreign_page_could_send_is_refused() -> None:
    status, answer = await upload(headers={})
    assert (status, codes(answer)) == (400, ["CSRF_HEADER_REQUIRED"])


async def test_a_file_over_the_limit_is_413() -> None:
    options = EdgeOptions(uploads=True, file_limit=1000, files=2, body_limit=10_000)
    status, answer = await upload(content=b"x" * 1001, options=options)
    assert (status, codes(answer)) == (413, ["FILE_TOO_LARGE"])
    status, answer = await upload(content=b"x" * 20_000, options=options)
    assert (status, codes(answer)) == (413, ["PAYLOAD_TOO_LARGE"])


@pytest.mark.parametrize(
    ("operations", "places"),
    [
        (OPERATIONS, {"1": ["variables.file"]}),
        (OPERATIONS, {"0": ["variables.other.file"]}),
        (OPERATIONS, {"0": ["query"]}),
        (OPERATIONS, {"0": "variables.file"}),
        (OPERATIONS, []),
        ({"query": UPLOAD, "variables": {"file": "taken"}}, None),
        ({"query": UPLOAD, "variables": {"file": []}}, {"0": ["variables.file.7"]}),
        ([OPERATIONS], {"0": ["0.variables.file"]}),
        ("x", None),
    ],
)
async def test_a_map_that_does_not_fit_is_refused(operations: object, places: object) -> None:
    status, answer = await upload(operations, places)
    assert (status, codes(answer)[0]) in ((400, "BAD_REQUEST"), (400, "BATCHING_DISABLED"))


async def test_a_broken_multipart_body_is_refused() -> None:
    headers = {**CSRF, "content-type": "multipart/form-data; boundary=x"}
    async with client(ON) as http:
        for body in (b"", b"--x\r\n", b"garbage"):
            response = await http.post("/graphql", content=body, headers=headers)
            assert (response.status_code, codes(response.json())) == (400, ["BAD_REQUEST"])
        bare = await http.post(
            "/graphql", content=b"x", headers={**CSRF, "content-type": "multipart/form-data"}
        )
        assert (bare.status_code, codes(bare.json())) == (400, ["BAD_REQUEST"])


async def test_a_string_is_no_file() -> None:
    async with client() as http:
        assert codes(await post(http, UPLOAD, {"file": "a.xlsx"})) == ["BAD_USER_INPUT"]
