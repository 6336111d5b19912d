"""Generated requests over the whole schema, as each kind of caller: never a fault, never an error without a code."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import schemathesis
import strawberry
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis_graphql import nodes
from hypothesis import strategies as st

from api.addresses import Addresses
from api.app import build_app
from api.instance import running
from api.settings import Settings
from schema.root import schema
from tests.api.schema_root.callers import problems, send, tokens

CALLERS = ("nobody", "resident", "staff", "another company")
EXAMPLES = 6
SEED = 20260501
