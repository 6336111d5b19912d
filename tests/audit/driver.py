"""Audits a running server with the tools that clients rely on: `python -m tests.audit.driver URL [SDL]`.

graphql-http audits the protocol at URL, which must allow introspection: some audits ask for it.
relay-compiler compiles a refetchable fragment over every connection of the schema in the file SDL.
Needs Node; installs into `.linli/node/audit`.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    get_named_type,
    is_required_argument,
)

HERE = Path(__file__).parent
INSTALLED = HERE.parents[1] / ".linli/node/audit"
FRAGMENT = """graphql`
  fragment %(name)s on %(type)s
  @refetchable(queryName: "%(name)sQuery")
  @argumentDefinitions(first: { type: "Int", defaultValue: 10 }, after: { type: "String" }) {
    %(field)s(first: $first, after: $after) @connection(key: "%(name)s_%(field)s") {
      edges { node { __typename } }
    }
  }
`;
"""


def installed() -> bool:
    """Whether the tools of this very lock file are there."""
    stamp = INSTALLED / "stamp"
    return stamp.is_file() and stamp.read_text() == _digest()


def install() -> None:
    """Installs the tools by the lock file, unless they are there."""
    if installed():
        return
    INSTALLED.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", "http.mjs"):
        shutil.copy(HERE / name, INSTALLED / name)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    command += ["--cache", str(INSTALLED.parent / "cache"), "--logs-max=0"]
    subprocess.run(command, cwd=INSTALLED, check=True)
    (INSTALLED / "stamp").write_text(_digest())


def _digest() -> str:
    parts = [(HERE / name).read_bytes() for name in ("package.json", "package-lock.json", "http.mjs")]
    return hashlib.sha256(b"".join(parts)).hexdigest()


def audit_http(url: str) -> bool:
    """Runs graphql-http's server audits and prints "61/61" and what failed."""
    done = subprocess.run(["node", "http.mjs", url], cwd=INSTALLED, check=False, timeout=300)
    return done.returncode == 0


def audit_relay(sdl: str, project: Path) -> subprocess.CompletedProcess[str]:
    """Compiles fragments over every connection of the schema, in a folder of its own."""
    source = project / "src"
    source.mkdir(parents=True, exist_ok=True)
    (project / "schema.graphql").write_text(sdl, encoding="utf-8")
    fragments = list(fragments_over(build_schema(sdl)))
    assert fragments, "the schema has no connection"
    (source / "Audit.js").write_text("".join(fragments), encoding="utf-8")
    config = {"src": "./src", "schema": "./schema.graphql", "language": "javascript"}
    (project / "relay.config.json").write_text(json.dumps(config), encoding="utf-8")
    cli = INSTALLED / "node_modules/relay-compiler/cli.js"
    command = ["node", str(cli), "relay.config.json"]
    return subprocess.run(command, cwd=project, check=False, capture_output=True, text=True, timeout=120)


def fragments_over(schema: GraphQLSchema) -> Iterator[str]:
    """A fragment for each connection on a type that Relay can refetch."""
    node = schema.type_map.get("Node")
    for name, kind in schema.type_map.items():
        if not isinstance(kind, GraphQLObjectType):
            continue
        if kind is schema.query_type or (isinstance(node, GraphQLInterfaceType) and node in kind.interfaces):
            for field_name, field in kind.fields.items():
                if _is_connection(field):
                    names = {"name": f"Audit_{name}_{field_name}", "type": name, "field": field_name}
                    # A query's name must start with the module's and end in Query.
                    yield FRAGMENT % names


def _is_connection(field: GraphQLField) -> bool:
    needs = any(is_required_argument(argument) for argument in field.args.values())
    return get_named_type(field.type).name.endswith("Connection") and not needs


def main(url: str, sdl: str | None = None) -> int:
    """Prints each audit's outcome; 0 only if all passed."""
    install()
    passed = audit_http(url)
    if sdl is not None:
        done = audit_relay(Path(sdl).read_text(encoding="utf-8"), INSTALLED / "relay")
        outcome = "ok" if done.returncode == 0 else done.stdout + done.stderr
        sys.stdout.write(f"relay-compiler: {outcome}\n")
        passed = passed and done.returncode == 0
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
