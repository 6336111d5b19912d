"""The gates' HTTP API: signed, strict about what it reads, and the same decisions as the service."""

from __future__ import annotations

import base64
import secrets
from collections.abc import AsyncIterator
from time import time

import httpx
import pytest

from domains.access import signing
from domains.access.community import rules_of
from domains.access.gate import revocations
from domains.access.models import AccessRecord, ResidentCode
from domains.kernel import clock, database
from domains.residents.models import Occupancy
from schema.relay import encode
from tests.api.access.gatehouse import call, http
from tests.api.identity.clients import Api, codes
from tests.factories import gates, identity, residents
from tests.factories.gates import records, visit
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")
RUBBISH = [
    b"", b"\x00\xff\xfe", b"[]", b"null", b"{", b'{"id": 1}', b"9" * 60_000, b'{"shown": "RC1:"}', b"[" * 30_000,
]  # fmt: skip


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with http() as made:
        yield made


async def test_a_scan_says_whether_why_and_whom(scene: Scene, client: httpx.AsyncClient) -> None:
    post = await gates.post(scene.compound_id)
    pass_id, text = await gates.text(scene.compound_id, scene.house_id)
    body = {"id": secrets.token_hex(16), "shown": text, "direction": "in"}
    first, again = [await call(client, post, "POST", "scan", body) for _ in range(2)]
    assert (first.status_code, first.json()) == (200, again.json())
    ends_at = int((await visit(pass_id)).ends_at.timestamp())
    assert first.json() == {
        "admit": True, "reason": "OK", "message": {"zh": "请通行", "en": "Please come in"},
        "guest": {"name": "王来访", "companions": 0, "plate": "", "house": "1号楼1单元101"},
        "spent": {"id": pass_id.hex, "kind": "visitor", "expiresAt": ends_at},
    }  # fmt: skip
    refused = (await call(client, post, "POST", "scan", body | {"id": secrets.token_hex(16)})).json()
    assert (refused["admit"], refused["reason"], refused["spent"]) == (False, "USED_UP", None)
    assert (await visit(pass_id)).uses == 1


@pytest.mark.parametrize("body", RUBBISH)
@pytest.mark.parametrize("path", ["scan", "events"])
async def test_rubbish_is_refused_and_leaves_nothing(
    scene: Scene, client: httpx.AsyncClient, path: str, body: bytes
) -> None:
    post = await gates.post(scene.compound_id)
    answer = await call(client, post, "POST", path, body)
    assert (answer.status_code, answer.json()["code"]) == (400, "BAD_REQUEST")
    assert await records(post.door_id) == []


@pytest.mark.parametrize(
    "change",
    [
        {"id": "zz"}, {"id": "A" * 32}, {"shown": 5}, {"shown": "x" * 5000}, {"direction": "up"}, {"more": 1},
        {"shown": None},
    ],
)  # fmt: skip
async def test_a_scan_in_another_form(
    scene: Scene, client: httpx.AsyncClient, change: dict[str, object]
) -> None:
    post = await gates.post(scene.compound_id)
    body = {"id": secrets.token_hex(16), "shown": "RC1:", "direction": "in"} | change
    answer = await call(client, post, "POST", "scan", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "BAD_REQUEST")
    assert await records(post.door_id) == []


def event(sequence: int = 1, **change: object) -> dict[str, object]:
    """An event in the form that counts, but for the change."""
    plain = {
        "sequence": sequence,
        "id": secrets.token_hex(16),
        "kind": None,
        "shown": None,
        "at": int(time()),
    }
    return {**plain, "reason": "NOT_A_PASS", **change}


@pytest.mark.parametrize(
    "events",
    [
        [], [event(n) for n in range(1, 502)], [event(0)], [event(-1)], [event(2**63)], [event(at=-1)],
        [event(at=2**40)], [event(at=1.5)], [event(at="1")], [event(reason="opened")], [event(reason="OK\n")],
        [event(kind="staff")], [event(shown="5")], [event(id=7)], [event(extra=1)], ["event"], {"sequence": 1},
    ],
)  # fmt: skip
async def test_events_in_another_form(scene: Scene, client: httpx.AsyncClient, events: object) -> None:
    post = await gates.post(scene.compound_id)
    answer = await call(client, post, "POST", "events", {"events": events})
    assert (answer.status_code, answer.json()["code"]) == (400, "BAD_REQUEST")
    assert await records(post.door_id) == []


async def test_events_are_taken_once(scene: Scene, client: httpx.AsyncClient) -> None:
    post = await gates.post(scene.compound_id)
    body = {"events": [event(1), event(4)]}
    answers = [(await call(client, post, "POST", "events", body)).json() for _ in range(2)]
    assert answers == [
        {"upTo": 4, "repeated": 0, "gaps": [[2, 3]]}, {"upTo": 4, "repeated": 2, "gaps": [[2, 3]]},
    ]  # fmt: skip
    assert len(await records(post.door_id)) == 2


async def test_a_part_of_three_hundred_fits(scene: Scene, client: httpx.AsyncClient) -> None:
    post = await gates.post(scene.compound_id)
    whole = {"kind": "resident", "shown": "f" * 32, "reason": "BOUND_ELSEWHERE", "direction": "unknown"}
    events = [event(2**62 + n, **whole) for n in range(300)]
    answer = await call(client, post, "POST", "events", {"events": events})
    assert (answer.status_code, len(await records(post.door_id))) == (200, 300)


async def test_who_does_not_sign_or_has_no_key_gets_nowhere(scene: Scene, client: httpx.AsyncClient) -> None:
    post = await gates.post(scene.compound_id)
    pass_id, text = await gates.text(scene.compound_id, scene.house_id)
    body = {"id": secrets.token_hex(16), "shown": text}
    unsigned = await client.post("/device/v1/gate/scan", json=body)
    await database.execute("UPDATE device_key SET revoked_at = now() WHERE device_id = $1", post.device_id)
    keyless = await call(client, post, "POST", "scan", body)
    assert [each.status_code for each in (unsigned, keyless)] == [401, 401]
    assert keyless.json()["code"] == "KEY_UNKNOWN"
    assert (await visit(pass_id)).uses == 0
    assert await AccessRecord.filter(door_id=post.door_id).count() == 0


async def test_a_device_that_is_no_door(scene: Scene, client: httpx.AsyncClient) -> None:
    post = await gates.post(scene.compound_id)
    await database.execute("UPDATE door SET removed_at = now() WHERE id = $1", post.door_id)
    for method, path in (("GET", "keys"), ("GET", "revocations?after=0")):
        answer = await call(client, post, method, path)
        assert (answer.status_code, answer.json()["code"]) == (404, "GATE_UNKNOWN")


async def test_keys(scene: Scene, client: httpx.AsyncClient) -> None:
    post = await gates.post(scene.compound_id, needs_screen=True)
    answer = await call(client, post, "GET", "keys")
    told, rules = answer.json(), await rules_of(scene.compound_id)
    assert answer.headers["cache-control"] == "no-store"
    assert (told["community"], told["gate"], told["screenKey"]) == (rules.number, 1, rules.screen_key.hex())
    assert (await signing.signer()).kid.hex() in told["keys"]
    assert abs(told["now"] / 1000 - clock.now().timestamp()) < 5


async def test_revocations(scene: Scene, client: httpx.AsyncClient) -> None:
    post = await gates.post(scene.compound_id)
    told = (await call(client, post, "GET", "revocations?after=0&wait=0")).json()
    delta = revocations.read(base64.b64decode(told["delta"]), await signing.public_keys())
    assert (told["upTo"], told["more"], delta.up_to) == (0, False, 0)
    unknown = await call(client, post, "GET", "revocations?after=7")
    assert (unknown.status_code, unknown.json()["code"], unknown.json()["upTo"]) == (409, "LIST_UNKNOWN", 0)


@pytest.mark.parametrize(
    "query", ["", "?after=-1", "?after=x", "?after=1&wait=26", "?after=1&x=1", f"?after={2**63}"]
)
async def test_revocations_asked_for_in_another_form(
    scene: Scene, client: httpx.AsyncClient, query: str
) -> None:
    post = await gates.post(scene.compound_id)
    answer = await call(client, post, "GET", f"revocations{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "BAD_REQUEST")


CODE = "query Code($house: ID!) { residentCode(house: $house) { text expiresAt } }"
CALLERS = {
    "owner": True,
    "family": True,
    "tenant": True,
    "neighbour": False,
    "stranger": False,
    "staff": False,
}


async def token_of(scene: Scene, who: str) -> str | None:
    """Somebody who signed in; nobody has no token."""
    if who == "nobody":
        return None
    if who == "staff":
        place = await identity.places()
        return await identity.token(await identity.staff(place, ["doors.open"]))
    account_id = await identity.resident() if who == "stranger" else getattr(scene, who).account_id
    return await identity.token(account_id)


async def test_a_resident_s_code_from_the_phone_opens_the_gate(
    api: Api, scene: Scene, client: httpx.AsyncClient
) -> None:
    post = await gates.post(scene.compound_id)
    asked = await api.ask(CODE, {"house": encode("House", scene.house_id)}, await token_of(scene, "family"))
    body = {"id": secrets.token_hex(16), "shown": asked["data"]["residentCode"]["text"]}
    answer = (await call(client, post, "POST", "scan", body)).json()
    assert (answer["admit"], answer["guest"], answer["spent"]["kind"]) == (True, None, "resident")


@pytest.mark.parametrize("who", [*CALLERS, "nobody"])
async def test_who_gets_a_code(api: Api, scene: Scene, who: str) -> None:
    before = await ResidentCode.all().count()
    asked = await api.ask(CODE, {"house": encode("House", scene.house_id)}, await token_of(scene, who))
    if CALLERS.get(who):
        assert asked["data"]["residentCode"]["text"].startswith("RC1:")
    else:
        assert codes(asked) == ["UNAUTHENTICATED" if who == "nobody" else "FORBIDDEN"]
    assert await ResidentCode.all().count() == before + CALLERS.get(who, False)


async def test_somebody_whose_occupancy_ended_gets_no_code(api: Api, scene: Scene) -> None:
    token = await token_of(scene, "tenant")
    await Occupancy.filter(pk=scene.tenant.occupancy_id).update(ended_at=clock.now(), end_reason="退租")
    asked = await api.ask(CODE, {"house": encode("House", scene.house_id)}, token)
    assert codes(asked) == ["FORBIDDEN"]
