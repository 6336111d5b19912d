"""How a migration that only adds is applied: the models' state is worked out once for all of its operations.

The ORM works it out anew for every operation, all models of the program each time and twice: for a new database that
takes most of a start. What tables, columns and statements come of it is the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from tortoise.migrations.migration import Migration
from tortoise.migrations.operations import AddField, CreateModel, RunSQL
from tortoise.migrations.schema_editor import BaseSchemaEditor
from tortoise.migrations.schema_generator.state import State
from tortoise.migrations.schema_generator.state_apps import StateApps

ADDING = (AddField, CreateModel, RunSQL)
"""Operations that ask the state before them nothing."""

_one_by_one = Migration.apply


async def _apply(self: Migration, state: State, **how: Any) -> State:  # Any: as the ORM's own
    editor: BaseSchemaEditor | None = how.get("schema_editor")
    only_adds = all(isinstance(each, ADDING) for each in self.operations)
    if editor is None or how.get("dry_run") or how.get("collect_sql") or not only_adds:
        return await _one_by_one(self, state, **how)
    with _reloaded_once(state):
        for operation in self.operations:
            operation.state_forward(self.app_label, state)
    for operation in self.operations:
        await self._run_database_forward(operation, state, state, editor, True)
    state.validate_relations_initialized()
    return state


@contextmanager
def _reloaded_once(state: State) -> Iterator[None]:
    """What operations would have worked out anew each is worked out at the end."""
    changed: set[tuple[str, str]] = set()

    def later(model_tuples: Iterable[tuple[str, str]]) -> None:
        changed.update(model_tuples)

    def one_later(app_label: str, model_name: str) -> None:
        changed.add((app_label, model_name))

    # For this state alone.
    state.reload_models = later  # type: ignore[method-assign]
    state.reload_model = one_later  # type: ignore[method-assign]
    try:
        yield
    finally:
        del state.reload_models, state.reload_model
    state.reload_models(changed)


@contextmanager
def quick_steps() -> Iterator[None]:
    """Apply migrations so; nobody asks the models of a state for rows, so that their queries need not be prepared."""
    prepare = StateApps._build_initial_querysets
    Migration.apply = _apply  # type: ignore[method-assign]
    StateApps._build_initial_querysets = lambda self: None  # type: ignore[method-assign]
    try:
        yield
    finally:
        Migration.apply = _one_by_one  # type: ignore[method-assign]
        StateApps._build_initial_querysets = prepare  # type: ignore[method-assign]
