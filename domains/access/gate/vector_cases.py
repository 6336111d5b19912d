"""The cases of the test vectors (测试向量): fixed keys and times, every reason that a text can have."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from . import base45, cose, revocations, screens, texts
from .claims import CodeClaims, PassClaims
from .reasons import Kind, Reason
from .verifier import GateSettings, Unbound

NOW, HOUR, COMMUNITY = 1_790_000_000, 3600, 1001
SEEDS = {kid: hashlib.sha256(b"linli test vectors " + kid).digest() for kid in (b"k001", b"k002", b"evil")}
KNOWN = (b"k001", b"k002")
SCREEN_KEY = hashlib.sha256(b"linli test vectors screen").digest()
SIGNERS = {kid: Ed25519PrivateKey.from_private_bytes(seed) for kid, seed in SEEDS.items()}
GATE = GateSettings(community=COMMUNITY, number=3, screen_key=SCREEN_KEY)
STRICT_SCREEN = GateSettings(community=COMMUNITY, number=3, screen_key=SCREEN_KEY, screen_required=True)
COUNTING = GateSettings(community=COMMUNITY, number=3, screen_key=SCREEN_KEY, unbound=Unbound.COUNT)


@dataclass(frozen=True, slots=True)
class Show:
    """A text before the scanner at a time (epoch seconds), and the answer."""

    text: str
    expected: Reason = Reason.OK
    now: int = NOW


@dataclass(frozen=True, slots=True)
class Apply:
    """A revocation delta, and the answer."""

    message: bytes
    expected: Reason = Reason.OK


@dataclass(frozen=True, slots=True)
class UsedOnline:
    """What the server says is spent by an opening with a network."""

    id: bytes
    kind: Kind
    expires_at: int
    now: int = NOW


@dataclass(frozen=True, slots=True)
class Case:
    """Steps at one gate with an empty folder."""

    name: str
    steps: tuple[Show | Apply | UsedOnline, ...]
    gate: GateSettings = GATE


def cases() -> list[Case]:
    """All cases, in the order of the checks."""
    return [*_admitted(), *_unread(), *_unsigned(), *_misread(), *_elsewhere(), *_screens(), *_revoked()]


def _id(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()[:16]


def _claims(
    name: str = "guest",
    *,
    uses: int | None = None,
    gates: tuple[int, ...] | None = None,
    bound_gate: int | None = None,
    community: int = COMMUNITY,
    starts: int = -HOUR,
    ends: int = HOUR,
) -> bytes:
    return PassClaims(
        community=community,
        id=_id(name),
        not_before=NOW + starts,
        expires_at=NOW + ends,
        uses=uses,
        gates=gates,
        bound_gate=bound_gate,
    ).to_cbor()


def _code(community: int = COMMUNITY) -> bytes:
    return CodeClaims(community=community, id=_id("resident"), not_before=NOW, expires_at=NOW + 300).to_cbor()


def _signed(payload: bytes, context: bytes = cose.PASS, kid: bytes = b"k001") -> bytes:
    return cose.sign(payload, kid=kid, key=SIGNERS[kid], context=context)


def _delta(after: int, up_to: int, at: int = NOW, *revoked: str, community: int = COMMUNITY) -> bytes:
    passes = {_id(name): NOW + HOUR for name in revoked}
    return revocations.delta(
        community=community,
        after=after,
        up_to=up_to,
        issued_at=at,
        revoked=passes,
        kid=b"k001",
        key=SIGNERS[b"k001"],
    )


def _moving(name: str, timestamp: int, shown_at: int | None = None) -> str:
    """What a phone shows at `shown_at` with the MAC of `timestamp`."""
    message, mac = _signed(_claims(name)), screens.mac(screens.key_of(SCREEN_KEY, _id(name)), timestamp)
    return "RC2:" + base45.encode(cbor2.dumps([message, timestamp if shown_at is None else shown_at, mac]))


def _forged(
    protected: bytes,
    payload: bytes,
    *,
    head: bytes = b"\xd2\x84",
    unprotected: bytes = b"\xa0",
    tail: bytes = b"",
    kid: bytes = b"k001",
) -> str:
    """A text whose signature is right and whose envelope is not."""
    signature = SIGNERS[kid].sign(cbor2.dumps(["Signature1", protected, cose.PASS, payload]))
    parts = (head, cbor2.dumps(protected), unprotected, cbor2.dumps(payload), cbor2.dumps(signature), tail)
    return texts.still(b"".join(parts))


def _flipped(message: bytes, place: int) -> bytes:
    changed = bytearray(message)
    changed[place] ^= 1
    return bytes(changed)


LISTED = Apply(_delta(0, 0))


def _one(name: str, expected: Reason, text: str, now: int = NOW, gate: GateSettings = GATE) -> Case:
    return Case(name, (LISTED, Show(text, expected, now)), gate)


def _admitted() -> Iterator[Case]:
    once = texts.still(_signed(_claims(uses=1, gates=(1, 3), bound_gate=3)))
    thrice = texts.still(_signed(_claims(uses=3, bound_gate=3)))
    free, code = texts.still(_signed(_claims())), texts.still(_signed(_code(), cose.CODE))
    used = Reason.USED_UP
    yield Case("one use, bound to this gate", (LISTED, Show(once), Show(once, used)))
    yield Case("three uses", (LISTED, Show(thrice), Show(thrice), Show(thrice), Show(thrice, used)))
    online = UsedOnline(_id("guest"), Kind.VISITOR, NOW + HOUR)
    twice = texts.still(_signed(_claims(uses=2, bound_gate=3)))
    yield Case("two uses, one of them with a network", (LISTED, online, Show(twice), Show(twice, used)))
    yield Case("any number of uses", (LISTED, Show(free), Show(free)))
    yield Case("a resident's code, without a list", (Show(code), Show(code, used)))
    yield _one("signed by the second key", Reason.OK, texts.still(_signed(_claims(), kid=b"k002")))
    unbound = texts.still(_signed(_claims(uses=1)))
    yield Case("bound to no gate, the gate counts", (LISTED, Show(unbound), Show(unbound, used)), COUNTING)
    yield _one("a minute before it begins", Reason.OK, texts.still(_signed(_claims(starts=60))))
    yield _one("61 seconds before it begins", Reason.NOT_YET, texts.still(_signed(_claims(starts=61))))
    yield _one("59 seconds after its end", Reason.OK, texts.still(_signed(_claims(ends=-59))))
    yield _one("a minute after its end", Reason.EXPIRED, texts.still(_signed(_claims(ends=-60))))


def _unread() -> Iterator[Case]:
    message = _signed(_claims())
    text = texts.still(message)
    yield _one("nothing", Reason.NOT_A_PASS, "")
    yield _one("a web address", Reason.NOT_A_PASS, "https://example.com/v/AbCdEf")
    yield _one("an unknown prefix", Reason.NOT_A_PASS, "RC3:" + text[4:])
    yield _one("small letters", Reason.NOT_A_PASS, text.lower())
    yield _one("more than 512 characters", Reason.TOO_LONG, "RC1:" + "0" * 600)
    yield _one("the prefix alone", Reason.MALFORMED, "RC1:")
    yield _one("a line break at the end", Reason.MALFORMED, text + "\n")
    yield _one("a letter outside the alphabet", Reason.MALFORMED, text[:40] + "é" + text[41:])
    yield _one("a Base45 group out of range", Reason.MALFORMED, "RC1:" + ":::" + text[7:])
    yield _one("one Base45 character too many", Reason.MALFORMED, "RC1:" + "0" * 100)
    yield _one("its second half missing", Reason.MALFORMED, text[: len(text) // 6 * 3 + 1])
    yield _one("a byte appended", Reason.MALFORMED, texts.still(message + b"\0"))
    yield _one("a moving code without its pass", Reason.MALFORMED, "RC2:" + text[4:])


def _unsigned() -> Iterator[Case]:
    claims, kid = _claims(), b"\x04\x44k001"
    protected = b"\xa2\x01\x27" + kid
    message = _signed(claims)
    bad = Reason.BAD_SIGNATURE
    yield _one("without the tag", Reason.MALFORMED, _forged(protected, claims, head=b"\x84"))
    yield _one(
        "an array without end", Reason.MALFORMED, _forged(protected, claims, head=b"\xd2\x9f", tail=b"\xff")
    )
    yield _one(
        "an unprotected header", Reason.MALFORMED, _forged(protected, claims, unprotected=b"\xa1\x05\x00")
    )
    yield _one(
        "a third protected header", Reason.MALFORMED, _forged(b"\xa3\x01\x27" + kid + b"\x05\x00", claims)
    )
    yield _one("headers in another order", Reason.MALFORMED, _forged(b"\xa2" + kid + b"\x01\x27", claims))
    yield _one("a key id of 5 bytes", Reason.MALFORMED, _forged(b"\xa2\x01\x27\x04\x45k0011", claims))
    yield _one("an unknown key", Reason.UNKNOWN_KEY, texts.still(_signed(claims, kid=b"evil")))
    yield _one("ES256 by name", Reason.WRONG_ALGORITHM, _forged(b"\xa2\x01\x26" + kid, claims))
    yield _one("HMAC by name", Reason.WRONG_ALGORITHM, _forged(b"\xa2\x01\x05" + kid, claims))
    yield _one("RS256 by name", Reason.WRONG_ALGORITHM, _forged(b"\xa2\x01\x39\x01\x00" + kid, claims))
    yield _one("another's signature", bad, _forged(protected, claims, kid=b"evil"))
    yield _one("the id of the other key", bad, texts.still(message.replace(b"k001", b"k002")))
    yield _one("a changed claim", bad, texts.still(_flipped(message, message.index(_id("guest")))))
    yield _one("a changed signature", bad, texts.still(_flipped(message, -1)))
    yield _one("a door command's context", bad, texts.still(_signed(claims, cose.DOOR)))
    yield _one("a revocation delta as a pass", bad, texts.still(_delta(0, 1, NOW, "guest")))
    limited = _signed(_claims(uses=1), cose.CODE)
    yield _one("a pass with limits, signed as a code", bad, texts.still(limited))


def _misread() -> Iterator[Case]:
    """Signed by the server's key and still not understood."""
    terms = {3: COMMUNITY, 4: NOW + HOUR, 5: NOW - HOUR, 7: _id("guest")}
    wrong: dict[str, object] = {
        "an unknown claim": terms | {-70009: 1},
        "no expiry": {key: value for key, value in terms.items() if key != 4},
        "an expiry in words": terms | {4: "tomorrow"},
        "an expiry with a fraction": terms | {4: NOW + 0.5},
        "an end before its beginning": terms | {4: NOW - 2 * HOUR},
        "true for a community": terms | {3: True},
        "an id of 15 bytes": terms | {7: bytes(15)},
        "no use at all": terms | {-70001: 0},
        "gates out of order": terms | {-70002: [3, 1]},
        "no gate at all": terms | {-70002: []},
        "bound to a gate it does not name": terms | {-70002: [1, 2], -70003: 3},
        "claims in another order": dict(reversed(terms.items())),
        "a list of claims": list(terms.values()),
    }
    for name, claims in wrong.items():
        yield _one(name, Reason.MALFORMED, texts.still(_signed(cbor2.dumps(claims))))
    yield _one("claims cut short", Reason.MALFORMED, texts.still(_signed(_claims()[:-1])))
    yield _one("claims and a byte more", Reason.MALFORMED, texts.still(_signed(_claims() + b"\0")))
    long_code = _signed(cbor2.dumps(terms), cose.CODE)
    yield _one("a resident's code of two hours", Reason.MALFORMED, texts.still(long_code))


def _elsewhere() -> Iterator[Case]:
    other, next_gate = Reason.OTHER_COMMUNITY, Reason.BOUND_ELSEWHERE
    yield _one("another community's pass", other, texts.still(_signed(_claims(community=1002))))
    yield _one("another community's resident", other, texts.still(_signed(_code(1002), cose.CODE)))
    yield _one("a pass for other gates", Reason.OTHER_GATE, texts.still(_signed(_claims(gates=(1, 2)))))
    bound = texts.still(_signed(_claims(uses=1, bound_gate=2)))
    yield _one("bound to another gate", next_gate, bound)
    yield _one("bound to another gate, the gate counts", next_gate, bound, gate=COUNTING)
    yield _one("bound to no gate, the gate does not count", next_gate, texts.still(_signed(_claims(uses=2))))


def _screens() -> Iterator[Case]:
    still, wrong, stale = texts.still(_signed(_claims())), Reason.SCREEN_WRONG, Reason.SCREEN_STALE
    code = _signed(_code(), cose.CODE)
    yield _one("a moving code", Reason.OK, _moving("guest", NOW), gate=STRICT_SCREEN)
    yield _one("a moving code 60 seconds old", Reason.OK, _moving("guest", NOW - 60), gate=STRICT_SCREEN)
    yield _one("a moving code 61 seconds old", stale, _moving("guest", NOW - 61), gate=STRICT_SCREEN)
    yield _one("a moving code 61 seconds ahead", stale, _moving("guest", NOW + 61))
    yield _one("an old moving code made young", wrong, _moving("guest", NOW - 900, NOW))
    yield _one("a screenshot", Reason.SCREEN_REQUIRED, still, gate=STRICT_SCREEN)
    yield _one("a resident at that gate", Reason.OK, texts.still(code), gate=STRICT_SCREEN)
    moving_code = texts.moving(code, screens.key_of(SCREEN_KEY, _id("resident")), NOW)
    yield _one("a resident's code that moves", Reason.BAD_SIGNATURE, moving_code)


def _revoked() -> Iterator[Case]:
    text, other = texts.still(_signed(_claims())), texts.still(_signed(_claims("other")))
    first, empty = Apply(_delta(0, 5, NOW, "guest")), _delta(5, 5, NOW + 60)
    old, gap, stale = Reason.LIST_OLD, Reason.LIST_GAP, Reason.LIST_STALE
    yield Case("revoked", (first, Show(text, Reason.REVOKED), Show(other)))
    yield Case("before any list", (Show(text, stale),))
    aged = Apply(_delta(0, 0, NOW - 4 * HOUR))
    yield Case("a list of four hours, and a second more", (aged, Show(text), Show(text, stale, NOW + 1)))
    renewed = (aged, Apply(_delta(0, 0, NOW)), Show(text, Reason.OK, NOW + 1))
    yield Case("an old list renewed by an empty delta", renewed)
    yield Case("a delta repeated", (first, Apply(first.message, old), Show(text, Reason.REVOKED)))
    yield Case("an empty delta repeated", (first, Apply(empty), Apply(empty, old)))
    yield Case("an older delta", (first, Apply(_delta(0, 4, NOW + 60), old)))
    yield Case("a delta left out", (first, Apply(_delta(6, 7, NOW + 60), gap), Show(text, Reason.REVOKED)))
    foreign = _delta(0, 1, NOW, "guest", community=1002)
    yield Case("another community's delta", (LISTED, Apply(foreign, Reason.OTHER_COMMUNITY), Show(text)))
    yield Case("a pass as a delta", (Apply(_signed(_claims()), Reason.BAD_SIGNATURE),))
    uneven = cbor2.dumps({1: COMMUNITY, 2: 0, 3: 1, 4: NOW, 5: [_id("guest")], 6: []})
    yield Case(
        "a delta with an expiry missing", (Apply(_signed(uneven, cose.REVOCATIONS), Reason.MALFORMED),)
    )
    later = Apply(_delta(0, 0, NOW + 2 * HOUR))
    back = (later, Show(text, Reason.EXPIRED), Show(text, Reason.EXPIRED, 1))
    yield Case("the clock set back below the last list", back)
    week = texts.still(_signed(_claims("week", ends=99 * HOUR)))
    ask = (later, Show(week, Reason.OK, NOW + 2 * HOUR), Show(week, stale, NOW))
    yield Case("the clock set back, the list of unknown age", ask)
