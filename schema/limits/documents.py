"""A document is parsed, validated, bounded and priced once, whether it is accepted or not."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from graphql import (
    DocumentNode,
    ExecutableDefinitionNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLInputType,
    GraphQLSchema,
    Node,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    StringValueNode,
    parse,
    specified_rules,
    validate,
)
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from schema.limits.bounds import Limits
from schema.limits.cost import CostNode, Survey, refused
from schema.limits.text import input_types, problem_of

RULES = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule)
# The parser has no other way to say which limit it met.
PARSER_LIMITS = (
    ("Syntax Error: Document contains more than", "QUERY_TOO_LARGE"),
    ("Syntax Error: Document is nested too deeply", "QUERY_TOO_DEEP"),
)
K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of an accepted document."""

    name: str | None
    kind: OperationType
    cost: CostNode
    inputs: Mapping[str, GraphQLInputType]


@dataclass(frozen=True, slots=True)
class Prepared:
    """An accepted document with its operations, or the errors for which it is refused."""

    document: DocumentNode | None = None
    operations: Mapping[str | None, Operation] = field(default_factory=dict)
    errors: tuple[GraphQLError, ...] = ()

    def operation(self, name: str | None) -> Operation | None:
        """The operation of that name; without a name, the only one there is."""
        if name:
            return self.operations.get(name)
        return next(iter(self.operations.values())) if len(self.operations) == 1 else None


class Recent(Generic[K, V]):
    """The most recently used entries, up to a number."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.entries: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | None:
        """The entry, which becomes the youngest."""
        found = self.entries.get(key)
        if found is not None:
            self.entries.move_to_end(key)
        return found

    def put(self, key: K, value: V) -> None:
        """Adds the entry; the oldest gives way."""
        self.entries[key] = value
        if len(self.entries) > self.most:
            self.entries.popitem(last=False)


class Documents:
    """Prepares documents against one schema and remembers them by their digest.

    Refused documents have a memory of their own, so that a flood of bad ones does not push out good ones.
    """

    def __init__(
        self, schema: GraphQLSchema, limits: Limits, introspection: bool = True, suggestions: bool = True
    ) -> None:
        self.schema = schema
        self.limits = limits
        self.introspection = introspection
        self.suggestions = suggestions
        self.accepted: Recent[bytes, Prepared] = Recent(limits.documents)
        self.rejected: Recent[bytes, Prepared] = Recent(limits.documents)

    def prepare(self, text: str) -> Prepared:
        """The document ready to run, or with the errors that keep it from running."""
        key = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        found = self.accepted.get(key) or self.rejected.get(key)
        if found is None:
            found = self._prepared(text)
            (self.rejected if found.errors else self.accepted).put(key, found)
        return found

    def _prepared(self, text: str) -> Prepared:
        try:
            return self._checked(text)
        except RecursionError:
            return Prepared(errors=(refused("QUERY_TOO_DEEP", None),))
        except GraphQLError as error:
            return Prepared(errors=(light(error, "GRAPHQL_PARSE_FAILED"),))

    def _checked(self, text: str) -> Prepared:
        document = self._parsed(text)
        self._bounded(document)
        errors = validate(self.schema, document, RULES, self.limits.errors, not self.suggestions)
        if errors:
            return Prepared(errors=tuple(light(error, "GRAPHQL_VALIDATION_FAILED") for error in errors))
        return Prepared(document, {op.name: op for op in self._operations(document)})

    def _parsed(self, text: str) -> DocumentNode:
        if len(text) > self.limits.source:
            raise refused("QUERY_TOO_LARGE", None)
        try:
            return parse(text, max_lexical_tokens=self.limits.tokens, allow_empty_selection_sets=False)
        except GraphQLError as error:
            code = next((code for start, code in PARSER_LIMITS if error.message.startswith(start)), None)
            raise refused(code, None) if code else error from None

    def _bounded(self, document: DocumentNode) -> None:
        aliases = directives = 0
        for node, depth in _nodes(document):
            if depth > self.limits.depth:
                raise refused("QUERY_TOO_DEEP", node)
            if isinstance(node, StringValueNode) and (bad := problem_of(node.value, self.limits.text)):
                raise GraphQLError(bad, node, extensions={"code": "BAD_USER_INPUT", "reason": bad})
            aliases += isinstance(node, FieldNode) and node.alias is not None
            directives += node.kind == "directive"
            if aliases > self.limits.aliases or directives > self.limits.directives:
                raise refused("QUERY_TOO_WIDE", node)

    def _operations(self, document: DocumentNode) -> Iterator[Operation]:
        fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
        for node in document.definitions:
            if isinstance(node, OperationDefinitionNode):
                survey = Survey(self.schema, fragments, self.limits, self.introspection)
                name = node.name.value if node.name else None
                types = input_types(self.schema, node)
                yield Operation(name, node.operation, survey.measure(node), types)


def _nodes(document: DocumentNode) -> Iterator[tuple[Node, int]]:
    """Every node with the number of selection sets around it, without recursion."""
    stack: list[tuple[Node, int]] = [
        (definition, 0)
        for definition in document.definitions
        if isinstance(definition, ExecutableDefinitionNode)
    ]
    while stack:
        node, depth = stack.pop()
        yield node, depth
        inner = depth + isinstance(node, SelectionSetNode)
        for key in node.keys:
            value = getattr(node, key, None)
            if isinstance(value, Node):
                stack.append((value, inner))
            elif isinstance(value, list | tuple):
                stack.extend((item, inner) for item in value if isinstance(item, Node))


def light(error: GraphQLError, code: str) -> GraphQLError:
    """The error with a code and its locations, and without the document that it would keep in memory."""
    extensions = {"code": code, **(error.extensions or {})}
    copy = GraphQLError(error.message, extensions=extensions)
    copy.locations = error.locations
    return copy
