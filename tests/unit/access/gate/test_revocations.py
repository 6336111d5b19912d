from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domains.access.gate import cose, revocations
from domains.access.gate.folder import Folder
from domains.access.gate.reasons import Reason, Refused
from domains.access.gate.revocations import Delta, RevocationList

from .making import COMMUNITY, GUEST, HOUR, KEY, KEYS, KID, NOW, delta_of

OTHER = bytes(16)


def held(folder: Path) -> RevocationList:
    """The list as a process that starts now finds it."""
    found = RevocationList(Folder(folder), COMMUNITY)
    found.refresh()
    return found


def apply(folder: Path, message: bytes, over: int = NOW - HOUR) -> Reason:
    try:
        held(folder).apply(revocations.read(message, KEYS), over)
    except Refused as refused:
        return refused.reason
    return Reason.OK


def signed(terms: Mapping[int, object]) -> bytes:
    return cose.sign(cbor2.dumps(terms), kid=KID, key=KEY, context=cose.REVOCATIONS)


def test_a_list_survives_a_restart(tmp_path: Path) -> None:
    assert apply(tmp_path, delta_of(0, 7, NOW, {GUEST: NOW + HOUR})) is Reason.OK
    found = held(tmp_path)
    assert (GUEST in found, OTHER in found, found.sequence, found.issued_at) == (True, False, 7, NOW)


def test_only_the_delta_that_follows_is_taken(tmp_path: Path) -> None:
    first = delta_of(0, 7, NOW, {GUEST: NOW + HOUR})
    assert apply(tmp_path, first) is Reason.OK
    assert apply(tmp_path, first) is Reason.LIST_OLD
    assert apply(tmp_path, delta_of(6, 9, NOW + 5)) is Reason.LIST_OLD
    assert apply(tmp_path, delta_of(8, 9, NOW + 5)) is Reason.LIST_GAP
    assert apply(tmp_path, delta_of(7, 9, NOW - 5)) is Reason.LIST_OLD
    assert held(tmp_path).sequence == 7
    assert apply(tmp_path, delta_of(7, 9, NOW, {OTHER: NOW + HOUR})) is Reason.OK
    assert GUEST in held(tmp_path) and OTHER in held(tmp_path)


def test_an_empty_delta_renews_the_age_once(tmp_path: Path) -> None:
    assert apply(tmp_path, delta_of(0, 7, NOW, {GUEST: NOW + HOUR})) is Reason.OK
    assert apply(tmp_path, delta_of(7, 7, NOW + 60)) is Reason.OK
    assert apply(tmp_path, delta_of(7, 7, NOW + 60)) is Reason.LIST_OLD
    assert apply(tmp_path, delta_of(7, 7, NOW + 59)) is Reason.LIST_OLD
    assert (held(tmp_path).issued_at, GUEST in held(tmp_path)) == (NOW + 60, True)


def test_what_is_over_is_dropped(tmp_path: Path) -> None:
    apply(tmp_path, delta_of(0, 1, NOW, {GUEST: NOW + HOUR, OTHER: NOW + 2 * HOUR}))
    apply(tmp_path, delta_of(1, 1, NOW + HOUR), over=NOW + HOUR)
    found = held(tmp_path)
    assert (GUEST in found, OTHER in found, len(found)) == (False, True, 1)


def test_a_damaged_list_is_none_and_a_power_cut_leaves_the_old_one(tmp_path: Path) -> None:
    apply(tmp_path, delta_of(0, 7, NOW, {GUEST: NOW + HOUR}))
    (tmp_path / "revocations.new").write_bytes(b"half a li")
    assert GUEST in held(tmp_path)
    file = tmp_path / "revocations"
    file.write_bytes(file.read_bytes()[:-1])
    assert (held(tmp_path).sequence, held(tmp_path).issued_at) == (0, 0)


def test_a_list_of_another_community_is_none(tmp_path: Path) -> None:
    apply(tmp_path, delta_of(0, 7, NOW, {GUEST: NOW + HOUR}))
    moved = RevocationList(Folder(tmp_path), COMMUNITY + 1)
    moved.refresh()
    assert (moved.sequence, GUEST in moved) == (0, False)


def test_a_delta_holds_two_thousand_passes() -> None:
    many = {number.to_bytes(16, "big"): NOW + HOUR for number in range(revocations.MOST_REVOKED)}
    message = delta_of(0, 1, NOW, many)
    assert len(message) < revocations.MOST_BYTES
    assert revocations.read(message, KEYS).revoked == many
    with pytest.raises(ValueError, match="2,000"):
        delta_of(0, 1, NOW, many | {GUEST: NOW})


RIGHT: dict[int, object] = {1: COMMUNITY, 2: 0, 3: 1, 4: NOW, 5: [GUEST], 6: [NOW]}


@pytest.mark.parametrize(
    "wrong",
    [
        {1: 0},
        {2: -1},
        {2: 2},
        {3: 0},
        {3: 2**64},
        {4: 0},
        {4: 1.5},
        {5: []},
        {5: [b"short"]},
        {5: [GUEST, GUEST], 6: [NOW, NOW]},
        {5: "0123456789abcdef"},
        {5: 5},
        {5: [[1]]},
        {6: [0]},
        {6: [True]},
        {7: 1},
    ],
)
def test_a_signed_delta_out_of_form_is_refused(wrong: dict[int, object]) -> None:
    assert revocations.read(signed(RIGHT), KEYS).revoked == {GUEST: NOW}
    with pytest.raises(Refused, match="MALFORMED"):
        revocations.read(signed(RIGHT | wrong), KEYS)


@given(st.binary(max_size=200))
def test_rubbish_is_refused(payload: bytes) -> None:
    for message in (payload, cose.sign(payload, kid=KID, key=KEY, context=cose.REVOCATIONS)):
        with pytest.raises(Refused):
            revocations.read(message, KEYS)


def test_a_delta_says_what_it_was_made_of() -> None:
    made = Delta(community=COMMUNITY, after=3, up_to=5, issued_at=NOW, revoked={GUEST: NOW + HOUR})
    assert cbor2.loads(made.to_cbor()) == {1: COMMUNITY, 2: 3, 3: 5, 4: NOW, 5: [GUEST], 6: [NOW + HOUR]}
