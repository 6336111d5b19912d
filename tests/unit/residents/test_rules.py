"""Pure decisions: leases, and who of the register somebody is."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest

from domains.kernel.errors import Conflict, Invalid
from domains.residents import qr, rules
from domains.residents.rules import Candidate

TODAY = date(2026, 5, 1)
ME, OTHER = UUID(int=1), UUID(int=2)


@pytest.mark.parametrize(
    ("capacity", "until", "code"),
    [
        ("owner", None, None), ("family", None, None), ("tenant", TODAY, None), ("tenant", date(2046, 5, 1), None),
        ("owner", TODAY, "LEASE_NOT_APPLICABLE"), ("family", TODAY, "LEASE_NOT_APPLICABLE"),
        ("tenant", None, "LEASE_REQUIRED"), ("tenant", date(2026, 4, 30), "LEASE_OUT_OF_RANGE"),
        ("tenant", date(2047, 1, 1), "LEASE_OUT_OF_RANGE"), ("tenant", date.max, "LEASE_OUT_OF_RANGE"),
    ],
)  # fmt: skip
def test_lease(capacity: str, until: date | None, code: str | None) -> None:
    if code is None:
        rules.check_lease(capacity, until, TODAY)
        return
    with pytest.raises(Invalid) as refused:
        rules.check_lease(capacity, until, TODAY)
    assert refused.value.code == code


def candidate(
    number: int,
    *,
    account: UUID | None = None,
    name: str = "张三",
    document: bool = False,
    phone: bool = False,
    differs: bool = False,
) -> Candidate:
    return Candidate(UUID(int=number), name, account, document, phone, differs)


def test_nobody_is_somebody_new() -> None:
    assert rules.match([], ME, "张三") is None


def test_the_document_goes_before_phone_and_name() -> None:
    by_phone, by_document = candidate(10, phone=True), candidate(11, document=True)
    assert rules.match([by_phone, by_document], ME, "张三") == by_document.id


def test_who_is_known_already_goes_before_a_phone() -> None:
    known = candidate(11, account=ME)
    assert rules.match([candidate(10, phone=True), known], ME, "张三") == known.id


def test_a_name_alone_is_the_last_resort() -> None:
    named, by_phone = candidate(10), candidate(11, phone=True)
    assert rules.match([named, by_phone], ME, "张三") == by_phone.id
    assert rules.match([named], ME, "张三") == named.id


@pytest.mark.parametrize(
    ("candidates", "code"),
    [
        ([candidate(10, document=True, account=OTHER)], "PERSON_LINKED"),
        ([candidate(10, phone=True, account=OTHER)], "PERSON_LINKED"),
        ([candidate(10, account=ME, name="李四")], "PERSON_NAME_DIFFERS"),
        ([candidate(10, document=True, name="李四")], "PERSON_NAME_DIFFERS"),
        ([candidate(10, phone=True, differs=True)], "PERSON_DOCUMENT_DIFFERS"),
        ([candidate(10, account=ME), candidate(11, document=True)], "ACCOUNT_IS_ANOTHER"),
    ],
)
def test_what_speaks_against_it(candidates: list[Candidate], code: str) -> None:
    with pytest.raises(Conflict) as refused:
        rules.match(candidates, ME, "张三")
    assert refused.value.code == code


def test_an_owner_may_call_somebody_anything() -> None:
    assert rules.match([candidate(10, account=ME, name="李四")], ME, None) == UUID(int=10)


def test_a_document_that_agrees_outweighs_a_name_that_was_changed() -> None:
    assert rules.match([candidate(10, account=ME, name="李四", document=True)], ME, "张三") == UUID(int=10)


def test_codes_are_unguessable_and_kept_as_a_hash() -> None:
    codes = {rules.new_invitation_code() for _ in range(100)}
    assert len(codes) == 100
    assert min(map(len, codes)) == 32
    assert all(len(rules.invitation_hash(code)) == 32 for code in codes)


def test_a_qr_code_has_its_three_corners() -> None:
    picture = qr.svg("https://linli.example/pass")
    assert picture.startswith("<svg xmlns=")
    assert picture.count("h7v1h-7z") == 6
