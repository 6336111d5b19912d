"""The ORM describes every model to itself anew for each pool that is opened, which takes 80 ms, and every process describes
an event when it first records one; what is said is the same each time, so that once is enough for a process of tests and
for whatever it forks."""

from __future__ import annotations

from collections.abc import Callable

from tortoise.apps import Apps
from tortoise.context import TortoiseContext
from tortoise.models import Model

from api.wiring import APPS, HANDLERS
from domains.kernel.database import orm_config
from domains.kernel.events import _adapter

Describe = Callable[[Apps], None]
# Nobody listens there, and nobody is called.
NOWHERE = "postgresql://nobody:nothing@127.0.0.1:1/nowhere"


def once(describe: Describe) -> Describe:
    """Describe a set of models the first time only; the states of migrations are others each time."""
    described: set[frozenset[type[Model]]] = set()

    def unless_done(apps: Apps) -> None:
        models = frozenset(model for each in apps.apps.values() for model in each.values())
        if models in described:
            return
        describe(apps)
        if type(apps) is Apps:
            described.add(models)

    return unless_done


async def describe_now() -> None:
    """Before a process forks: what it has done its children need not do."""
    Apps._build_initial_querysets = once(Apps._build_initial_querysets)  # type: ignore[method-assign,assignment]
    async with TortoiseContext() as context:
        await context.init(config=orm_config(NOWHERE, APPS, 1))
    for event in HANDLERS:
        _adapter(event)
