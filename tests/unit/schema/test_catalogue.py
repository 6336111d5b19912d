"""Every code that is raised has its two texts."""

from __future__ import annotations

from pathlib import Path

import pytest

from domains.kernel.errors import Conflict, Invalid, Throttled, Unauthenticated
from schema import catalogue
from schema.errors import ErrorCode, family, known_code, message_of, present

ROOT = Path(__file__).parents[3]
PACKAGES = ("api", "schema", "domains", "payments", "notifications")


def test_every_code_raised_in_the_code_base_is_in_the_table() -> None:
    assert catalogue.missing(ROOT, PACKAGES) == {}


def test_a_missing_code_is_found(tmp_path: Path) -> None:
    package = tmp_path / "domains"
    package.mkdir()
    (package / "use.py").write_text(
        "def late():\n    raise PassExpired('USED_ELSEWHERE', '…')\n", encoding="utf-8"
    )
    (package / "errors.py").write_text(
        "class PassExpired(Conflict):\n"
        "    def __init__(self):\n"
        "        super().__init__('PASS_EXPIRED', '通行证已过期')\n"
        "def check():\n"
        "    raise Invalid('NOT_IN_TABLE', '…')\n"
        "def fine():\n"
        "    raise Invalid('BAD_ID', '…')\n",
        encoding="utf-8",
    )
    assert set(catalogue.missing(tmp_path, ("domains",))) == {
        "PASS_EXPIRED",
        "NOT_IN_TABLE",
        "USED_ELSEWHERE",
    }


@pytest.mark.parametrize("code", sorted(catalogue.texts()))
def test_both_texts_are_there_and_differ(code: str) -> None:
    zh, en = catalogue.texts()[code]
    assert any("\u4e00" <= letter <= "\u9fff" for letter in zh)
    assert en.isascii()
    assert code == code.upper()


def test_the_reference_lists_every_code() -> None:
    page = catalogue.as_markdown()
    assert all(f"| `{code}` |" in page for code in catalogue.texts())


def test_codes_are_in_one_section_only() -> None:
    assert sum(len(rows) for rows in catalogue.sections().values()) == len(catalogue.texts())


def test_a_refusal_as_data() -> None:
    shown = present(Invalid("BAD_ID", "编号无效", "items.2.house_id"), "zh")
    assert (shown.code, shown.field) == (ErrorCode["BAD_ID"], ["items", "2", "houseId"])
    assert shown.message == "编号无效"
    assert present(Invalid("BAD_ID", "编号无效"), "en").message == catalogue.english("BAD_ID")


def test_a_code_that_the_table_lacks_falls_back_to_its_family() -> None:
    stranger = Conflict("NEVER_LISTED", "换一个")
    assert known_code(stranger) == "CONFLICT"
    assert message_of(stranger, "en") == catalogue.english("CONFLICT")
    assert message_of(stranger, "zh") == "换一个"


def test_families() -> None:
    assert family(Unauthenticated("X", "x")) == "UNAUTHENTICATED"
    assert family(Throttled("X", "x", 1)) == "THROTTLED"
