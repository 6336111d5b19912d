"""The committed schema is the program's, and it breaks no client that a release had.

`schema.graphql` is written by `make schema`. `docs/schema/released.graphql` is the schema of the last
release; a change that breaks its clients is refused unless a line of `docs/schema/breaking.md` names it.
"""

from __future__ import annotations

from pathlib import Path

from graphql import build_schema, find_breaking_changes

ROOT = Path(__file__).resolve().parents[2]
COMMITTED = ROOT / "schema.graphql"
ERRORS = ROOT / "docs" / "errors.md"
NOTICES = ROOT / "docs" / "notifications.md"
RELEASED = ROOT / "docs" / "schema" / "released.graphql"
RECORDED = ROOT / "docs" / "schema" / "breaking.md"


def problems() -> str:
    """What is wrong, a line each."""
    from api import message_templates
    from schema import catalogue
    from schema.root import schema

    found: list[str] = []
    if not ERRORS.exists() or ERRORS.read_text(encoding="utf-8") != catalogue.as_markdown():
        found.append("docs/errors.md is not the catalogue's: run `make schema`")
    if not NOTICES.exists() or NOTICES.read_text(encoding="utf-8") != message_templates.as_markdown():
        found.append("docs/notifications.md is not of the program's kinds: run `make schema`")
    if not COMMITTED.exists() or COMMITTED.read_text(encoding="utf-8") != schema.as_str() + "\n":
        found.append("schema.graphql is not the program's: run `make schema` and read the difference")
    if RELEASED.exists():
        found += _breaks(schema.as_str())
    return "\n".join(found)


def _breaks(current: str) -> list[str]:
    recorded = RECORDED.read_text(encoding="utf-8") if RECORDED.exists() else ""
    released = build_schema(RELEASED.read_text(encoding="utf-8"))
    changes = find_breaking_changes(released, build_schema(current))
    return [
        f"breaks clients: {change.description}" for change in changes if change.description not in recorded
    ]
