"""Transactions, what runs after them, and the counting of statements."""

from __future__ import annotations

import pytest

from domains.estate.models import Company
from domains.kernel import database

pytestmark = pytest.mark.usefixtures("instance")


async def test_what_fails_leaves_nothing_and_calls_nothing_back() -> None:
    called: list[str] = []

    async def note() -> None:
        called.append("after")

    with pytest.raises(ValueError, match="stop"):
        async with database.transaction() as current:
            current.after_commit(note)
            await Company.create(name="没有提交")
            raise ValueError("stop")
    assert called == []
    assert not await Company.exists(name="没有提交")


async def test_an_inner_transaction_joins_and_callbacks_run_once_after_the_commit() -> None:
    seen: list[bool] = []

    async def look() -> None:
        seen.append(await Company.exists(name="已经提交"))

    async with database.transaction() as outer:
        async with database.transaction() as inner:
            assert inner is outer
            inner.after_commit(look)
            await Company.create(name="已经提交")
        assert seen == []
    assert seen == [True]


async def test_statements_are_counted() -> None:
    async with database.counted() as statements, database.transaction():
        await database.fetch("SELECT 1")
        await Company.exists(name="x")
    assert statements.count == 2
