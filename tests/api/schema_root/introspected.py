"""The real schema taken apart: its fields, arguments and every place where a client puts a value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_list_type,
    is_non_null_type,
    is_required_argument,
    is_required_input_field,
)

from schema.root import schema

SCHEMA: GraphQLSchema = schema._schema
Json = Any  # values of variables have any shape
ROOTS = ("query", "mutation")
DEPTH = 3


def named_types() -> Iterator[GraphQLNamedType]:
    """The schema's own types."""
    for name, kind in SCHEMA.type_map.items():
        if not name.startswith("__"):
            yield kind


def fields() -> Iterator[tuple[str, GraphQLField]]:
    """Every field of an object, as Type.field."""
    for kind in named_types():
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            for name, field in kind.fields.items():
                yield f"{kind.name}.{name}", field


@dataclass(frozen=True)
class Place:
    """Where a client puts a value: an argument of a root field, or something inside of it."""

    root: str
    field: str
    argument: str
    path: tuple[str, ...]
    type_name: str

    def __str__(self) -> str:
        return ".".join((self.field, self.argument, *self.path))


def places(type_name: str) -> Iterator[Place]:
    """Every place for a value of that type."""
    for root, field_name, field in root_fields():
        for name, argument in field.args.items():
            for path, kind in _inside(argument, ()):
                if get_named_type(kind.type).name == type_name:
                    yield Place(root, field_name, name, path, type_name)


def root_fields() -> Iterator[tuple[str, str, GraphQLField]]:
    """Fields of Query and Mutation."""
    for root in ROOTS:
        kind = getattr(SCHEMA, f"{root}_type")
        for name, field in kind.fields.items():
            yield root, name, field


Holder = GraphQLArgument | GraphQLInputField


def _inside(holder: Holder, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Holder]]:
    yield path, holder
    kind = get_named_type(holder.type)
    if isinstance(kind, GraphQLInputObjectType) and len(path) < DEPTH:
        for name, field in kind.fields.items():
            yield from _inside(field, (*path, name))


def request(place: Place, value: Json) -> dict[str, Json]:
    """A request with that value there, and the least that is valid everywhere else."""
    field = getattr(SCHEMA, f"{place.root}_type").fields[place.field]
    variables = {
        name: _filled(argument, place.path, value) if name == place.argument else _least(argument)
        for name, argument in field.args.items()
        if name == place.argument or is_required_argument(argument)
    }
    declared = ", ".join(f"${name}: {field.args[name].type}" for name in variables)
    passed = ", ".join(f"{name}: ${name}" for name in variables)
    text = f"{place.root} Try({declared}) {{ {place.field}({passed}){selection(field)} }}"
    return {"query": text, "variables": variables}


def selection(field: GraphQLField) -> str:
    """The least to select of a field."""
    kind = get_named_type(field.type)
    if not is_composite_type(kind):
        return ""
    if isinstance(kind, GraphQLObjectType) and "errors" in kind.fields:
        return " { errors { code field message } }"
    return " { __typename }"


def _filled(holder: Holder, path: tuple[str, ...], value: Json) -> Json:
    inner: Json = value
    if path:
        kind = get_named_type(holder.type)
        assert isinstance(kind, GraphQLInputObjectType)
        inner = {} if kind.is_one_of else _required(kind)
        inner[path[0]] = _filled(kind.fields[path[0]], path[1:], value)
    return [inner] if is_list_type(get_nullable_type(holder.type)) else inner


def _required(kind: GraphQLInputObjectType) -> dict[str, Json]:
    if kind.is_one_of:
        name, first = next(iter(kind.fields.items()))
        return {name: _least(first)}
    return {name: _least(field) for name, field in kind.fields.items() if is_required_input_field(field)}


PLAIN: dict[str, Json] = {
    "ID": "SG91c2U6MDAwMDAwMDAtMDAwMC0wMDAwLTAwMDAtMDAwMDAwMDAwMDAx", "String": "一", "LongText": "一", "Int": 1,
    "Float": 1, "Boolean": True, "Decimal": "1", "Date": "2026-05-01", "DateTime": "2026-05-01T08:00:00+08:00",
    "Long": 1, "Upload": None, "UUID": "0191d3a0-7c4e-7b3a-9f6e-1c2d3e4f5a6b",
}  # fmt: skip


def _least(holder: Holder) -> Json:
    kind = get_named_type(holder.type)
    if isinstance(kind, GraphQLInputObjectType):
        inner: Json = _required(kind)
    elif isinstance(kind, GraphQLEnumType):
        inner = next(iter(kind.values))
    else:
        inner = PLAIN[kind.name]
    return [inner] if is_list_type(get_nullable_type(holder.type)) else inner


def is_list(field: GraphQLField) -> bool:
    """Whether it returns a list."""
    kind = field.type
    while is_non_null_type(kind):
        kind = kind.of_type
    return bool(is_list_type(kind))
