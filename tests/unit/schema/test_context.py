"""Languages and loaders."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from schema.context import Context, Loader, language_of


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "zh"),
        ("*", "zh"),
        ("fr", "zh"),
        ("en", "en"),
        ("en-GB,en;q=0.8", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en;q=0.3, zh;q=0.9", "zh"),
        ("fr;q=1, en;q=0.5", "en"),
        ("en;q=nonsense", "zh"),
        ("en;q=0", "zh"),
        (",;,", "zh"),
    ],
)
def test_language(header: str, language: str) -> None:
    assert language_of(header) == language


class Squares(Loader[int, int]):
    batches: list[list[int]]

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.batches = []

    async def fetch(self, keys: list[int]) -> Mapping[int, int]:
        self.batches.append(keys)
        return {key: key * key for key in keys if key > 0}


async def test_many_keys_are_one_call_and_a_missing_one_is_none() -> None:
    loader = Context().loader(Squares)
    answers = await asyncio.gather(loader.load(2), loader.load(-1), loader.load(3), loader.load(2))
    assert list(answers) == [4, None, 9, 4]
    assert loader.batches == [[2, -1, 3]]


async def test_a_loader_belongs_to_one_request() -> None:
    one, other = Context(), Context()
    assert one.loader(Squares) is one.loader(Squares)
    assert one.loader(Squares) is not other.loader(Squares)
