from __future__ import annotations

from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domains.access.gate.claims import CodeClaims, PassClaims
from domains.access.gate.reasons import Reason, Refused

from .making import COMMUNITY, GUEST, NOW, claims_of

TERMS: dict[object, object] = {3: COMMUNITY, 4: NOW + 60, 5: NOW, 7: GUEST}
gates = st.none() | st.sets(st.integers(1, 65535), min_size=1, max_size=16).map(
    lambda found: tuple(sorted(found))
)


@st.composite
def passes(draw: st.DrawFn) -> PassClaims:
    begins = draw(st.integers(1, 2**32 - 2))
    named = draw(gates)
    return PassClaims(
        community=draw(st.integers(1, 2**31 - 1)),
        id=draw(st.binary(min_size=16, max_size=16)),
        not_before=begins,
        expires_at=draw(st.integers(begins + 1, 2**32 - 1)),
        uses=draw(st.none() | st.integers(1, 999)),
        gates=named,
        bound_gate=draw(st.none() | (st.sampled_from(named) if named else st.integers(1, 65535))),
    )


@given(passes())
def test_a_pass_comes_back(claims: PassClaims) -> None:
    assert PassClaims.from_cbor(claims.to_cbor()) == claims


def test_the_claims_are_those_of_rfc_8392_and_ours() -> None:
    claims = claims_of(gates=(1, 3))
    assert cbor2.loads(claims.to_cbor()) == {
        3: COMMUNITY,
        4: claims.expires_at,
        5: claims.not_before,
        7: GUEST,
        -70001: 1,
        -70002: [1, 3],
        -70003: 3,
    }


@given(st.binary(max_size=80) | passes().map(lambda claims: claims.to_cbor()[:-1]))
def test_signed_rubbish_is_refused(payload: bytes) -> None:
    for kind in (PassClaims, CodeClaims):
        with pytest.raises(Refused, match="MALFORMED"):
            kind.from_cbor(payload)


cbor_values: st.SearchStrategy[object] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=5)
    | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.integers(-5, 5), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from([3, 4, 5, 7, -70001, -70002, -70003, 99]), cbor_values)
def test_a_claim_of_another_type_is_refused_or_comes_back_as_it_was(key: int, value: object) -> None:
    payload = cbor2.dumps(TERMS | {key: value})
    try:
        claims = PassClaims.from_cbor(payload)
    except Refused as refused:
        assert refused.reason is Reason.MALFORMED
    else:
        assert claims.to_cbor() == payload


@pytest.mark.parametrize(
    "payload",
    [
        bytes.fromhex("d8235828285b") + b"(" * 40,
        bytes.fromhex("c07f"),
        bytes.fromhex("bf0301ff"),
        bytes.fromhex("a203010301"),
        b"\x81" * 900,
        bytes.fromhex("a1d81c00d81d00"),
    ],
    ids=["a pattern", "a date", "a map without end", "a key twice", "nested", "shared"],
)
def test_what_a_decoder_stumbles_over_is_refused(payload: bytes) -> None:
    with pytest.raises(Refused, match="MALFORMED"):
        PassClaims.from_cbor(payload)


@pytest.mark.parametrize(
    "wrong",
    [
        {"community": 0},
        {"community": 2**31},
        {"community": True},
        {"id": b"short"},
        {"id": "0123456789abcdef"},
        {"not_before": 0},
        {"expires_at": NOW},
        {"expires_at": 2**32},
        {"expires_at": NOW + 0.5},
        {"uses": 0},
        {"uses": 1000},
        {"gates": ()},
        {"gates": (3, 1)},
        {"gates": (1, 1)},
        {"gates": (0,)},
        {"gates": tuple(range(1, 18))},
        {"gates": [1]},
        {"bound_gate": 65536},
        {"gates": (1, 2), "bound_gate": 3},
    ],
)
# Any: wrong types are what is tested
def test_a_pass_out_of_bounds_is_not_made(wrong: dict[str, Any]) -> None:
    right: dict[str, Any] = {"community": COMMUNITY, "id": GUEST, "not_before": NOW, "expires_at": NOW + 60}
    with pytest.raises(ValueError):
        PassClaims(**right | wrong)


def test_a_code_lives_for_five_minutes_at_most() -> None:
    code = CodeClaims(community=COMMUNITY, id=GUEST, not_before=NOW, expires_at=NOW + 300)
    assert CodeClaims.from_cbor(code.to_cbor()) == code
    with pytest.raises(ValueError, match="5 minutes"):
        CodeClaims(community=COMMUNITY, id=GUEST, not_before=NOW, expires_at=NOW + 301)
    with pytest.raises(Refused, match="MALFORMED"):
        CodeClaims.from_cbor(claims_of().to_cbor())
