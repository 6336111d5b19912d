"""Static cost: objects that an operation can return, known before it runs.

A field that returns an object costs 1, a scalar nothing, a mutation 10; a list multiplies what is below it
by `first`, by the number of `ids`, or by an assumed size. Fields say otherwise with `metadata=cost(…)`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLCompositeType,
    GraphQLError,
    GraphQLField,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    Node,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_list_type,
)

from schema.limits.bounds import Limits

_METADATA = "linli.cost"
_INTROSPECTION = ("__schema", "__type")
Selected = tuple[GraphQLCompositeType, FieldNode]


@dataclass(frozen=True, slots=True)
class Declared:
    """What a field says of its own cost; None leaves the rule."""

    own: int | None = None
    assumed: int | None = None


def cost(own: int | None = None, assumed: int | None = None) -> dict[object, object]:
    """Metadata of a Strawberry field: its `own` cost, or the `assumed` size of its list."""
    return {_METADATA: Declared(own, assumed)}


@dataclass(frozen=True, slots=True)
class Size:
    """The length of a list: known, or in a variable."""

    known: int
    variable: str | None = None
    most: int = 100

    def under(self, variables: Mapping[str, object]) -> int:
        """The length with these variables; what a resolver will refuse counts as the nearest it accepts."""
        value = variables.get(self.variable) if self.variable else self.known
        length = len(value) if isinstance(value, list) else value
        return min(max(length, 1), self.most) if isinstance(length, int) else self.known


ONE = Size(1)


# Without slots: the cached properties live in the instance's dictionary.
@dataclass(frozen=True)
class CostNode:
    """A field that costs something, by the name it has in the response."""

    key: str
    own: int
    size: Size
    is_list: bool
    children: tuple[CostNode, ...] = ()

    def requested(self, variables: Mapping[str, object]) -> int:
        """The most the field can cost with these variables."""
        below = sum(child.requested(variables) for child in self.children)
        return self.size.under(variables) * (self.own + below)

    @cached_property
    def flat(self) -> int | None:
        """Cost of one such object when nothing below it is a list."""
        below = [child.flat for child in self.children]
        if any(child.is_list for child in self.children) or None in below:
            return None
        return self.own + sum(cost for cost in below if cost is not None)

    def actual(self, value: object) -> int:
        """What the field cost, seen in the response."""
        if isinstance(value, list):
            if self.flat is not None:
                return len(value) * self.flat
            return sum(self.actual(item) for item in value)
        if not isinstance(value, dict):
            return 0 if value is None else self.own
        return self.own + sum(child.actual(value.get(child.key)) for child in self.children)


class Survey:
    """Walks one operation with its fragments expanded: depth, width and cost at once."""

    def __init__(
        self,
        schema: GraphQLSchema,
        fragments: Mapping[str, FragmentDefinitionNode],
        limits: Limits,
        introspection: bool,
    ) -> None:
        self.schema = schema
        self.fragments = fragments
        self.limits = limits
        self.introspection = introspection
        self.visited = 0

    def measure(self, operation: OperationDefinitionNode) -> CostNode:
        """The operation's cost; GraphQLError with a code when it is beyond a limit."""
        root = self.schema.get_root_type(operation.operation)
        assert root is not None, "validation let an operation without a root type through"
        fields = self._grouped([(root, operation.selection_set)])
        if len(fields) > self.limits.root_fields:
            raise refused("QUERY_TOO_WIDE", operation)
        base = self.limits.mutation_cost if operation.operation is OperationType.MUTATION else 0
        children = self._nodes(fields, depth=1, page=None, base=base)
        return CostNode(key="", own=1, size=ONE, is_list=False, children=children)

    def _nodes(
        self, fields: Mapping[str, list[Selected]], depth: int, page: Size | None, base: int = 0
    ) -> tuple[CostNode, ...]:
        nodes = (self._node(key, selected, depth, page, base) for key, selected in fields.items())
        return tuple(node for node in nodes if node is not None)

    def _node(
        self, key: str, selected: list[Selected], depth: int, page: Size | None, base: int
    ) -> CostNode | None:
        parent, node = selected[0]
        self._count(node, depth)
        definition = self.schema.get_field(parent, node.name.value)
        if definition is None or node.name.value in _INTROSPECTION:
            return None
        named = get_named_type(definition.type)
        declared = _declared(definition)
        own = declared.own if declared.own is not None else base + int(is_composite_type(named))
        asked = self._asked_size(node)
        is_list = is_list_type(get_nullable_type(definition.type))
        children: tuple[CostNode, ...] = ()
        if is_composite_type(named):
            below = self._grouped([(named, n.selection_set) for _, n in selected if n.selection_set])
            children = self._nodes(below, depth + 1, asked)
        if not own and not children:
            return None
        size = asked or page or Size(declared.assumed or self.limits.assumed_list) if is_list else ONE
        return CostNode(key, own, size, is_list, children)

    def _count(self, node: FieldNode, depth: int) -> None:
        self.visited += 1
        if self.visited > self.limits.expanded_fields:
            raise refused("QUERY_TOO_COSTLY", node)
        if depth > self.limits.depth:
            raise refused("QUERY_TOO_DEEP", node)
        if not self.introspection and node.name.value in _INTROSPECTION:
            raise refused("INTROSPECTION_DISABLED", node)

    def _grouped(
        self, sets: list[tuple[GraphQLCompositeType, SelectionSetNode]]
    ) -> Mapping[str, list[Selected]]:
        fields: dict[str, list[Selected]] = {}
        for parent, selections in sets:
            for owner, node in self._flattened(parent, selections):
                key = node.alias.value if node.alias else node.name.value
                fields.setdefault(key, []).append((owner, node))
        return fields

    def _flattened(self, parent: GraphQLCompositeType, selections: SelectionSetNode) -> Iterator[Selected]:
        for selection in selections.selections:
            self.visited += 1
            if self.visited > self.limits.expanded_fields:
                raise refused("QUERY_TOO_COSTLY", selection)
            if isinstance(selection, FieldNode):
                yield parent, selection
                continue
            assert isinstance(selection, FragmentSpreadNode | InlineFragmentNode)
            body = self._fragment(selection)
            condition = body.type_condition
            owner = self.schema.get_type(condition.name.value) if condition else parent
            assert is_composite_type(owner)
            yield from self._flattened(owner, body.selection_set)

    def _fragment(
        self, selection: FragmentSpreadNode | InlineFragmentNode
    ) -> FragmentDefinitionNode | InlineFragmentNode:
        if isinstance(selection, InlineFragmentNode):
            return selection
        return self.fragments[selection.name.value]

    def _asked_size(self, node: FieldNode) -> Size | None:
        for argument in node.arguments or ():
            if argument.name.value in ("first", "ids"):
                return self._size(argument.value)
        return None

    def _size(self, value: ValueNode) -> Size:
        if isinstance(value, VariableNode):
            return Size(self.limits.assumed_list, value.name.value, self.limits.page)
        if isinstance(value, IntValueNode) and len(value.value) < 10:
            return Size(min(max(int(value.value), 1), self.limits.page))
        if isinstance(value, ListValueNode):
            return Size(min(max(len(value.values), 1), self.limits.page))
        return Size(self.limits.assumed_list)


def refused(code: str, node: Node | None) -> GraphQLError:
    """An error whose text is looked up by its code where it is presented."""
    return GraphQLError(code, node, extensions={"code": code})


def _declared(definition: GraphQLField) -> Declared:
    source = (definition.extensions or {}).get("strawberry-definition")
    found = getattr(source, "metadata", {}).get(_METADATA)
    return found if isinstance(found, Declared) else Declared()
