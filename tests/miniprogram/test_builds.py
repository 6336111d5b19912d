"""The committed builds (已提交的构建): the same bytes as a build of today, whole, small, and without a query's text."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

from api.graphql.documents import TrustedDocuments
from tests.miniprogram import node

DIST = node.CLIENT / "dist"
MINI = {"mp-weixin": (".wxml", ".js", ".json"), "mp-alipay": (".axml", ".js", ".json")}
MOST_PACKAGE, MOST_FIRST_LOAD = 2 * 1024 * 1024, 200 * 1024


@cache
def _tools() -> None:
    if os.environ.get("CI") == "true":
        node.install()
    if not node.installed():
        pytest.skip("`make client` installs Node's tools")


def test_builds_repeat_byte_for_byte(tmp_path: Path) -> None:
    _tools()
    node.run("build", str(tmp_path))
    made, committed = (
        {name: content for name, content in node.tree(folder).items() if not name.endswith(".br")}
        for folder in (tmp_path, DIST)
    )
    differing = sorted(
        name for name in made.keys() | committed.keys() if made.get(name) != committed.get(name)
    )
    assert not differing, "run `make client` and commit its dist"


def test_the_typed_client_and_the_trusted_documents_are_those_of_the_schema(tmp_path: Path) -> None:
    _tools()
    node.run("generate", str(tmp_path))
    for name in ("documents.json", "src/api/generated/graphql.ts"):
        assert (tmp_path / name).read_bytes() == (node.CLIENT / name).read_bytes(), (
            "run `make client` and commit"
        )


def test_types_hold() -> None:
    _tools()
    node.run("types")


@pytest.mark.parametrize("platform", sorted(MINI))
def test_every_page_is_in_the_package(platform: str) -> None:
    files = node.tree(DIST / platform)
    pages = json.loads((node.CLIENT / "src" / "pages.json").read_text(encoding="utf-8"))
    app = json.loads(files["app.json"])
    assert app["pages"] == [page["path"] for page in pages["pages"]]
    for path in app["pages"]:
        assert all(path + end in files for end in MINI[platform]), path
    for tab in app["tabBar"]["list" if platform == "mp-weixin" else "items"]:
        for icon in ("iconPath", "selectedIconPath") if platform == "mp-weixin" else ("icon", "activeIcon"):
            assert tab[icon] in files
    assert sum(map(len, files.values())) < MOST_PACKAGE


def test_the_first_load_in_a_browser_is_small() -> None:
    page = (DIST / "h5" / "index.html").read_text(encoding="utf-8")
    named = set(re.findall(r'(?:src|href)="\./([^"]+\.(?:js|css))"', page))
    # The home screen with all that it needs is named in the page: nothing is asked for one after the other.
    assert len([name for name in named if "/home" in name]) == 2 and len(named) <= 6
    assert not [*(DIST / "h5" / "assets").glob("pages-home-*.js")]
    size = sum(len(gzip.compress((DIST / "h5" / name).read_bytes(), 6)) for name in named)
    assert size <= MOST_FIRST_LOAD


def test_a_view_that_is_no_component_is_a_block_all_the_same() -> None:
    styles = [path.read_text(encoding="utf-8") for path in (DIST / "h5" / "assets").glob("index-*.css")]
    assert any("uni-view{display:block}" in style for style in styles)


def test_what_is_packed_unpacks_to_the_file_beside_it() -> None:
    """Brotli of one version packs otherwise than of another: not the bytes count, but what comes out."""
    _tools()
    script = """const {readdirSync, readFileSync} = require('fs'), {brotliDecompressSync} = require('zlib');
    const [folder] = process.argv.slice(1), packed = readdirSync(folder).filter((name) => name.endsWith('.br'));
    const wrong = packed.filter((name) => !brotliDecompressSync(readFileSync(`${folder}/${name}`))
      .equals(readFileSync(`${folder}/${name.slice(0, -3)}`)));
    console.log(JSON.stringify([packed.length, wrong]));"""
    done = subprocess.run(
        ["node", "-e", script, str(DIST / "h5" / "assets")], capture_output=True, text=True, check=True
    )
    count, wrong = json.loads(done.stdout)
    assert count > 20 and wrong == []


def test_nothing_of_the_builds_tells_where_or_how_they_were_made() -> None:
    digests = set(TrustedDocuments.read(node.CLIENT / "documents.json").texts)
    files = node.tree(DIST)
    everything = b"".join(files.values())
    assert not [name for name in files if name.endswith(".map")]
    assert b"sourceMappingURL" not in everything
    assert str(node.CLIENT).encode() not in everything
    assert not re.search(rb"(?:query|mutation|subscription)\s+\w+\s*(?:\([^)]*\)\s*)?\{", everything)
    assert not re.search(rb"url\(['\"]?(?:https?:)?//", everything)
    for platform in ("h5", *MINI):
        text = b"".join(content for name, content in files.items() if name.startswith(f"{platform}/"))
        sent = {found.decode() for found in re.findall(rb"sha256:([0-9a-f]{64})", text)}
        assert sent <= digests
        assert len(sent) > len(digests) // 2
