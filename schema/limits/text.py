"""Text in inputs is bounded in one place, before any resolver sees it.

Without this every resolver would have to remember that PostgreSQL refuses NUL, that a lone surrogate
cannot be encoded, and that a name of a megabyte is not a name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import cast

from graphql import (
    GraphQLError,
    GraphQLInputType,
    GraphQLSchema,
    OperationDefinitionNode,
    get_named_type,
    get_nullable_type,
    is_input_object_type,
    is_list_type,
    type_from_ast,
)

from schema.limits.bounds import Limits

# C0 without tab, line feed and carriage return; DEL and C1; surrogates without a partner.
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
Path = tuple[str | int, ...]


def problem_of(text: str, most: int) -> str | None:
    """The code of what is wrong with a text, or None."""
    if len(text) > most:
        return "TEXT_TOO_LONG"
    return "CONTROL_CHARACTER" if CONTROL.search(text) else None


def input_types(schema: GraphQLSchema, operation: OperationDefinitionNode) -> Mapping[str, GraphQLInputType]:
    """The declared variables with their types."""
    found: dict[str, GraphQLInputType] = {}
    for definition in operation.variable_definitions or ():
        kind = type_from_ast(schema, definition.type)
        found[definition.variable.name.value] = cast("GraphQLInputType", kind)
    return found


class TextCheck:
    """Walks variables along their types, since a LongText may be longer than other text."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits

    def check(self, types: Mapping[str, GraphQLInputType], variables: Mapping[str, object]) -> None:
        """GraphQLError BAD_USER_INPUT with `inputPath` at the first text that is refused."""
        for name, kind in types.items():
            if name in variables:
                self._walk(variables[name], kind, (name,))

    def _walk(self, value: object, kind: GraphQLInputType | None, path: Path) -> None:
        if len(path) > self.limits.input_depth:
            raise _refused("BAD_USER_INPUT", path)
        if isinstance(value, str):
            self._text(value, kind, path)
        elif isinstance(value, Sequence):
            for index, item in enumerate(value):
                self._walk(item, _item_type(kind), (*path, index))
        elif isinstance(value, Mapping):
            for key, item in value.items():
                self._text(key, None, path)
                self._walk(item, _field_type(kind, key), (*path, key))

    def _text(self, value: str, kind: GraphQLInputType | None, path: Path) -> None:
        is_long = kind is not None and get_named_type(kind).name == "LongText"
        problem = problem_of(value, self.limits.long_text if is_long else self.limits.text)
        if problem:
            raise _refused(problem, path)


def _item_type(kind: GraphQLInputType | None) -> GraphQLInputType | None:
    inner = get_nullable_type(kind) if kind else None
    return inner.of_type if is_list_type(inner) else kind


def _field_type(kind: GraphQLInputType | None, key: str) -> GraphQLInputType | None:
    named = get_named_type(kind) if kind else None
    field = named.fields.get(key) if is_input_object_type(named) else None
    return field.type if field else None


def _refused(reason: str, path: Path) -> GraphQLError:
    return GraphQLError(
        reason, extensions={"code": "BAD_USER_INPUT", "reason": reason, "inputPath": list(path)}
    )
