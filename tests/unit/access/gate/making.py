"""What the tests of the verifier are made with: one key, one community, one gate."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from domains.access.gate import cose, revocations, texts
from domains.access.gate.claims import CodeClaims, PassClaims
from domains.access.gate.verifier import Gate, GateSettings

KEY, KID = Ed25519PrivateKey.from_private_bytes(bytes(range(32))), b"k001"
KEYS = {KID: KEY.public_key()}
NOW, HOUR, COMMUNITY, NUMBER = 1_790_000_000, 3600, 1001, 3
SCREEN_KEY = bytes(range(32, 64))
SETTINGS = GateSettings(community=COMMUNITY, number=NUMBER, screen_key=SCREEN_KEY)
GUEST = bytes(range(16))


def claims_of(
    id: bytes = GUEST,
    uses: int | None = 1,
    gates: tuple[int, ...] | None = None,
    bound_gate: int | None = NUMBER,
    ends: int = HOUR,
) -> PassClaims:
    """A pass, by default for one use at this gate, from an hour ago to an hour from now."""
    return PassClaims(
        community=COMMUNITY,
        id=id,
        not_before=NOW - HOUR,
        expires_at=NOW + ends,
        uses=uses,
        gates=gates,
        bound_gate=bound_gate,
    )


def message_of(claims: PassClaims, context: bytes = cose.PASS) -> bytes:
    """The pass, signed."""
    return cose.sign(claims.to_cbor(), kid=KID, key=KEY, context=context)


def text_of(claims: PassClaims) -> str:
    """What its QR code holds."""
    return texts.still(message_of(claims))


def code_text(id: bytes = GUEST, at: int = NOW) -> str:
    """A resident's own code."""
    claims = CodeClaims(community=COMMUNITY, id=id, not_before=at, expires_at=at + 300)
    return texts.still(cose.sign(claims.to_cbor(), kid=KID, key=KEY, context=cose.CODE))


def delta_of(after: int, up_to: int, at: int = NOW, revoked: dict[bytes, int] | None = None) -> bytes:
    """A revocation delta of the community."""
    return revocations.delta(
        community=COMMUNITY,
        after=after,
        up_to=up_to,
        issued_at=at,
        revoked=revoked or {},
        kid=KID,
        key=KEY,
    )


def gate_at(
    folder: Path, settings: GateSettings = SETTINGS, open_gate: Callable[[], None] = lambda: None
) -> Gate:
    """A gate on this folder, which may be one that another gate object has used."""
    return Gate(folder, settings, KEYS, open_gate)


def listed_gate(
    folder: Path, settings: GateSettings = SETTINGS, open_gate: Callable[[], None] = lambda: None
) -> Gate:
    """A gate that has just heard that nothing is revoked."""
    gate = gate_at(folder, settings, open_gate)
    gate.apply(delta_of(0, 0))
    return gate
