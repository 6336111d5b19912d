"""`python -m api.cli`."""

import gc

# A start makes a hundred thousand objects that stay; looking for garbage among them takes a sixth of it.
# `api.processes.prepared` switches the collector on again.
gc.disable()

from api.cli.commands import app  # noqa: E402

if __name__ == "__main__":
    app(prog_name="linli")
