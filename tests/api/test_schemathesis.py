"""Generated requests over the whole schema, as each kind of caller: never a fault, never an error without a code."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import httpx
import pytest
import schemathesis
from graphql import (
    REMOVE,
    GraphQLInputType,
    Node,
    ObjectFieldNode,
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
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from schemathesis.graphql import nodes

from api.addresses import Addresses
from api.app import build_app
from api.instance import running
from api.settings import Settings
from schema.relay import encode
from tests.api.schema_root.callers import Caller, callers, problems, send
from tests.api.schema_root.introspected import SCHEMA

T = TypeVar("T")
EXAMPLES, SEED = 5, 20260501
