"""`make client`: install the client's tools, generate its typed API, check its types and build it three times over."""

from __future__ import annotations

from tests.miniprogram import node


def main() -> None:
    """AssertionError with what a tool said where it failed."""
    node.install()
    for script in ("generate", "types", "build"):
        node.run(script)


if __name__ == "__main__":
    main()
