from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from domains.access.gate import cose, screens, texts, verifier
from domains.access.gate.reasons import Kind, Reason, Refused
from domains.access.gate.verifier import Gate, GateSettings, Unbound

from .making import (
    COMMUNITY,
    GUEST,
    HOUR,
    KEY,
    KEYS,
    KID,
    NOW,
    NUMBER,
    SCREEN_KEY,
    SETTINGS,
    claims_of,
    code_text,
    delta_of,
    gate_at,
    listed_gate,
    message_of,
    text_of,
)

PASS = text_of(claims_of())
COUNTING = replace(SETTINGS, unbound=Unbound.COUNT)


class Relay:
    """Counts how often it was told to open."""

    def __init__(self) -> None:
        self.opened = 0

    def __call__(self) -> None:
        self.opened += 1


def reasons_of(gate: Gate) -> list[Reason]:
    return [event.reason for event in gate.waiting()]


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> tuple[Gate, Relay]:
    """A gate for texts that must not open it."""
    relay = Relay()
    return listed_gate(tmp_path_factory.mktemp("standing"), open_gate=relay), relay


@pytest.fixture(autouse=True)
def _no_disk_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the disk was asked is tested with the journal; here it would only take time."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


def test_a_use_opens_and_is_told(tmp_path: Path) -> None:
    relay = Relay()
    gate = listed_gate(tmp_path, open_gate=relay)
    first, second = gate.admit(PASS, NOW), gate.admit(PASS, NOW + 1)
    assert (first.opens, first.kind, first.id) == (True, Kind.VISITOR, GUEST)
    assert (second.opens, second.reason, second.id) == (False, Reason.USED_UP, GUEST)
    assert relay.opened == 1
    assert [(event.sequence, event.shown, event.at, event.reason) for event in gate.waiting()] == [
        (1, GUEST, NOW, Reason.OK),
        (2, GUEST, NOW + 1, Reason.USED_UP),
    ]
    gate.confirm(1)
    assert reasons_of(gate_at(tmp_path)) == [Reason.USED_UP]


def test_the_use_is_on_disk_before_the_relay_is_told(tmp_path: Path) -> None:
    seen: list[bytes] = []
    gate = listed_gate(tmp_path, open_gate=lambda: seen.append((tmp_path / "journal").read_bytes()))
    gate.admit(PASS, NOW)
    assert GUEST in seen[0]


@given(st.text() | st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:", max_size=520).map("RC1:".__add__))
def test_any_text_gets_an_answer(standing: tuple[Gate, Relay], text: str) -> None:
    gate, relay = standing
    assert not gate.admit(text, NOW).opens
    assert relay.opened == 0


@given(st.data())
def test_a_pass_changed_anywhere_opens_nothing(standing: tuple[Gate, Relay], data: st.DataObject) -> None:
    gate, relay = standing
    message = bytearray(message_of(claims_of()))
    for place in data.draw(st.lists(st.integers(0, len(message) - 1), min_size=1, max_size=4, unique=True)):
        message[place] ^= data.draw(st.integers(1, 255))
    cut = data.draw(st.integers(0, len(message)))
    for changed in (bytes(message), bytes(message[:cut])):
        assert not gate.admit(texts.still(changed), NOW).opens
    assert relay.opened == 0


@given(st.binary(max_size=120), st.sampled_from([cose.PASS, cose.CODE, cose.DOOR, cose.REVOCATIONS]))
def test_whatever_the_key_signed_gets_an_answer(
    standing: tuple[Gate, Relay], payload: bytes, context: bytes
) -> None:
    gate, relay = standing
    message = cose.sign(payload, kid=KID, key=KEY, context=context)
    verdict = gate.admit(texts.still(message), NOW)
    assert verdict.reason in (Reason.MALFORMED, Reason.BAD_SIGNATURE)
    assert relay.opened == 0


@given(st.binary(min_size=32, max_size=32))
def test_another_key_opens_nothing(standing: tuple[Gate, Relay], seed: bytes) -> None:
    stranger = Ed25519PrivateKey.from_private_bytes(seed)
    message = cose.sign(claims_of().to_cbor(), kid=KID, key=stranger, context=cose.PASS)
    if seed != KEY.private_bytes_raw():
        assert standing[0].admit(texts.still(message), NOW).reason is Reason.BAD_SIGNATURE


def test_of_several_objections_the_first_of_the_order_is_told(tmp_path: Path) -> None:
    """One wrong thing is put right at a time, from the first check to the last."""
    stranger = Ed25519PrivateKey.from_private_bytes(bytes(32))
    ended, revoked = claims_of(gates=(1,), uses=1, bound_gate=1, ends=-61), bytes(16)
    abroad = replace(ended, community=COMMUNITY + 1)
    here = replace(ended, gates=None)
    valid = replace(here, expires_at=NOW + HOUR)
    strict = replace(SETTINGS, screen_required=True)
    mac = screens.key_of(SCREEN_KEY, GUEST)
    old = texts.moving(message_of(valid), mac, NOW - 99)
    fresh = texts.moving(message_of(valid), mac, NOW)
    listed = replace(valid, id=revoked)
    steps = [
        (
            Reason.UNKNOWN_KEY,
            texts.still(cose.sign(abroad.to_cbor(), kid=b"none", key=stranger, context=b"")),
        ),
        (
            Reason.BAD_SIGNATURE,
            texts.still(cose.sign(abroad.to_cbor(), kid=KID, key=stranger, context=cose.PASS)),
        ),
        (Reason.OTHER_COMMUNITY, text_of(abroad)),
        (Reason.OTHER_GATE, text_of(ended)),
        (Reason.EXPIRED, text_of(here)),
        (Reason.SCREEN_REQUIRED, text_of(valid)),
        (Reason.SCREEN_WRONG, texts.moving(message_of(valid), bytes(32), NOW - 99)),
        (Reason.SCREEN_STALE, old),
        (Reason.REVOKED, texts.moving(message_of(listed), screens.key_of(SCREEN_KEY, revoked), NOW)),
        (Reason.BOUND_ELSEWHERE, fresh),
    ]
    gate = gate_at(tmp_path, strict)
    gate.apply(delta_of(0, 1, NOW, {revoked: NOW + HOUR}))
    assert [(gate.admit(text, NOW).reason) for _, text in steps] == [reason for reason, _ in steps]
    assert reasons_of(gate) == [reason for reason, _ in steps]


def test_a_pass_that_expired_before_the_floor_stays_expired(tmp_path: Path) -> None:
    gate_at(tmp_path).apply(delta_of(0, 0, NOW + 2 * HOUR))
    for now in (NOW, 0, NOW - 10**8):
        assert gate_at(tmp_path).admit(PASS, now).reason is Reason.EXPIRED


def test_any_signed_time_raises_the_floor_and_none_lowers_it(tmp_path: Path) -> None:
    gate = listed_gate(tmp_path)
    gate.saw(NOW + HOUR + 60)
    gate.saw(5)
    assert gate_at(tmp_path).admit(PASS, NOW).reason is Reason.EXPIRED
    (tmp_path / "floor").write_bytes(b"damaged")
    assert gate_at(tmp_path).admit(PASS, NOW).reason is Reason.OK


def test_a_clock_that_ran_ahead_and_back_gives_no_use_back(tmp_path: Path) -> None:
    gate = listed_gate(tmp_path)
    assert gate.admit(PASS, NOW).opens
    assert gate.admit(PASS, NOW + 10**8).reason is Reason.EXPIRED
    assert gate_at(tmp_path).admit(PASS, NOW).reason is Reason.USED_UP


def test_a_clock_a_little_behind_the_server_works(tmp_path: Path) -> None:
    assert listed_gate(tmp_path).admit(PASS, NOW - verifier.CLOCK_SECONDS).opens


def test_a_revocation_reaches_a_gate_object_of_another_process(tmp_path: Path) -> None:
    standing, other = listed_gate(tmp_path, COUNTING), gate_at(tmp_path)
    free = text_of(claims_of(uses=None))
    assert standing.admit(free, NOW).opens
    other.apply(delta_of(0, 1, NOW, {GUEST: NOW + HOUR}))
    assert standing.admit(free, NOW).reason is Reason.REVOKED
    assert standing.list_sequence() == 1


def test_a_revoked_pass_stays_refused_after_its_entry_was_dropped(tmp_path: Path) -> None:
    gate = gate_at(tmp_path)
    gate.apply(delta_of(0, 1, NOW, {GUEST: NOW + HOUR}))
    for at, reason in ((NOW + HOUR + 59, Reason.REVOKED), (NOW + HOUR + 60, Reason.EXPIRED)):
        gate.apply(delta_of(1, 1, at))
        assert gate_at(tmp_path).admit(PASS, NOW).reason is reason


def test_an_uncounted_pass_bound_elsewhere_goes_there(tmp_path: Path) -> None:
    gate = listed_gate(tmp_path, COUNTING)
    verdict = gate.admit(text_of(claims_of(uses=None, bound_gate=NUMBER + 1)), NOW)
    assert (verdict.reason, verdict.reason.asks_guard) == (Reason.BOUND_ELSEWHERE, True)


def test_a_use_admitted_online_is_not_given_back_offline(tmp_path: Path) -> None:
    gate = listed_gate(tmp_path)
    gate.used_online(GUEST, Kind.VISITOR, NOW + HOUR, NOW)
    assert gate_at(tmp_path).admit(PASS, NOW).reason is Reason.USED_UP
    assert reasons_of(gate) == [Reason.USED_UP]


def test_a_code_opens_once_at_each_gate_and_needs_no_list(tmp_path: Path) -> None:
    for gate in (gate_at(tmp_path / "one"), gate_at(tmp_path / "two")):
        assert gate.admit(code_text(), NOW).kind is Kind.RESIDENT
        assert gate.admit(code_text(), NOW).reason is Reason.USED_UP
        assert gate.admit(code_text(at=NOW - 400), NOW).reason is Reason.EXPIRED


def test_a_gate_without_a_screen_key_takes_a_moving_code_as_a_still_one(tmp_path: Path) -> None:
    gate = listed_gate(tmp_path, GateSettings(community=COMMUNITY, number=NUMBER))
    assert gate.admit(texts.moving(message_of(claims_of()), bytes(32), NOW - HOUR), NOW).opens
    with pytest.raises(ValueError, match="screen key"):
        GateSettings(community=COMMUNITY, number=NUMBER, screen_required=True)


def test_the_screen_key_is_not_printed() -> None:
    assert "screen_key" not in repr(SETTINGS)


def test_a_disk_that_fails_opens_nothing_and_asks_the_guard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    relay = Relay()
    gate = listed_gate(tmp_path, open_gate=relay)

    def failing(_: int) -> None:
        raise OSError(errno.ENOSPC, "full")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", failing)
        verdict = gate.admit(PASS, NOW)
    assert (verdict.reason, verdict.id, relay.opened) == (Reason.NOT_RECORDED, GUEST, 0)
    assert verdict.reason.asks_guard
    assert gate.admit(PASS, NOW).opens


def test_a_damaged_journal_asks_the_guard(tmp_path: Path) -> None:
    gate = listed_gate(tmp_path)
    (tmp_path / "journal").write_bytes(b"something else entirely")
    assert gate.admit(PASS, NOW).reason is Reason.NOT_RECORDED


def test_a_relay_that_fails_keeps_the_use_spent(tmp_path: Path) -> None:
    def stuck() -> None:
        raise OSError(errno.EIO, "no relay")

    with pytest.raises(OSError, match="no relay"):
        listed_gate(tmp_path, open_gate=stuck).admit(PASS, NOW)
    assert gate_at(tmp_path).admit(PASS, NOW).reason is Reason.USED_UP


def test_an_event_lost_with_its_file_is_told_again_once(tmp_path: Path) -> None:
    gate = listed_gate(tmp_path)
    for _ in range(3):
        gate.admit("rubbish", NOW)
    gate.admit(PASS, NOW)
    (tmp_path / "events").unlink()
    for _ in range(2):
        found = [(event.sequence, event.reason) for event in gate_at(tmp_path).waiting()]
        assert found == [(4, Reason.OK)]


def test_the_online_check_shares_the_first_steps() -> None:
    seen = verifier.read(PASS, KEYS, NOW, COMMUNITY)
    assert (seen.kind, seen.claims, seen.screen) == (Kind.VISITOR, claims_of(), None)
    moving = texts.moving(message_of(claims_of()), screens.key_of(SCREEN_KEY, GUEST), NOW)
    assert verifier.read(moving, KEYS, NOW, COMMUNITY).screen is not None
    assert verifier.read(code_text(), KEYS, NOW, COMMUNITY).kind is Kind.RESIDENT
    with pytest.raises(Refused) as caught:
        verifier.read(PASS, KEYS, NOW + 2 * HOUR, COMMUNITY)
    assert (caught.value.reason, caught.value.id) == (Reason.EXPIRED, GUEST)


def test_the_online_check_asks_for_the_gate_where_it_is_told() -> None:
    text = text_of(claims_of(gates=(3, 4)))
    assert verifier.read(text, KEYS, NOW, COMMUNITY, 4).kind is Kind.VISITOR
    with pytest.raises(Refused, match="OTHER_GATE"):
        verifier.read(text, KEYS, NOW, COMMUNITY, 5)


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["use", "restart", "renew", "back", "moving"]),
            st.integers(0, 3),
            st.integers(0, 1000),
        ),
        max_size=25,
    )
)
def test_no_order_of_events_opens_more_often_than_allowed(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, int]]
) -> None:
    folder, now = tmp_path_factory.mktemp("order"), NOW
    passes = [claims_of(bytes((number,)) * 16, uses=number + 1) for number in range(4)]
    gate, opened = listed_gate(folder), [0] * 4
    for step, number, seconds in steps:
        now += -seconds if step == "back" else seconds
        if step == "restart":
            gate = gate_at(folder)
        elif step == "renew":
            try:
                gate.apply(delta_of(0, 0, max(now, 1)))
            except Refused as refused:
                assert refused.reason is Reason.LIST_OLD
        else:
            message = message_of(passes[number])
            key = screens.key_of(SCREEN_KEY, passes[number].id)
            text = texts.moving(message, key, now) if step == "moving" else texts.still(message)
            opened[number] += gate.admit(text, now).opens
    assert all(times <= claims.uses for times, claims in zip(opened, passes, strict=True) if claims.uses)
