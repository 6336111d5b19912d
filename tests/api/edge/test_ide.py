"""The IDE: local files, strict policy, off where it is switched off."""

from __future__ import annotations

import re
from pathlib import Path

from api.graphql.options import EdgeOptions
from tests.api.edge.clients import client

FILES = Path(__file__).parents[3] / "api/pages/static/vendor/graphiql"
BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


async def test_the_page_loads_only_our_own_files() -> None:
    async with client() as http:
        response = await http.get("/graphql", headers=BROWSER)
    loaded = re.findall(r'(?:src|href)="([^"]+)"', response.text)
    assert len(loaded) == 6
    for address in loaded:
        assert (FILES / address.removeprefix("/static/vendor/graphiql/")).is_file()
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert not re.search(r"<script(?! src)", response.text)


async def test_it_is_off_where_it_is_switched_off() -> None:
    async with client(EdgeOptions(ide=False)) as http:
        response = await http.get("/graphql", headers=BROWSER)
    assert response.status_code == 400
    assert "html" not in response.headers["content-type"]


async def test_a_browser_with_a_query_gets_json() -> None:
    async with client() as http:
        response = await http.get("/graphql", params={"query": "{ who }"}, headers=BROWSER)
    assert response.json()["data"] == {"who": "anonymous"}
