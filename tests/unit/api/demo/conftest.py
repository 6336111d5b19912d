from __future__ import annotations

import pytest

from api.demo.register import demo_register, second_register
from tests.unit.api.demo.reading import Register, of_workbook


@pytest.fixture(scope="package")
def register() -> Register:
    return of_workbook(demo_register())


@pytest.fixture(scope="package")
def second() -> Register:
    return of_workbook(second_register())
