"""`make audit`: the protocol audits and the Relay compiler against the real server and the real schema."""

from __future__ import annotations

import sys

from tests.audit import driver
from tests.journeys.instance import REPOSITORY, free_port, fresh, started


def main() -> int:
    """Serve an empty instance and audit it."""
    home = fresh(REPOSITORY / ".linli" / "audit")
    with started(home, free_port(), "serve") as instance:
        return driver.main(f"{instance.url}/graphql", str(REPOSITORY / "schema.graphql"))


if __name__ == "__main__":
    sys.exit(main())
