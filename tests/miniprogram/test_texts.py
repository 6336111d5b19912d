"""Texts of the screens (文案): in both languages the same keys, with the same things to fill in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.miniprogram.node import CLIENT

MOST_FORMS: Final = 3


def texts(language: str) -> dict[str, str]:
    """Every text by its dotted key."""
    read = json.loads((CLIENT / "src" / "texts" / f"{language}.json").read_text(encoding="utf-8"))
    return dict(_leaves(read, ""))


def _leaves(part: dict[str, Any], above: str) -> Iterator[tuple[str, str]]:
    for name, inner in part.items():
        if isinstance(inner, dict):
            yield from _leaves(inner, f"{above}{name}.")
        else:
            yield f"{above}{name}", inner


ZH, EN = texts("zh"), texts("en")


def test_both_languages_have_the_same_keys() -> None:
    assert ZH.keys() == EN.keys()


@pytest.mark.parametrize("language", [ZH, EN], ids=["zh", "en"])
def test_nothing_but_names_is_in_braces(language: dict[str, str]) -> None:
    wrong = [key for key, text in language.items() if re.search(r"[{}]", re.sub(r"\{\w+\}", "", text))]
    assert wrong == []


def test_both_languages_fill_in_the_same() -> None:
    named = [{key: set(re.findall(r"\{(\w+)\}", text)) for key, text in read.items()} for read in (ZH, EN)]
    assert [key for key in ZH if named[0][key] != named[1][key]] == []


@pytest.mark.parametrize("language", [ZH, EN], ids=["zh", "en"])
def test_a_count_has_no_more_forms_than_are_chosen_from(language: dict[str, str]) -> None:
    assert [key for key, text in language.items() if text.count("|") >= MOST_FORMS] == []
