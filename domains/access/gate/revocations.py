"""Revocations (撤销名单): signed exact deltas, and the list that a gate keeps on disk.

A gate at sequence n takes only a delta that begins after n. An empty delta says that nothing was
revoked since, which renews the age of the list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from . import cose
from .cbor import is_bytes, is_number, read_map
from .claims import ID_BYTES, MOST_COMMUNITY, MOST_TIME
from .folder import Folder, Snapshot
from .reasons import Reason, Refused

MOST_REVOKED, MOST_BYTES = 2_000, 64 * 1024
_COMMUNITY, _AFTER, _UP_TO, _ISSUED_AT, _IDS, _EXPIRIES = range(1, 7)
_MOST_SEQUENCE = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """What was revoked after one sequence and up to another: pass id (16 bytes) → its expiry.

    Times in epoch seconds; at most 2,000 passes, more go into several deltas. ValueError for a
    value out of its bounds.
    """

    community: int
    after: int
    up_to: int
    issued_at: int
    revoked: Mapping[bytes, int]

    def __post_init__(self) -> None:
        if not (is_number(self.community, 1, MOST_COMMUNITY) and is_number(self.issued_at, 1, MOST_TIME)):
            raise ValueError("a delta names a community and when it was issued")
        if not (
            is_number(self.after, 0, _MOST_SEQUENCE) and is_number(self.up_to, self.after, _MOST_SEQUENCE)
        ):
            raise ValueError("a delta goes from one sequence to a later one, or is empty")
        if len(self.revoked) > (0 if self.after == self.up_to else MOST_REVOKED):
            raise ValueError("a delta holds at most 2,000 passes, and none where nothing happened")
        if not all(is_bytes(id, ID_BYTES) and is_number(at, 1, MOST_TIME) for id, at in self.revoked.items()):
            raise ValueError("a revoked pass has an id of 16 bytes and an expiry")

    def to_cbor(self) -> bytes:
        """The delta as it is signed."""
        head = {
            _COMMUNITY: self.community,
            _AFTER: self.after,
            _UP_TO: self.up_to,
            _ISSUED_AT: self.issued_at,
        }
        return cbor2.dumps(head | {_IDS: list(self.revoked), _EXPIRIES: list(self.revoked.values())})

    @classmethod
    def from_cbor(cls, payload: bytes) -> Delta:
        """The delta that was signed; Refused as MALFORMED."""
        terms = read_map(payload)
        try:
            delta = cls(
                community=terms[_COMMUNITY],
                after=terms[_AFTER],
                up_to=terms[_UP_TO],
                issued_at=terms[_ISSUED_AT],
                revoked=dict(zip(terms[_IDS], terms[_EXPIRIES], strict=True)),
            )
        except (KeyError, ValueError, TypeError):
            raise Refused(Reason.MALFORMED) from None
        if delta.to_cbor() != payload:
            raise Refused(Reason.MALFORMED)
        return delta


def delta(
    *,
    community: int,
    after: int,
    up_to: int,
    issued_at: int,
    revoked: Mapping[bytes, int],
    kid: bytes,
    key: Ed25519PrivateKey,
) -> bytes:
    """A signed delta (see `Delta` for units and errors)."""
    made = Delta(community=community, after=after, up_to=up_to, issued_at=issued_at, revoked=revoked)
    return cose.sign(made.to_cbor(), kid=kid, key=key, context=cose.REVOCATIONS)


def read(message: bytes, keys: Mapping[bytes, Ed25519PublicKey]) -> Delta:
    """The delta that one of the keys signed; Refused otherwise."""
    return Delta.from_cbor(cose.verify(message, keys, cose.REVOCATIONS, MOST_BYTES))


class RevocationList:
    """The list of one community on a gate. Whoever calls holds the folder's lock and has called `refresh`."""

    def __init__(self, folder: Folder, community: int) -> None:
        self._snapshot, self._community = Snapshot(folder, "revocations"), community
        self.sequence, self.issued_at = 0, 0
        self._revoked: dict[bytes, int] = {}

    def __contains__(self, pass_id: bytes) -> bool:
        return pass_id in self._revoked

    def __len__(self) -> int:
        return len(self._revoked)

    def refresh(self) -> None:
        """Take over what another process on the gate has applied; a list of another community is none."""
        news = self._snapshot.news()
        if news is not None:
            community, sequence, issued_at, revoked = cbor2.loads(news)
            if community == self._community:
                self.sequence, self.issued_at, self._revoked = sequence, issued_at, revoked

    def apply(self, delta: Delta, over: int) -> None:
        """Take a delta durably and drop the entries that expired before `over` (epoch seconds).

        Refused as OTHER_COMMUNITY, LIST_OLD or LIST_GAP; the list is then as it was.
        """
        self._check(delta)
        revoked = {id: at for id, at in (self._revoked | dict(delta.revoked)).items() if at > over}
        self._snapshot.write(cbor2.dumps([self._community, delta.up_to, delta.issued_at, revoked]))
        self.sequence, self.issued_at, self._revoked = delta.up_to, delta.issued_at, revoked

    def _check(self, delta: Delta) -> None:
        if delta.community != self._community:
            raise Refused(Reason.OTHER_COMMUNITY)
        if delta.after > self.sequence:
            raise Refused(Reason.LIST_GAP)
        # an empty delta moves no sequence: only its time tells a repeated one
        if delta.after < self.sequence or (delta.issued_at, delta.up_to) <= (self.issued_at, self.sequence):
            raise Refused(Reason.LIST_OLD)
