"""Photos of people and vehicles: who may set and see them, and what is left in the file store."""

from __future__ import annotations

import asyncio
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from api.settings import Settings
from api.wiring import JOBS
from domains.estate.models import Compound
from domains.kernel import clock, database, files
from domains.kernel.storage.local import LocalStorage
from domains.residents import permissions
from domains.residents.models import Person, Vehicle
from domains.residents.queries import people, photos
from domains.residents.service import vehicles
from schema.relay import encode
from tests.api.identity.clients import Api, codes
from tests.factories import identity, residents
from tests.factories.residents import CALLERS, EVERYTHING, Scene

pytestmark = pytest.mark.usefixtures("instance")

JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 64
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 64
WEBP = b"RIFF\x00\x10\x00\x00WEBPVP8 " + bytes(256)
SHOWN = "photo { address contentType expiresAt }"
KINDS = ("person", "vehicle")
Json = Any  # the JSON of a response has any shape


@dataclass(frozen=True, slots=True)
class Shot:
    """A scene with a car of the owner's house, and a token for each kind of caller."""

    scene: Scene
    vehicle_id: UUID
    tokens: dict[str, str | None]

    def id(self, kind: str) -> UUID:
        """The owner, or the car."""
        return self.scene.owner.person_id if kind == "person" else self.vehicle_id

    async def key(self, kind: str) -> str | None:
        """What the row says now."""
        if kind == "person":
            return (await Person.get(pk=self.scene.owner.person_id)).photo_key
        return (await Vehicle.get(pk=self.vehicle_id)).photo_key


async def _tokens(scene: Scene) -> dict[str, str | None]:
    company = (await Compound.get(pk=scene.compound_id).select_related("company")).company.name
    writing = [permission for permission in EVERYTHING if permission != permissions.WRITE]
    staff = {
        "staff": await identity.staff(company, EVERYTHING),
        "staff without": await identity.staff(company, writing),
        "staff elsewhere": await identity.staff(
            company, EVERYTHING, scope="compound", place_id=scene.other_compound_id
        ),
        "staff of another building": await identity.staff(
            company, EVERYTHING, scope="building", place_id=scene.other_building_id
        ),
    }
    living = {name: getattr(scene, name).account_id for name in ("owner", "family", "tenant", "neighbour")}
    accounts = {**staff, **living, "stranger": await identity.resident()}
    return {"nobody": None, **{name: await identity.token(id) for name, id in accounts.items()}}


@pytest.fixture(scope="module")
async def shot(instance: object) -> Shot:
    """One for the whole module: every test begins by setting what it needs."""
    assert instance is not None
    scene = await residents.scene()
    owner = await residents.resident(scene.owner.account_id)
    car = await vehicles.register_vehicle(owner, house_id=scene.house_id, kind="car", plate="浙A12345")
    return Shot(scene, car, await _tokens(scene))


@pytest.fixture(autouse=True)
async def no_photos(shot: Shot) -> None:
    """Every test starts without any."""
    for kind in KINDS:
        key = await shot.key(kind)
        if key is not None:
            await files.storage().delete(key)
    await Person.filter(pk=shot.scene.owner.person_id).update(photo_key=None)
    await Vehicle.filter(pk=shot.vehicle_id).update(photo_key=None)


@pytest.fixture
def folder(settings: Settings) -> Path:
    """The file store's own."""
    return settings.home / "files"


def stored(folder: Path) -> int:
    """Files in the store, half-written ones included."""
    return sum(path.is_file() for path in folder.rglob("*"))


async def put(
    api: Api, shot: Shot, kind: str, caller: str, content: bytes | None = JPEG, declared: str = "image/jpeg"
) -> Json:
    """The whole answer to setting a photo, or to removing it without a content."""
    name = f"set{kind.title()}Photo"
    call = f"{name}(input: $input) {{ {SHOWN} errors {{ code field }} }}"
    query = f"mutation($input: {name[0].upper()}{name[1:]}Input!) {{ {call} }}"
    variables = {"input": {kind: encode(kind.title(), shot.id(kind)), "file": None}}
    token = shot.tokens[caller]
    if content is None:
        return await api.ask(query, variables, token)
    fields = {
        "operations": json.dumps({"query": query, "variables": variables}),
        "map": '{"0": ["variables.input.file"]}',
    }
    headers = {"x-requested-with": "linli"} | ({"authorization": f"Bearer {token}"} if token else {})
    sent = {"0": ("photo.jpg", content, declared)}
    return (await api.http.post("/graphql", data=fields, files=sent, headers=headers)).json()


async def set_(api: Api, shot: Shot, kind: str, caller: str = "owner", content: bytes | None = JPEG) -> Json:
    """The payload of a photo that is set; nothing may go wrong."""
    answer = await put(api, shot, kind, caller, content)
    assert "errors" not in answer, answer
    [payload] = answer["data"].values()
    assert payload["errors"] == []
    return payload


async def fetch(api: Api, address: str, token: str | None) -> tuple[int, bytes]:
    """What an address gives to whom."""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    response = await api.http.get(address, headers=headers)
    return response.status_code, response.content


def business(answer: Json) -> list[dict[str, object]]:
    """The refusals in the payload."""
    assert "errors" not in answer, answer
    [payload] = answer["data"].values()
    assert payload["photo"] is None
    return list(payload["errors"])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("content", "type_"), [(JPEG, "jpeg"), (PNG, "png"), (WEBP, "webp")])
async def test_a_photo_opens_for_the_caller_alone(
    api: Api, shot: Shot, kind: str, content: bytes, type_: str
) -> None:
    photo = (await set_(api, shot, kind, content=content))["photo"]
    assert photo["contentType"] == f"image/{type_}"
    assert await fetch(api, photo["address"], shot.tokens["owner"]) == (200, content)
    for other in ("family", "neighbour", "staff", "nobody"):
        status, body = await fetch(api, photo["address"], shot.tokens[other])
        assert (status, content in body) == (403 if shot.tokens[other] else 401, False)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("caller", CALLERS)
async def test_who_may_set_a_photo(api: Api, shot: Shot, folder: Path, kind: str, caller: str) -> None:
    allowed = {"person": {"owner", "staff"}, "vehicle": {"owner", "family", "tenant", "staff"}}[kind]
    if caller in allowed:
        assert (await set_(api, shot, kind, caller))["photo"] is not None
        assert await shot.key(kind) is not None
        return
    for content in (JPEG, None):
        await set_(api, shot, kind)
        key, before, files_before = await shot.key(kind), await residents.fingerprint(), stored(folder)
        answer = await put(api, shot, kind, caller, content)
        assert codes(answer) == ["FORBIDDEN" if shot.tokens[caller] else "UNAUTHENTICATED"]
        assert (await shot.key(kind), await residents.fingerprint(), stored(folder)) == (
            key,
            before,
            files_before,
        )


async def _person_seen(api: Api, shot: Shot, caller: str) -> Json:
    query = f"query($id: ID!) {{ node(id: $id) {{ ... on Person {{ {SHOWN} }} }} }}"
    variables = {"id": encode("Person", shot.scene.owner.person_id)}
    return (await api.ask(query, variables, shot.tokens[caller]))["data"]["node"]


async def test_a_persons_photo_is_seen_by_the_person_and_by_staff_who_reveal(api: Api, shot: Shot) -> None:
    await set_(api, shot, "person")
    profiles = f"{{ viewer {{ profiles {{ id {SHOWN} }} }} }}"
    audited = len(await residents.audited("resident.read_photo", shot.scene.compound_id))
    [own] = (await api.ask(profiles, token=shot.tokens["owner"]))["data"]["viewer"]["profiles"]
    assert own["id"] == encode("Person", shot.scene.owner.person_id)
    assert await fetch(api, own["photo"]["address"], shot.tokens["owner"]) == (200, JPEG)
    assert len(await residents.audited("resident.read_photo", shot.scene.compound_id)) == audited
    [family] = (await api.ask(profiles, token=shot.tokens["family"]))["data"]["viewer"]["profiles"]
    assert family["photo"] is None
    seen = await _person_seen(api, shot, "staff")
    assert await fetch(api, seen["photo"]["address"], shot.tokens["staff"]) == (200, JPEG)
    assert len(await residents.audited("resident.read_photo", shot.scene.compound_id)) == audited + 1
    for caller in set(CALLERS) - {"staff", "staff without"}:
        assert await _person_seen(api, shot, caller) is None


async def test_who_may_not_reveal_sees_no_photo_of_a_person(api: Api, shot: Shot) -> None:
    await set_(api, shot, "person")
    person_id = shot.scene.owner.person_id
    clerk = shot.scene.staff(permissions.READ, permissions.WRITE)
    assert (await people.by_id(clerk, [person_id])).keys() == {person_id}
    assert await photos.of_people(clerk, [person_id]) == {}
    for caller in set(CALLERS) - {"owner", "staff", "nobody"}:
        assert (
            await photos.of_people(
                await residents.caller(shot.scene, caller, permissions.REVEAL), [person_id]
            )
            == {}
        )


async def test_a_revealed_record_has_the_photo(api: Api, shot: Shot) -> None:
    await set_(api, shot, "person")
    answer = await api.run(
        "revealResident", "RevealResidentInput", f"details {{ {SHOWN} }}", shot.tokens["staff"],
        resident=encode("Person", shot.scene.owner.person_id), reason="核对门禁照片",
    )  # fmt: skip
    assert await fetch(api, answer["details"]["photo"]["address"], shot.tokens["staff"]) == (200, JPEG)


@pytest.mark.parametrize("caller", CALLERS)
async def test_a_vehicles_photo_is_seen_where_the_vehicle_is(api: Api, shot: Shot, caller: str) -> None:
    await set_(api, shot, "vehicle")
    query = f"query($id: ID!) {{ node(id: $id) {{ ... on Vehicle {{ {SHOWN} }} }} }}"
    token = shot.tokens[caller]
    node = (await api.ask(query, {"id": encode("Vehicle", shot.vehicle_id)}, token))["data"]["node"]
    if caller not in {"owner", "family", "tenant", "staff", "staff without"}:
        assert node is None
        return
    assert await fetch(api, node["photo"]["address"], token) == (200, JPEG)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "content",
    [
        b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        b"<!doctype html><script>alert(1)</script>",
        b"MZ\x90\x00" + bytes(200),
        b"GIF89a" + bytes(200),
        b"\x00\x00\x00\x18ftypheic" + bytes(200),
        b"%PDF-1.7\n" + bytes(200),
        b"",
    ],
    ids=["svg", "html", "exe", "gif", "heic", "pdf", "empty"],
)
async def test_what_is_no_photo_is_refused_by_its_content(
    api: Api, shot: Shot, folder: Path, kind: str, content: bytes
) -> None:
    before = (stored(folder), await residents.fingerprint())
    for declared in ("image/jpeg", "application/octet-stream", "text/html"):
        answer = await put(api, shot, kind, "owner", content, declared)
        assert business(answer) == [{"code": "FILE_TYPE_REFUSED", "field": ["file"]}]
    assert (stored(folder), await residents.fingerprint()) == before


async def test_five_megabytes_and_no_more(api: Api, shot: Shot, folder: Path) -> None:
    limit = 5 * 1024 * 1024
    before = stored(folder)
    answer = await put(api, shot, "person", "owner", JPEG.ljust(limit + 1, b"\0"))
    assert business(answer) == [{"code": "FILE_TOO_LARGE", "field": ["file"]}]
    assert (stored(folder), await shot.key("person")) == (before, None)
    await set_(api, shot, "person", content=JPEG.ljust(limit, b"\0"))


@pytest.mark.parametrize("kind", KINDS)
async def test_replacing_and_removing_delete_the_old_file(
    api: Api, shot: Shot, folder: Path, kind: str
) -> None:
    none = stored(folder)
    first = (await set_(api, shot, kind))["photo"]
    second = (await set_(api, shot, kind, content=PNG))["photo"]
    assert stored(folder) == none + 1
    assert (await fetch(api, first["address"], shot.tokens["owner"]))[0] == 404
    assert await fetch(api, second["address"], shot.tokens["owner"]) == (200, PNG)
    assert (await set_(api, shot, kind, content=None))["photo"] is None
    assert (stored(folder), await shot.key(kind)) == (none, None)
    assert (await fetch(api, second["address"], shot.tokens["owner"]))[0] == 404


@pytest.mark.parametrize("kind", KINDS)
async def test_of_many_at_once_one_file_stays(api: Api, shot: Shot, folder: Path, kind: str) -> None:
    none = stored(folder)
    await asyncio.gather(*(set_(api, shot, kind, caller) for caller in ("owner", "staff") * 4))
    assert stored(folder) == none + 1
    assert (await files.storage().stat(await shot.key(kind) or "")).size == len(JPEG)


@pytest.mark.parametrize(
    ("kind", "action"), [("person", "resident.set_photo"), ("vehicle", "vehicle.set_photo")]
)
async def test_setting_a_photo_is_audited(api: Api, shot: Shot, kind: str, action: str) -> None:
    before = len(await residents.audited(action, shot.scene.compound_id))
    await set_(api, shot, kind, "staff")
    await put(api, shot, kind, "staff of another building")
    done, refused = (await residents.audited(action, shot.scene.compound_id))[before:]
    assert [done["outcome"], refused["outcome"]] == ["done", "refused"]
    assert done["subject_id"] == refused["subject_id"] == shot.id(kind)


async def test_what_does_not_exist(api: Api, shot: Shot, folder: Path) -> None:
    before = stored(folder)
    gone = Shot(shot.scene, shot.scene.compound_id, shot.tokens)
    answer = await put(api, gone, "vehicle", "owner")
    assert business(answer) == [{"code": "VEHICLE_NOT_FOUND", "field": ["vehicle"]}]
    wrong = {"person": encode("Person", shot.scene.compound_id), "file": None}
    answer = await api.run("setPersonPhoto", "SetPersonPhotoInput", SHOWN, shot.tokens["owner"], **wrong)
    assert answer["errors"] == [{"code": "RESIDENT_NOT_FOUND", "field": ["person"]}]
    wrong["person"] = encode("Vehicle", shot.vehicle_id)
    answer = await api.run("setPersonPhoto", "SetPersonPhotoInput", SHOWN, shot.tokens["owner"], **wrong)
    assert answer["errors"] == [{"code": "BAD_ID", "field": ["person"]}]
    assert stored(folder) == before


async def test_a_list_with_photos_costs_the_same_however_long(api: Api, shot: Shot) -> None:
    query = f"query($c: ID!) {{ residents(compound: $c) {{ nodes {{ {SHOWN} }} }} }}"
    variables, token = {"c": encode("Compound", shot.scene.compound_id)}, shot.tokens["staff"]
    await set_(api, shot, "person")
    costs = []
    for count in (1, 4):
        async with database.counted() as cost:
            nodes = (await api.ask(query, variables, token))["data"]["residents"]["nodes"]
        assert sum(node["photo"] is not None for node in nodes) == count
        costs.append(cost.count)
        key = await shot.key("person")
        for name in ("孙一", "孙二", "孙三"):
            await residents.person(shot.scene.compound_id, name, photo_key=key)
    assert costs[0] == costs[1]
    await Person.filter(compound_id=shot.scene.compound_id, name__startswith="孙").delete()


async def test_broken_uploads_are_swept_after_a_day(shot: Shot, folder: Path) -> None:
    assert isinstance(files.storage(), LocalStorage)
    partial = folder / ".partial"
    partial.mkdir(parents=True, exist_ok=True)
    old, young = partial / "old", partial / "young"
    for path in (old, young):
        path.write_bytes(JPEG)
    os.utime(old, (time.time() - 86_500,) * 2)
    [job] = [job for job in JOBS if job.name == "files.sweep"]
    assert await job.run(clock.now()) == {"swept": 1}
    assert (old.exists(), young.exists()) == (False, True)
    young.unlink()
