"""Transactions, what runs after them, and the counting of statements."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest
from tortoise.exceptions import IntegrityError

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


async def test_a_joined_part_that_fails_is_undone_and_the_rest_goes_on() -> None:
    called: list[str] = []

    async def note(name: str) -> None:
        called.append(name)

    async with database.transaction() as outer:
        outer.after_commit(partial(note, "outer"))
        await Company.create(name="外层写入")
        with pytest.raises(ValueError, match="stop"):
            async with database.transaction() as inner:
                inner.after_commit(partial(note, "inner"))
                await Company.create(name="内层写入")
                raise ValueError("stop")
        assert await Company.exists(name="外层写入")
    assert called == ["outer"]
    assert not await Company.exists(name="内层写入")


async def test_a_statement_that_fails_inside_a_joined_part_does_not_spoil_the_transaction() -> None:
    await Company.create(name="占用")
    async with database.transaction():
        with pytest.raises(IntegrityError):
            async with database.transaction():
                await Company.create(name="占用")
        await Company.create(name="之后")
    assert await Company.exists(name="之后")


async def test_what_is_collected_is_written_together_before_the_commit() -> None:
    written: list[list[str]] = []

    async def write(names: list[str]) -> None:
        written.append(names)
        await Company.bulk_create([Company(name=name) for name in names])

    async with database.transaction() as current:
        current.at_end(write, "收集一")
        async with database.transaction() as inner:
            inner.at_end(write, "收集二")
        assert written == []
    assert written == [["收集一", "收集二"]]
    assert await Company.filter(name__startswith="收集").count() == 2


async def test_a_callback_that_fails_undoes_nothing_and_stops_no_other() -> None:
    called: list[str] = []

    async def fail() -> None:
        raise ConnectionError("cache is away")

    async def note() -> None:
        called.append("note")

    async with database.transaction() as current:
        current.after_commit(fail)
        current.after_commit(note)
        await Company.create(name="回调失败")
    assert called == ["note"]
    assert await Company.exists(name="回调失败")


async def test_a_task_started_inside_a_transaction_may_not_use_it() -> None:
    async def by_orm() -> object:
        return await Company.create(name="偷渡")

    async def by_statement() -> object:
        return await database.fetchval("SELECT 1")

    async def by_transaction() -> object:
        async with database.transaction():
            return await database.fetchval("SELECT 1")

    async with database.transaction():
        works = (by_orm(), by_statement(), by_transaction())
        refused = await asyncio.gather(*works, return_exceptions=True)
        late = asyncio.create_task(by_statement())
        await Company.create(name="主人")
    (too_late,) = await asyncio.gather(late, return_exceptions=True)
    assert [type(each) for each in (*refused, too_late)] == [RuntimeError] * 4
    assert not await Company.exists(name="偷渡")
    assert await Company.exists(name="主人")


async def test_transactions_beside_each_other_do_not_see_each_other() -> None:
    async def write(name: str, *, fail: bool) -> None:
        async with database.transaction():
            await Company.create(name=name)
            await asyncio.sleep(0.01)
            if fail:
                raise ValueError(name)

    names = [f"并行{number}" for number in range(30)]
    await asyncio.gather(
        *(write(name, fail=number % 3 == 0) for number, name in enumerate(names)), return_exceptions=True
    )
    kept = {company.name for company in await Company.filter(name__startswith="并行")}
    assert kept == {name for number, name in enumerate(names) if number % 3}


async def test_a_call_that_is_given_up_returns_its_connection() -> None:
    async def slow() -> None:
        async with database.transaction():
            await Company.create(name="取消")
            await database.fetchval("SELECT pg_sleep(5)")

    for _ in range(25):  # more than the pool has
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(slow(), 0.01)
    assert await database.fetchval("SELECT 1") == 1
    assert not await Company.exists(name="取消")


async def test_statements_of_a_counted_piece_of_work_include_those_of_its_tasks() -> None:
    async with database.counted() as statements:
        await asyncio.gather(*(database.fetchval("SELECT 1") for _ in range(5)))
        async with database.transaction(), database.transaction():
            await database.execute("SELECT 2")
    assert statements.count == 6
    assert statements.texts.count("SELECT 1") == 5
    assert statements.seconds > 0
