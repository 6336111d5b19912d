"""Trusted documents: by id, by Apollo's hash, and nothing else where it is so decided."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from api.graphql.documents import TrustedDocuments, digest_of
from api.graphql.options import EdgeOptions
from tests.api.edge.clients import client, codes, post

WHO = "query Who { who }"
TRUSTED = TrustedDocuments({digest_of(WHO): WHO})


def persisted(digest: str) -> dict[str, object]:
    return {"persistedQuery": {"version": 1, "sha256Hash": digest}}


async def test_a_document_is_found_by_its_id() -> None:
    async with client(EdgeOptions(trusted=TRUSTED, trusted_only=True)) as http:
        for id in (digest_of(WHO), f"sha256:{digest_of(WHO)}"):
            response = await http.post("/graphql", json={"documentId": id})
            assert response.json()["data"] == {"who": "anonymous"}
        apollo = await http.post("/graphql", json={"extensions": persisted(digest_of(WHO))})
        by_get = await http.get("/graphql", params={"extensions": json.dumps(persisted(digest_of(WHO)))})
    assert apollo.json()["data"] == by_get.json()["data"] == {"who": "anonymous"}


async def test_its_registered_text_is_accepted_as_well() -> None:
    async with client(EdgeOptions(trusted=TRUSTED, trusted_only=True)) as http:
        assert (await post(http, WHO))["data"] == {"who": "anonymous"}


async def test_nothing_else_is_accepted_in_trusted_mode() -> None:
    async with client(EdgeOptions(trusted=TRUSTED, trusted_only=True)) as http:
        other = await post(http, "query Who { __typename }")
        hashed = await post(http, "query O { who }", extensions=persisted(digest_of("query O { who }")))
        unknown = await http.post("/graphql", json={"documentId": "0" * 64})
    assert codes(other) == codes(hashed) == ["UNTRUSTED_DOCUMENT"]
    assert codes(unknown.json()) == ["PERSISTED_QUERY_NOT_FOUND"]


@pytest.mark.parametrize(
    "members",
    [
        {"documentId": 1},
        {"extensions": {"persistedQuery": {"sha256Hash": []}}},
        {"query": "{ who }", "extensions": {"persistedQuery": {"sha256Hash": "0" * 64}}},
    ],
)
async def test_a_malformed_reference_is_refused(members: dict[str, object]) -> None:
    async with client(EdgeOptions(trusted=TRUSTED)) as http:
        response = await http.post("/graphql", json=members)
    assert (response.status_code, codes(response.json())) == (400, ["BAD_REQUEST"])


def test_the_list_is_read_from_a_file_and_checked(tmp_path: Path) -> None:
    path = tmp_path / "documents.json"
    path.write_text(json.dumps(TRUSTED.texts), encoding="utf-8")
    assert TrustedDocuments.read(path) == TRUSTED
    path.write_text(json.dumps({"0" * 64: WHO}), encoding="utf-8")
    with pytest.raises(ValueError, match="is not the digest"):
        TrustedDocuments.read(path)
