"""Both audits on the small schema, where Node's tools are installed; continuous integration has them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from api.graphql.options import EdgeOptions
from tests.api.edge.live import Sessions, served
from tests.api.edge.small import SCHEMA
from tests.audit import driver

if os.environ.get("CI") == "true":
    driver.install()
pytestmark = pytest.mark.skipif(not driver.installed(), reason="`make audit` installs Node's tools")


def test_graphql_over_http_passes_whole() -> None:
    with served(EdgeOptions(), Sessions()) as address:
        assert driver.audit_http(f"http://{address}/graphql")


def test_relay_compiles_connections_and_refetchable_fragments(tmp_path: Path) -> None:
    done = driver.audit_relay(SCHEMA.as_str(), tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    artifacts = {path.name for path in (tmp_path / "src/__generated__").iterdir()}
    assert "Audit_Query_houses.graphql.js" in artifacts


def test_relay_finds_a_connection_that_lacks_its_page_info(tmp_path: Path) -> None:
    sdl = SCHEMA.as_str().replace("  pageInfo: PageInfo!\n", "  other: PageInfo!\n")
    assert driver.audit_relay(sdl, tmp_path).returncode != 0
