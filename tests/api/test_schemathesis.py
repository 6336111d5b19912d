"""Generated requests over the whole schema, as each kind of caller: never a fault, never an error without a code."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle
from typing import Any, TypeVar
from zlib import crc32

import httpx
import pytest
import schemathesis
from graphql import (
    IntValueNode,
    Node,
    StringValueNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    introspection_from_schema,
    parse,
    print_ast,
    visit,
)
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.graphql import nodes

from api.addresses import Addresses
from api.app import build_app
from api.instance import running
from api.settings import Settings
from tests.api.schema_root.callers import Callers, callers, problems, send
from tests.api.schema_root.introspected import SCHEMA

T = TypeVar("T")
EXAMPLES, SEED = 5, 20260501
# Staff with every permission come furthest; the others take turns.
OTHERS = ("resident", "nobody", "another company")

schemathesis.graphql.scalar("Decimal", st.integers(-5, 10**6).map(nodes.Int))
schemathesis.graphql.scalar("Upload", st.just(nodes.Null))
schemathesis.graphql.scalar("Long", st.integers(-5, 2**60).map(nodes.Int))
schemathesis.graphql.scalar("LongText", st.text().map(nodes.String))
schemathesis.graphql.scalar("Date", st.dates().map(str).map(nodes.String))
schemathesis.graphql.scalar(
    "DateTime", st.datetimes().map(lambda at: nodes.String(f"{at.isoformat()}+08:00"))
)

# What the library takes and gives is typed for REST: Any.
_INTROSPECTION: Any = introspection_from_schema(SCHEMA)
_FOUND: Any = schemathesis.graphql.from_dict(_INTROSPECTION).get_all_operations()
OPERATIONS: dict[str, Any] = {each.ok().label: each.ok() for each in _FOUND}


@dataclass
class Program:
    """The program on a loop of its own: what generates requests is not asynchronous."""

    settings: Settings
    addresses: Addresses
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    ready: threading.Event = field(default_factory=threading.Event)
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    def run(self) -> None:
        self.loop.run_until_complete(self._serve())
        self.loop.close()

    async def _serve(self) -> None:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(running(self.settings, self.addresses))
            transport = httpx.ASGITransport(build_app(self.settings))
            self.http = await stack.enter_async_context(
                httpx.AsyncClient(transport=transport, base_url="http://linli")
            )
            self.callers: Callers = await callers()
            self.tasks: asyncio.Queue[Callable[[], None]] = asyncio.Queue()
            self.ready.set()
            while not self.stop.is_set():
                # Run from here, where the slots are filled: a task from another thread has its own context.
                (await self.tasks.get())()

    def wait(self, work: Callable[[], Coroutine[object, object, T]]) -> T:
        """Do it there."""
        done = threading.Event()
        held: list[asyncio.Task[T]] = []

        def start() -> None:
            task = asyncio.ensure_future(work())
            held.append(task)
            task.add_done_callback(lambda _: done.set())

        self.loop.call_soon_threadsafe(self.tasks.put_nowait, start)
        assert done.wait(30)
        return held[0].result()

    def end(self) -> None:
        def last() -> None:
            self.stop.set()

        self.loop.call_soon_threadsafe(self.tasks.put_nowait, last)


@pytest.fixture(scope="module")
def program(settings: Settings, addresses: Addresses) -> Iterator[Program]:
    made = Program(settings, addresses)
    thread = threading.Thread(target=made.run)
    thread.start()
    assert made.ready.wait(30)
    try:
        yield made
    finally:
        made.end()
        thread.join(30)


class WithIds(Visitor):
    """Puts ids of things that exist where ids go, two times out of three: others end at the door."""

    def __init__(self, types: TypeInfo, known: tuple[str, ...]) -> None:
        super().__init__()
        self.types, self.known = types, known

    def enter_string_value(self, node: StringValueNode, *_: object) -> Node | None:
        return self._chosen(node.value)

    def enter_int_value(self, node: IntValueNode, *_: object) -> Node | None:
        return self._chosen(node.value)

    def _chosen(self, value: str) -> Node | None:
        kind = self.types.get_input_type()
        turn = crc32(value.encode("utf-8", "surrogatepass"))
        if kind is None or get_named_type(kind).name != "ID" or turn % 3 == 0:
            return None
        return StringValueNode(value=self.known[turn % len(self.known)])


def with_ids(text: str, known: tuple[str, ...]) -> str:
    types = TypeInfo(SCHEMA)
    return print_ast(visit(parse(text), TypeInfoVisitor(types, WithIds(types, known))))


def test_every_root_field_is_among_the_operations() -> None:
    assert SCHEMA.query_type and SCHEMA.mutation_type
    fields = {f"Query.{name}" for name in SCHEMA.query_type.fields}
    assert fields | {f"Mutation.{name}" for name in SCHEMA.mutation_type.fields} <= set(OPERATIONS)


@pytest.mark.parametrize("label", OPERATIONS)
def test_no_request_is_answered_by_a_fault(program: Program, label: str) -> None:
    tokens = program.wait(program.callers.tokens)
    others = cycle(OTHERS)

    @seed(SEED)
    @settings(
        max_examples=EXAMPLES, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(OPERATIONS[label].as_strategy())
    def try_all(case: Any) -> None:  # Any: the library's case
        text = with_ids(str(case.body), program.callers.ids)
        for caller in ("staff", next(others)):
            response = program.wait(partial(send, program.http, {"query": text}, tokens[caller]))
            assert list(problems(response)) == [], (caller, text)

    try_all()
