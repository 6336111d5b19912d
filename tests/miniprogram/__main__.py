"""`make client`: install the client's tools, generate its typed API, check its types and build it three times over."""

from __future__ import annotations

import shutil

from tests.miniprogram import node

MADE = node.CACHE.parent / "dist"


def main() -> None:
    """AssertionError with what a tool said where it failed; what is committed is as it was then."""
    node.install()
    for script in ("generate", "types"):
        node.run(script)
    # Beside what is there: a server that runs meanwhile goes on handing that out.
    node.run("build", str(MADE))
    for built in MADE.iterdir():
        kept = node.CLIENT / "dist" / built.name
        shutil.rmtree(kept, ignore_errors=True)
        shutil.move(built, kept)
    MADE.rmdir()


if __name__ == "__main__":
    main()
