"""Gates: one verification, scans through the signed API, a revocation on its way to gates that wait for it.

API, gates and the one who revokes are two processes on this machine: the gates' side signs and verifies as
gate computers do, and its work is in the times.
"""

from __future__ import annotations

import asyncio
import base64
import secrets
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import httpx
import orjson

from api.processes import prepared
from api.settings import Settings
from domains.access import signing, sql
from domains.access.community import rules_of
from domains.access.gate import base45, cose, revocations, verifier
from domains.access.service import texts
from domains.kernel import clock, database, live
from domains.kernel.ids import uuid7
from tests.bench.figures import Figures
from tests.bench.paired import Side, cpu_ratio, microseconds, take_turns, wall_ratio
from tests.bench.processes import Program, launched
from tests.factories import access, gates, residents
from tests.factories.gates import Post
from tests.factories.residents import Scene
from tests.journeys.instance import free_port

GATES, REVOCATIONS, PAUSE_S = 50, 10, 0.8
ROUNDS, SCANS, AT_ONCE = 5, 40, 8
GOAL_RATIO, GOAL_S = 2.0, 5.0


@dataclass(frozen=True, slots=True)
class Line:
    """A gate's line to the server."""

    http: httpx.AsyncClient
    post: Post

    async def ask(self, method: str, path: str, content: object = None) -> httpx.Response:
        """A signed request that is accepted."""
        target, body = f"/device/v1/gate/{path}", b"" if content is None else orjson.dumps(content)
        headers = self.post.signer.headers(method, target, body)
        answer = await self.http.request(method, target, content=body, headers=headers)
        return answer.raise_for_status()


async def measure(figures: Figures, home: Path) -> None:
    """All three, over private servers below `home`, which are made anew."""
    async with prepared(Settings(home=home)):
        with launched(home, free_port(), "tests.bench.telling", "api") as program:
            scene = await residents.scene()
            posts = [await gates.post(scene.compound_id, f"门{n}") for n in range(GATES)]
            await _verification(figures, scene)
            limits = httpx.Limits(max_connections=None)
            async with httpx.AsyncClient(base_url=program.url, timeout=60, limits=limits) as http:
                lines = [Line(http, post) for post in posts]
                await _scans(figures, program, scene, lines)
                await _revocations(figures, scene, lines)


async def _verification(figures: Figures, scene: Scene) -> None:
    text = await texts.text_of(await access.visitor_pass(scene.compound_id, scene.house_id))
    assert text is not None
    keys, now = await signing.public_keys(), int(time.time())
    community = (await rules_of(scene.compound_id)).number
    envelope = cose.parse(base45.decode(text[4:]))
    key, signed = keys[envelope.kid], _signed_bytes(envelope)
    bare = await microseconds(lambda: key.verify(envelope.signature, signed))
    whole = await microseconds(lambda: verifier.read(text, keys, now, community))
    figures.add("a pass verified, on one core", f"{whole:.0f} µs")
    ratio = whole / bare
    figures.add(
        "… against the bare Ed25519 verification",
        f"{ratio:.2f} × {bare:.0f} µs",
        f"≤ {GOAL_RATIO:.0f} ×",
        ratio <= GOAL_RATIO,
    )


def _signed_bytes(envelope: cose.Envelope) -> bytes:
    protected = b"\xa2\x01\x27\x04\x44" + envelope.kid
    parts = [b"\x84\x6aSignature1\x49", protected, b"\x4alinli:pass\x58", bytes([len(envelope.payload)])]
    return b"".join([*parts, envelope.payload])


async def _scans(figures: Figures, program: Program, scene: Scene, lines: Sequence[Line]) -> None:
    text = await texts.text_of(
        await access.visitor_pass(scene.compound_id, scene.house_id, uses_allowed=None)
    )
    shown = [await texts.text_of(await access.visitor_pass(scene.compound_id, scene.house_id)) for _ in lines]
    turn = iter(range(10**6))

    async def scan() -> None:
        body = {"id": secrets.token_hex(16), "shown": text}
        answer = await lines[next(turn) % GATES].ask("POST", "scan", body)
        assert answer.json()["admit"]

    async def keys() -> None:
        await lines[next(turn) % GATES].ask("GET", "keys")

    sides = [Side(scan, program.cpu), Side(keys, program.cpu)]
    scans, plain = await take_turns(sides, rounds=ROUNDS, times=SCANS // 2)
    figures.add("a scan through the signed API", str(scans))
    figures.add(
        "… against a signed request that reads three rows",
        f"{wall_ratio(scans, plain):.2f} ×, CPU {cpu_ratio(scans, plain):.2f} ×",
    )
    began = time.perf_counter()
    await asyncio.gather(*(_each(lines[n::AT_ONCE], shown[n::AT_ONCE]) for n in range(AT_ONCE)))
    spent = time.perf_counter() - began
    figures.add(f"scans a second in one process, {AT_ONCE} gates at a time", f"{len(lines) / spent:.0f}/s")


async def _each(lines: Sequence[Line], shown: Sequence[str | None]) -> None:
    for line, text in zip(lines, shown, strict=True):
        answer = await line.ask("POST", "scan", {"id": secrets.token_hex(16), "shown": text})
        assert answer.json()["admit"]


async def _revocations(figures: Figures, scene: Scene, lines: Sequence[Line]) -> None:
    committed: dict[int, float] = {}
    waits: list[float] = []
    keys = await signing.public_keys()

    async def follow(line: Line) -> None:
        after = 0
        while after < REVOCATIONS:
            told = (await line.ask("GET", f"revocations?after={after}&wait=25")).json()
            assert revocations.read(base64.b64decode(told["delta"]), keys).up_to == told["upTo"]
            heard = time.perf_counter()
            waits.extend(heard - committed[n] for n in range(after + 1, told["upTo"] + 1))
            after = told["upTo"]

    following = [asyncio.create_task(follow(line)) for line in lines]
    for number in range(1, REVOCATIONS + 1):
        await asyncio.sleep(PAUSE_S)
        committed[number] = time.perf_counter()
        await _revoke(scene.compound_id)
    await asyncio.gather(*following)
    assert len(waits) == GATES * REVOCATIONS
    cuts = statistics.quantiles(waits, n=100)
    name = f"revocation to {GATES} waiting gates: p99"
    figures.add(name, f"{cuts[98] * 1000:.0f} ms", f"≤ {GOAL_S:.0f} s", cuts[98] <= GOAL_S)
    figures.add("… p50, worst", f"{cuts[49] * 1000:.0f} ms, {max(waits) * 1000:.0f} ms")


async def _revoke(compound_id: UUID) -> None:
    now = clock.now()
    async with database.transaction():
        await database.execute(sql.REVOKE, uuid7(), compound_id, uuid7(), now + timedelta(hours=2), now)
        await live.wake([f"revocations:{compound_id}"])
