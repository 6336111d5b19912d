"""The application of this module's instance, and browsers at it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from starlette.applications import Starlette

from api.app import build_app
from api.keys import Keys
from api.settings import Settings
from tests.api.pages.visitors import Visitor, visiting


@pytest.fixture(scope="module")
async def app(settings: Settings, instance: Keys) -> Starlette:
    """The whole application; pages and API."""
    return build_app(settings)


@pytest.fixture
async def visitor(app: Starlette) -> AsyncIterator[Visitor]:
    """A browser that has not been here before."""
    async with visiting(app) as opened:
        yield opened
