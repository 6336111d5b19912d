from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domains.kernel import clock, documents
from domains.kernel.documents import Kind, Sex
from domains.kernel.text import InvalidText


def refusal(kind: Kind, written: str | int | float) -> str:
    with pytest.raises(InvalidText) as refused:
        documents.validate(kind, written, field="document_number")
    assert refused.value.field == "document_number"
    if str(written):
        assert str(written) not in refused.value.message
    return refused.value.code


def resident_id(first_17: str) -> str:
    return first_17 + documents.check_digit(first_17)


def test_the_example_of_the_standard_is_valid() -> None:
    number = documents.validate(Kind.RESIDENT_ID, "11010519491231002x")
    assert number == "11010519491231002X"
    assert documents.birth_date(number) == date(1949, 12, 31)
    assert documents.sex(number) is Sex.FEMALE
    assert documents.sex("440524188001010014") is Sex.MALE


@pytest.mark.parametrize(
    "written",
    [" 110105 19491231 002X ", "11010519491231002Ｘ", "110105-19491231-002×", "'11010519491231002x"],
)
def test_a_number_however_it_is_written(written: str) -> None:
    assert documents.validate(Kind.RESIDENT_ID, written) == "11010519491231002X"


def test_one_wrong_digit_never_passes() -> None:
    number = "11010519491231002X"
    for position in range(17):
        for digit in set("0123456789") - {number[position]}:
            wrong = number[:position] + digit + number[position + 1 :]
            with pytest.raises(InvalidText):
                documents.validate(Kind.RESIDENT_ID, wrong)


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("110105194912310021", "DOCUMENT_CHECK_DIGIT"),
        (resident_id("11010519490230001"), "DOCUMENT_BIRTH_DATE"),
        (resident_id("11010519491331001"), "DOCUMENT_BIRTH_DATE"),
        (resident_id("11010529990101001"), "DOCUMENT_BIRTH_DATE"),
        (resident_id("17010519491231001"), "DOCUMENT_REGION"),
        ("110105490230001", "DOCUMENT_BIRTH_DATE"),
        ("1101051949123100", "DOCUMENT_NUMBER_INVALID"),
        ("abc", "DOCUMENT_NUMBER_INVALID"),
        ("１1010519491231002X0", "DOCUMENT_NUMBER_INVALID"),
        ("١١٠١٠٥١٩٤٩١٢٣١٠٠٢٠", "DOCUMENT_NUMBER_INVALID"),
        ("--", "DOCUMENT_NUMBER_INVALID"),
        ("", "TEXT_EMPTY"),
        ("1" * 500, "TEXT_TOO_LONG"),
        ("11010519491231\u200b002X", "TEXT_INVISIBLE_CHARACTER"),
        ("1.10105E+17", "DOCUMENT_NUMBER_LOST_DIGITS"),
        ("110105194912310000.0", "DOCUMENT_NUMBER_LOST_DIGITS"),
        (110105194912310000, "DOCUMENT_NUMBER_LOST_DIGITS"),
        (1.1010519491231e17, "DOCUMENT_NUMBER_LOST_DIGITS"),
    ],
)
def test_resident_identity_numbers_that_are_refused(written: str | int | float, code: str) -> None:
    assert refusal(Kind.RESIDENT_ID, written) == code


def test_an_old_number_comes_back_with_eighteen_characters() -> None:
    assert documents.validate(Kind.RESIDENT_ID, "110105491231002") == "11010519491231002X"
    assert documents.validate(Kind.RESIDENT_ID, 110105491231002.0) == "11010519491231002X"
    centenarian = documents.validate(Kind.RESIDENT_ID, "110105991231998")
    assert documents.birth_date(centenarian) == date(1899, 12, 31)


def test_nobody_is_born_tomorrow() -> None:
    number = resident_id("33019920261002001")
    with clock.use(clock.FixedClock(datetime(2026, 10, 1, 15, 59, tzinfo=UTC))):
        assert refusal(Kind.RESIDENT_ID, number) == "DOCUMENT_BIRTH_DATE"
    with clock.use(clock.FixedClock(datetime(2026, 10, 1, 16, 0, tzinfo=UTC))):
        assert documents.validate(Kind.RESIDENT_ID, number) == number


@given(
    st.dates(date(1900, 1, 1), date(2025, 12, 31)),
    st.integers(0, 999),
    st.sampled_from(["110105", "330199", "659001"]),
)
def test_a_made_number_tells_what_it_was_made_from(born_on: date, sequence: int, region: str) -> None:
    number = resident_id(f"{region}{born_on:%Y%m%d}{sequence:03}")
    assert documents.validate(Kind.RESIDENT_ID, number.lower()) == number
    assert documents.birth_date(number) == born_on
    assert documents.sex(number) is (Sex.MALE if sequence % 2 else Sex.FEMALE)


@pytest.mark.parametrize(
    ("kind", "written", "number"),
    [
        (Kind.PASSPORT, "e 12345678", "E12345678"),
        (Kind.HK_MACAO_PERMIT, "h12345678", "H12345678"),
        (Kind.HK_MACAO_PERMIT, "M1234567800", "M1234567800"),
        (Kind.TAIWAN_PERMIT, "01234567", "01234567"),
        (Kind.TAIWAN_PERMIT, "0012345678(B)", "0012345678B"),
        (Kind.HMT_RESIDENCE_PERMIT, "810000199408230021", "810000199408230021"),
        (Kind.HMT_RESIDENCE_PERMIT, "830000199201300022", "830000199201300022"),
        (Kind.FOREIGNER_RESIDENCE_CARD, "932682198501010017", "932682198501010017"),
        (Kind.FOREIGNER_RESIDENCE_CARD, "kaz110090123105", "KAZ110090123105"),
        (Kind.HOUSEHOLD_REGISTER, "005123456", "005123456"),
        (Kind.OTHER, "军字第1234567号", "军字第1234567号"),
    ],
)
def test_other_documents(kind: Kind, written: str, number: str) -> None:
    assert documents.validate(kind, written) == number


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        (Kind.PASSPORT, "ABCDEFGHI"),
        (Kind.PASSPORT, "护照123456"),
        (Kind.HK_MACAO_PERMIT, "A12345678"),
        (Kind.TAIWAN_PERMIT, "1234567"),
        (Kind.HMT_RESIDENCE_PERMIT, "11010519491231002X"),
        (Kind.FOREIGNER_RESIDENCE_CARD, "KA1110090123105"),
        (Kind.HOUSEHOLD_REGISTER, "12"),
    ],
)
def test_other_documents_of_the_wrong_shape(kind: Kind, written: str) -> None:
    assert refusal(kind, written) == "DOCUMENT_NUMBER_INVALID"


def test_check_digits_of_other_documents_count_too() -> None:
    assert refusal(Kind.HMT_RESIDENCE_PERMIT, "810000199408230022") == "DOCUMENT_CHECK_DIGIT"
    assert refusal(Kind.FOREIGNER_RESIDENCE_CARD, "932682198501010018") == "DOCUMENT_CHECK_DIGIT"


def test_a_number_without_a_birth_date_tells_none() -> None:
    assert documents.birth_date("E12345678") is None
    assert documents.sex("E12345678") is None
    assert documents.birth_date("110105199913310012") is None


def test_kinds_by_their_names() -> None:
    for kind in Kind:
        assert documents.kind_named(documents.LABELS[kind]) is kind
    assert documents.kind_named(" 身份证 ") is Kind.RESIDENT_ID
    assert documents.kind_named("回乡证") is Kind.HK_MACAO_PERMIT
    with pytest.raises(InvalidText) as refused:
        documents.kind_named("<b>会员卡</b>")
    assert refused.value.code == "DOCUMENT_KIND_UNKNOWN"
    assert "会员卡" not in refused.value.message


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("330199199001011234", "3301********1234"),
        ("E12345678", "E1********78"),
        ("1234", "1********4"),
        ("12", "********"),
        ("", "********"),
    ],
)
def test_masks_show_less_of_shorter_numbers(number: str, masked: str) -> None:
    assert documents.mask(number) == masked


@given(st.text(max_size=60), st.sampled_from(Kind))
def test_any_text_is_either_valid_for_good_or_refused(written: str, kind: Kind) -> None:
    try:
        number = documents.validate(kind, written)
    except InvalidText:
        return
    assert documents.validate(kind, number) == number
