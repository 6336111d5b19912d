"""What a gate does with the text of a QR code (道闸验码), in one exact order.

Prefix and length, key id, algorithm, signature, community and gate, not-before and expiry, moving
code, revocation, uses left; then the relay; then the event.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from . import cose, revocations, screens, texts
from .claims import CodeClaims, PassClaims
from .clock import ClockFloor
from .events import Event, EventQueue
from .folder import DiskFailed, Folder
from .journal import Journal, Use
from .reasons import Kind, Reason, Refused

TOLERANCE_SECONDS = 60
LIST_SECONDS = 4 * 3600
CLOCK_SECONDS = 300
_MAP_OF_FOUR = 0xA4


@dataclass(frozen=True, slots=True)
class Seen:
    """What a text holds once the first six steps have passed."""

    kind: Kind
    claims: CodeClaims | PassClaims
    screen: texts.Screen | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The gate's answer; `id` (16 bytes) and `kind` are None where no signature counted."""

    reason: Reason
    kind: Kind | None = None
    id: bytes | None = None

    @property
    def opens(self) -> bool:
        """Whether the gate has opened."""
        return self.reason is Reason.OK


class Unbound(StrEnum):
    """What an offline gate does with a counted pass that is bound to no gate (离线计次策略).

    REFUSE: the guard decides, and no pass is ever used more often than it allows. COUNT: each gate
    counts for itself, at worst the allowed uses at every gate.
    """

    REFUSE = "refuse"
    COUNT = "count"


@dataclass(frozen=True, slots=True, kw_only=True)
class GateSettings:
    """The gate's community and own number, its policies, and the community's screen key.

    Without a screen key the moving part of a code is not looked at; ValueError where it is required.
    """

    community: int
    number: int
    unbound: Unbound = Unbound.REFUSE
    screen_required: bool = False
    screen_key: bytes | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.screen_required and self.screen_key is None:
            raise ValueError("a gate that requires moving codes needs the screen key")


def read(
    text: str, keys: Mapping[bytes, Ed25519PublicKey], now: int, community: int, gate: int | None = None
) -> Seen:
    """Steps one to six, the same online and offline; `now` in epoch seconds, `gate` None for any gate.

    Refused with the reason; anything may be passed as text.
    """
    shown = texts.read(text)
    envelope = cose.parse(shown.message)
    context = envelope.check(keys, *_contexts(envelope.payload, shown.screen))
    if context == cose.CODE:
        code = CodeClaims.from_cbor(envelope.payload)
        return _admissible(Seen(Kind.RESIDENT, code, None), now, community, gate)
    claims = PassClaims.from_cbor(envelope.payload)
    return _admissible(Seen(Kind.VISITOR, claims, shown.screen), now, community, gate)


def _contexts(payload: bytes, screen: texts.Screen | None) -> tuple[bytes, ...]:
    # only four claims can be a resident's code: any other map is tried as a pass alone, in one verification
    if screen is None and payload[:1] == bytes((_MAP_OF_FOUR,)):
        return cose.CODE, cose.PASS
    return (cose.PASS,)


def _admissible(seen: Seen, now: int, community: int, gate: int | None) -> Seen:
    claims = seen.claims
    gates = claims.gates if isinstance(claims, PassClaims) else None
    if claims.community != community:
        reason = Reason.OTHER_COMMUNITY
    elif None not in (gate, gates) and gate not in (gates or ()):
        reason = Reason.OTHER_GATE
    elif now < claims.not_before - TOLERANCE_SECONDS:
        reason = Reason.NOT_YET
    elif now >= claims.expires_at + TOLERANCE_SECONDS:
        reason = Reason.EXPIRED
    else:
        return seen
    raise Refused(reason, seen.kind, claims.id)


class Gate:
    """One gate and its folder; any number of threads and processes may hold a Gate on the same folder.

    `keys` are the server's public keys by key id. `open_gate` starts the relay and returns at once:
    it runs while the lock is held, after the use is on disk. Where it raises, the use stays spent.
    """

    def __init__(
        self,
        folder: Path,
        settings: GateSettings,
        keys: Mapping[bytes, Ed25519PublicKey],
        open_gate: Callable[[], None],
    ) -> None:
        self.settings, self.keys, self._open_gate = settings, keys, open_gate
        self._folder = Folder(folder)
        self._floor = ClockFloor(self._folder)
        self._revocations = revocations.RevocationList(self._folder, settings.community)
        self._journal, self._events = Journal(self._folder), EventQueue(self._folder)

    def admit(self, text: str, now: int, id: bytes | None = None) -> Verdict:
        """Decide, open, record. `now` is the gate's own clock in epoch seconds; `id` (16 bytes) that of a
        scan to which the server gave no answer, so that it can tell the two as one.

        Never raises for what was shown, nor for a disk that fails (NOT_RECORDED).
        """
        try:
            with self._folder.locked():
                self._refresh()
                verdict = self._decide(text, now)
                if verdict.opens:
                    self._open_gate()
                self._queue(verdict, now, id)
                return verdict
        except DiskFailed:
            return Verdict(Reason.NOT_RECORDED)

    def apply(self, delta: bytes) -> None:
        """Take a revocation delta; Refused leaves the list as it was, DiskFailed where it cannot be kept."""
        made = revocations.read(delta, self.keys)
        with self._folder.locked():
            self._refresh()
            floor = max(self._floor.seconds, made.issued_at)
            self._revocations.apply(made, floor - TOLERANCE_SECONDS)
            self._floor.rise(made.issued_at)
            self._journal.compact(floor)

    def saw(self, signed_at: int) -> None:
        """Raise the clock floor to a time that the server signed elsewhere, such as a door command's."""
        with self._folder.locked():
            self._refresh()
            self._floor.rise(signed_at)

    def used_online(self, id: bytes, kind: Kind, expires_at: int, now: int) -> None:
        """Count a use that the server admitted here, so that going offline does not give it back."""
        with self._folder.locked():
            self._refresh()
            self._journal.record(Use(id, kind, expires_at + TOLERANCE_SECONDS, now, 0))

    def list_sequence(self) -> int:
        """The sequence after which the next delta must begin."""
        with self._folder.locked():
            self._refresh()
            return self._revocations.sequence

    def waiting(self, most: int = 500) -> list[Event]:
        """The oldest events that the server has not confirmed, in their order."""
        with self._folder.locked():
            self._refresh()
            return self._events.waiting[:most]

    def confirm(self, up_to: int) -> None:
        """Forget the events that the server has, up to this sequence and including it."""
        with self._folder.locked():
            self._refresh()
            self._events.confirm(up_to)

    def _refresh(self) -> None:
        self._floor.refresh()
        self._revocations.refresh()
        self._journal.refresh()
        self._events.refresh()
        last = self._journal.last
        # killed between the use and its event: the use was spent, so the server has to hear of it
        if last is not None and last.sequence > self._events.last_sequence:
            self._events.add(last.sequence, last.kind, last.id, last.at, Reason.OK)

    def _decide(self, text: str, now: int) -> Verdict:
        time = max(now, self._floor.seconds, self._revocations.issued_at)
        try:
            seen = read(text, self.keys, time, self.settings.community, self.settings.number)
            if isinstance(seen.claims, PassClaims):
                self._check_screen(seen, time)
                self._check_revocation(seen.claims.id, now, time)
            self._spend(seen, now)
        except Refused as refused:
            return Verdict(refused.reason, refused.kind, refused.id)
        return Verdict(Reason.OK, seen.kind, seen.claims.id)

    def _check_screen(self, seen: Seen, time: int) -> None:
        key, screen, id = self.settings.screen_key, seen.screen, seen.claims.id
        if screen is None:
            if self.settings.screen_required:
                raise Refused(Reason.SCREEN_REQUIRED, seen.kind, id)
        elif key is not None:
            if not screens.is_genuine(key, id, screen.timestamp, screen.mac):
                raise Refused(Reason.SCREEN_WRONG, seen.kind, id)
            if not screens.is_fresh(screen.timestamp, time):
                raise Refused(Reason.SCREEN_STALE, seen.kind, id)

    def _check_revocation(self, id: bytes, now: int, time: int) -> None:
        if id in self._revocations:
            raise Refused(Reason.REVOKED, Kind.VISITOR, id)
        # a clock far below the floor cannot tell how old the list is
        if time - self._revocations.issued_at > LIST_SECONDS or time - now > CLOCK_SECONDS:
            raise Refused(Reason.LIST_STALE, Kind.VISITOR, id)

    def _spend(self, seen: Seen, now: int) -> None:
        claims = seen.claims
        if isinstance(claims, PassClaims) and not self._counts(claims):
            raise Refused(Reason.BOUND_ELSEWHERE, seen.kind, claims.id)
        allowed = claims.uses if isinstance(claims, PassClaims) else 1
        if allowed is None:
            return
        if self._journal.uses(claims.id) >= allowed:
            raise Refused(Reason.USED_UP, seen.kind, claims.id)
        until, sequence = claims.expires_at + TOLERANCE_SECONDS, self._events.last_sequence + 1
        try:
            self._journal.record(Use(claims.id, seen.kind, until, now, sequence))
        except DiskFailed:
            raise Refused(Reason.NOT_RECORDED, seen.kind, claims.id) from None

    def _counts(self, claims: PassClaims) -> bool:
        if claims.bound_gate is not None:
            return claims.bound_gate == self.settings.number
        return claims.uses is None or self.settings.unbound is Unbound.COUNT

    def _queue(self, verdict: Verdict, now: int, id: bytes | None) -> None:
        # what has opened has opened: an event that cannot be kept changes no verdict
        with suppress(DiskFailed):
            sequence = self._events.last_sequence + 1
            self._events.add(sequence, verdict.kind, verdict.id, now, verdict.reason, id=id)
