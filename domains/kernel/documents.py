"""Identity documents (证件): kinds, normal form, validity, and what a number tells.

The resident identity number follows GB 11643-1999: six digits of region, eight of birth date,
three of sequence (odd for men), and a check digit by ISO 7064 MOD 11-2. The residence permit
for Hong Kong, Macao and Taiwan residents and the 2023 permanent residence card share its build.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from enum import StrEnum
from types import MappingProxyType

from domains.kernel import clock, text
from domains.kernel.text import InvalidText


class Kind(StrEnum):
    """What document it is (证件类型)."""

    RESIDENT_ID = "resident_id"
    PASSPORT = "passport"
    HK_MACAO_PERMIT = "hk_macao_permit"
    TAIWAN_PERMIT = "taiwan_permit"
    HMT_RESIDENCE_PERMIT = "hmt_residence_permit"
    FOREIGNER_RESIDENCE_CARD = "foreigner_residence_card"
    HOUSEHOLD_REGISTER = "household_register"
    OTHER = "other"


class Sex(StrEnum):
    """Sex (性别) as a document states it."""

    MALE = "male"
    FEMALE = "female"


LABELS = MappingProxyType(
    {
        Kind.RESIDENT_ID: "居民身份证",
        Kind.PASSPORT: "护照",
        Kind.HK_MACAO_PERMIT: "港澳居民来往内地通行证",
        Kind.TAIWAN_PERMIT: "台湾居民来往大陆通行证",
        Kind.HMT_RESIDENCE_PERMIT: "港澳台居民居住证",
        Kind.FOREIGNER_RESIDENCE_CARD: "外国人永久居留身份证",
        Kind.HOUSEHOLD_REGISTER: "户口簿",
        Kind.OTHER: "其他",
    }
)

_SPOKEN = MappingProxyType(
    {
        **{label: kind for kind, label in LABELS.items()},
        **dict.fromkeys(("身份证", "二代身份证", "第二代身份证", "公民身份证"), Kind.RESIDENT_ID),
        **dict.fromkeys(("中国护照", "外国护照", "普通护照"), Kind.PASSPORT),
        **dict.fromkeys(
            ("回乡证", "港澳通行证", "港澳居民通行证", "港澳来往内地通行证"), Kind.HK_MACAO_PERMIT
        ),
        **dict.fromkeys(("台胞证", "台湾通行证", "台湾居民通行证"), Kind.TAIWAN_PERMIT),
        **dict.fromkeys(("港澳居民居住证", "台湾居民居住证", "港澳台居住证"), Kind.HMT_RESIDENCE_PERMIT),
        **dict.fromkeys(("永居证", "外国人永久居留证", "外国人居留证"), Kind.FOREIGNER_RESIDENCE_CARD),
        **dict.fromkeys(("户口本", "户口"), Kind.HOUSEHOLD_REGISTER),
        **dict.fromkeys(("其它", "其他证件", "其它证件"), Kind.OTHER),
    }
)

_SHAPES = MappingProxyType(
    {
        Kind.RESIDENT_ID: re.compile(r"[1-7][0-9]{16}[0-9X]"),
        Kind.PASSPORT: re.compile(r"(?=.*[0-9])[A-Z0-9]{5,12}"),
        Kind.HK_MACAO_PERMIT: re.compile(r"[HM](?:[0-9]{8}|[0-9]{10})"),
        Kind.TAIWAN_PERMIT: re.compile(r"[0-9]{8}|[0-9]{10}[A-Z]?"),
        Kind.HMT_RESIDENCE_PERMIT: re.compile(r"8[123]0000[0-9]{11}[0-9X]"),
        Kind.FOREIGNER_RESIDENCE_CARD: re.compile(r"[A-Z]{3}[0-9]{12}|9[1-7][0-9]{15}[0-9X]"),
        Kind.HOUSEHOLD_REGISTER: re.compile(r"[A-Z0-9]{4,32}"),
    }
)

_BUILT_LIKE_RESIDENT_ID = frozenset(
    {Kind.RESIDENT_ID, Kind.HMT_RESIDENCE_PERMIT, Kind.FOREIGNER_RESIDENCE_CARD}
)

# GB/T 2260, the first two digits; counties come and go, so that no list of them is a reason to refuse.
_PROVINCES = frozenset(
    map(
        str,
        [*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 66), 71],
    )
)
_WEIGHTS = tuple(pow(2, 17 - position, 11) for position in range(17))
_CHECK_DIGITS = "10X98765432"
_LOST_DIGITS = re.compile(r"[0-9]\.[0-9]+E\+?[0-9]+|[0-9]E\+[0-9]+|[0-9]{16,}\.0+")
_OLD_RESIDENT_ID = re.compile(r"[1-7][0-9]{14}")
_NEW_BUILD = re.compile(r"[1-9][0-9]{16}[0-9X]")
_MAX_LENGTH = 40


def kind_named(written: str, *, field: str | None = None) -> Kind:
    """The kind that a person calls by its full or its everyday name (身份证, 回乡证, 台胞证 …).

    Raises InvalidText DOCUMENT_KIND_UNKNOWN.
    """
    spoken = re.sub(r"\s", "", unicodedata.normalize("NFKC", written))
    if spoken not in _SPOKEN:
        raise InvalidText(
            "DOCUMENT_KIND_UNKNOWN", f"证件类型不认识，请填写：{'、'.join(LABELS.values())}", field
        )
    return _SPOKEN[spoken]


def normalise(written: str | int | float, *, field: str | None = None) -> str:
    """The number in capitals, half-width, without blanks, dashes and brackets; not yet validated.

    Raises InvalidText: DOCUMENT_NUMBER_LOST_DIGITS when a spreadsheet kept the number as a number
    and dropped everything after the fifteenth digit, or a TEXT_ code.
    """
    folded = text.clean(str(written), max_length=_MAX_LENGTH, fold=True, field=field).upper()
    number = re.sub(r"[\s\-‐-―−()'‘’`]", "", folded).replace("×", "X")
    counted = not isinstance(written, str) and len(number) > 15 and "." not in number
    if counted or _LOST_DIGITS.fullmatch(number):
        raise InvalidText(
            "DOCUMENT_NUMBER_LOST_DIGITS",
            "证件号码被表格当成数字，后几位已丢失，请把该列设为“文本”格式后重新填写",
            field,
        )
    return re.sub(r"^([0-9]+)\.0+$", r"\1", number)


def validate(kind: Kind, written: str | int | float, *, field: str | None = None) -> str:
    """The normalised number if it can be one of `kind`; a 15-digit 居民身份证 comes back with 18.

    Raises InvalidText: DOCUMENT_NUMBER_INVALID (wrong shape), DOCUMENT_CHECK_DIGIT,
    DOCUMENT_BIRTH_DATE, DOCUMENT_REGION, or what `normalise` raises.
    """
    number = normalise(written, field=field)
    if kind is Kind.RESIDENT_ID and _OLD_RESIDENT_ID.fullmatch(number):
        number = _upgraded(number)
    shape = _SHAPES.get(kind)
    if not number or (shape and not shape.fullmatch(number)):
        raise InvalidText("DOCUMENT_NUMBER_INVALID", f"{LABELS[kind]}号码格式不正确，请对照证件检查", field)
    if kind is Kind.RESIDENT_ID and number[:2] not in _PROVINCES:
        raise InvalidText("DOCUMENT_REGION", "身份证号码开头的地区代码不存在，请对照证件检查", field)
    if kind in _BUILT_LIKE_RESIDENT_ID and len(number) == 18:
        _check_build(number, field)
    return number


def check_digit(first_17: str) -> str:
    """The eighteenth character of a resident identity number (校验码), GB 11643-1999."""
    total = sum(int(digit) * weight for digit, weight in zip(first_17, _WEIGHTS, strict=True))
    return _CHECK_DIGITS[total % 11]


def birth_date(number: str) -> date | None:
    """The birth date (出生日期) in an 18-character number; None where the number tells none."""
    if not _NEW_BUILD.fullmatch(number):
        return None
    try:
        return date.fromisoformat(f"{number[6:10]}-{number[10:12]}-{number[12:14]}")
    except ValueError:
        return None


def sex(number: str) -> Sex | None:
    """The sex (性别) in an 18-character number; None where the number tells none."""
    if not _NEW_BUILD.fullmatch(number):
        return None
    return Sex.MALE if int(number[16]) % 2 else Sex.FEMALE


def mask(number: str) -> str:
    """A number as others may see it: 3301********1234; the shorter it is, the less is shown.

    The stars are always eight, so that they do not tell the length.
    """
    shown = min(4, len(number) // 4)
    return f"{number[:shown]}********{number[len(number) - shown :]}"


def _upgraded(old: str) -> str:
    """Sequences 996–999 of the 15-digit form were kept for people born in the 1800s."""
    century = "18" if old[12:] >= "996" else "19"
    first_17 = f"{old[:6]}{century}{old[6:]}"
    return first_17 + check_digit(first_17)


def _check_build(number: str, field: str | None) -> None:
    if number[17] != check_digit(number[:17]):
        raise InvalidText(
            "DOCUMENT_CHECK_DIGIT", "证件号码的校验位不对，可能抄错了一位，请对照证件检查", field
        )
    born_on = birth_date(number)
    if born_on is None or born_on > clock.today():
        raise InvalidText("DOCUMENT_BIRTH_DATE", "证件号码里的出生日期不存在，请对照证件检查", field)
