"""The claims that a pass and a code carry: CWT (RFC 8392) in one exact form of CBOR.

A claim that a gate does not know may restrict the pass, so an unknown one is refused, not skipped.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

import cbor2

from .cbor import is_bytes, is_number, read_map
from .reasons import Reason, Refused

ID_BYTES = 16
MOST_USES, MOST_GATES, CODE_SECONDS = 999, 16, 300
MOST_COMMUNITY, MOST_GATE, MOST_TIME = 2**31 - 1, 2**16 - 1, 2**32 - 1
_AUD, _EXP, _NBF, _CTI, _USES, _GATES, _BOUND = 3, 4, 5, 7, -70001, -70002, -70003


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeClaims:
    """A resident's own code (住户码): community number, id of 16 bytes, epoch seconds.

    Valid for at most 5 minutes; ValueError for a value out of its bounds.
    """

    community: int
    id: bytes
    not_before: int
    expires_at: int

    def __post_init__(self) -> None:
        _check_terms(self)
        if self.expires_at - self.not_before > CODE_SECONDS:
            raise ValueError("a resident's code is valid for at most 5 minutes")

    def to_cbor(self) -> bytes:
        """The claims as they are signed."""
        return cbor2.dumps(_terms(self))

    @classmethod
    def from_cbor(cls, payload: bytes) -> CodeClaims:
        """The claims that were signed; Refused as MALFORMED."""
        terms = read_map(payload)
        try:
            claims = cls(
                community=terms[_AUD],
                id=terms[_CTI],
                not_before=terms[_NBF],
                expires_at=terms[_EXP],
            )
        except (KeyError, ValueError):
            raise Refused(Reason.MALFORMED) from None
        return _exactly(claims, payload)


@dataclass(frozen=True, slots=True, kw_only=True)
class PassClaims:
    """A visitor's pass (访客通行证): community number, id of 16 bytes, epoch seconds.

    `uses` entries allowed (1 to 999; None: any number), `gates` ascending gate numbers (at most 16;
    None: every visitor gate), `bound_gate` the one gate that counts it while offline.
    ValueError for a value out of its bounds.
    """

    community: int
    id: bytes
    not_before: int
    expires_at: int
    uses: int | None = None
    gates: tuple[int, ...] | None = None
    bound_gate: int | None = None

    def __post_init__(self) -> None:
        _check_terms(self)
        if self.uses is not None and not is_number(self.uses, 1, MOST_USES):
            raise ValueError("a pass allows 1 to 999 uses, or any number")
        if self.gates is not None and not _are_gates(self.gates):
            raise ValueError("a pass names 1 to 16 gates in ascending order, or none")
        if self.bound_gate is not None and not is_number(self.bound_gate, 1, MOST_GATE):
            raise ValueError("a pass is bound to the number of a gate, or not bound")
        if None not in (self.gates, self.bound_gate) and self.bound_gate not in (self.gates or ()):
            raise ValueError("a pass is bound to one of its own gates")

    def to_cbor(self) -> bytes:
        """The claims as they are signed."""
        limits = {_USES: self.uses, _GATES: self.gates, _BOUND: self.bound_gate}
        return cbor2.dumps(_terms(self) | {key: value for key, value in limits.items() if value is not None})

    @classmethod
    def from_cbor(cls, payload: bytes) -> PassClaims:
        """The claims that were signed; Refused as MALFORMED."""
        terms = read_map(payload)
        gates = terms.get(_GATES)
        try:
            claims = cls(
                community=terms[_AUD],
                id=terms[_CTI],
                not_before=terms[_NBF],
                expires_at=terms[_EXP],
                uses=terms.get(_USES),
                gates=tuple(gates) if type(gates) is list else gates,
                bound_gate=terms.get(_BOUND),
            )
        except (KeyError, ValueError):
            raise Refused(Reason.MALFORMED) from None
        return _exactly(claims, payload)


_Claims = TypeVar("_Claims", CodeClaims, PassClaims)


def _check_terms(claims: CodeClaims | PassClaims) -> None:
    if not is_number(claims.community, 1, MOST_COMMUNITY):
        raise ValueError("a community has a number from 1 to 2³¹−1")
    if not is_bytes(claims.id, ID_BYTES):
        raise ValueError("an id has 16 bytes")
    if not (is_number(claims.not_before, 1, MOST_TIME) and is_number(claims.expires_at, 1, MOST_TIME)):
        raise ValueError("a time is in epoch seconds")
    if claims.expires_at <= claims.not_before:
        raise ValueError("a pass ends after it begins")


def _are_gates(gates: tuple[int, ...]) -> bool:
    return (
        type(gates) is tuple
        and 1 <= len(gates) <= MOST_GATES
        and all(is_number(gate, 1, MOST_GATE) for gate in gates)
        and all(gate < following for gate, following in pairwise(gates))
    )


def _terms(claims: CodeClaims | PassClaims) -> dict[int, int | bytes | tuple[int, ...] | None]:
    return {_AUD: claims.community, _EXP: claims.expires_at, _NBF: claims.not_before, _CTI: claims.id}


def _exactly(claims: _Claims, payload: bytes) -> _Claims:
    # one form only: what is encoded otherwise, or carries more, was not understood whole
    if claims.to_cbor() != payload:
        raise Refused(Reason.MALFORMED)
    return claims
