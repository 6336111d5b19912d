"""What happens in one process is heard in the other, by whom it concerns and by nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from api.addresses import Addresses
from api.settings import Settings
from domains.estate.models import Compound
from tests.api.subscriptions.listening import by_events, by_websocket, close_code, events, message
from tests.api.subscriptions.processes import two
from tests.factories import identity, residents
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")


@pytest.fixture(scope="module")
def addresses_of_both(
    settings: Settings, addresses: Addresses, instance: object
) -> Iterator[tuple[str, str]]:
    with two(settings, addresses) as both:
        yield both


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


Json = Any  # the JSON of a response has any shape


async def post(address: str, token: str, query: str, **input: object) -> Json:
    async with httpx.AsyncClient(base_url=f"http://{address}") as http:
        response = await http.post(
            "/graphql", json={"query": query, "variables": {"input": input}},
            headers={"authorization": f"Bearer {token}"},
        )  # fmt: skip
    answer = response.json()
    assert "errors" not in answer, answer
    return answer["data"]


REGISTER = """mutation Register($input: RegisterResidentInput!) { registerResident(input: $input) {
    registration { id } errors { code } } }"""
REVIEW = """mutation Review($input: ReviewRegistrationInput!) { reviewRegistration(input: $input) {
    registration { state } errors { code } } }"""


async def newcomer() -> str:
    return await identity.token(await identity.resident(identity.new_phone(), "李新民"))


async def registered(address: str, scene: Scene, token: str) -> str:
    data = await post(
        address, token, REGISTER, compoundCode=scene.code, building="1", unit="1", room="101", name="李新民",
        capacity="OWNER",
    )  # fmt: skip
    id: str = data["registerResident"]["registration"]["id"]
    return id


async def reviewer(scene: Scene) -> str:
    company = (await Compound.get(pk=scene.compound_id).select_related("company")).company.name
    return await identity.token(await identity.staff(company, ["residents.review"]))


async def test_a_review_in_one_process_is_heard_in_both(
    addresses_of_both: tuple[str, str], scene: Scene
) -> None:
    first, second = addresses_of_both
    me, neighbour, staff = await newcomer(), await newcomer(), await reviewer(scene)
    id = await registered(first, scene, me)
    async with (
        by_websocket(first, me) as ws,
        by_websocket(second, neighbour) as other,
        by_events(first, me) as here,
        by_events(second, me) as there,
    ):
        assert here.status_code == there.status_code == 200
        # A WebSocket does not say when a subscription is open.
        await asyncio.sleep(0.5)
        await post(second, staff, REVIEW, registration=id, decision="REJECT", reason="请上传房产证")
        expected = {"registrationChanged": {"id": id, "state": "REJECTED", "reason": "请上传房产证"}}
        heard = await message(ws)
        assert (heard["type"], heard["payload"]["data"]) == ("next", expected)
        for stream in (here, there):
            async with asyncio.timeout(10):
                assert (await anext(events(stream)))["data"] == expected
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await other.recv()


@pytest.mark.parametrize(("caller", "code"), [("nobody", "UNAUTHENTICATED"), ("staff", "FORBIDDEN")])
async def test_who_is_no_resident_is_refused_at_the_start(
    addresses_of_both: tuple[str, str], scene: Scene, caller: str, code: str
) -> None:
    token = await reviewer(scene) if caller == "staff" else None
    async with by_websocket(addresses_of_both[0], token) as ws:
        refused = await message(ws)
        assert (refused["type"], refused["payload"][0]["extensions"]["code"]) == ("error", code)
    async with by_events(addresses_of_both[0], token) as response:
        answer = await response.aread()
        assert code in answer.decode()
        assert response.headers["content-type"].startswith("application/graphql-response+json")


async def test_signing_out_closes_what_was_open(addresses_of_both: tuple[str, str]) -> None:
    first, second = addresses_of_both
    me = await newcomer()
    async with by_websocket(first, me) as ws, by_events(second, me) as stream:
        await post(first, me, "mutation Leave { signOut { errors { code } } }")
        assert await close_code(ws) == 4403
        async with asyncio.timeout(10):
            assert [each async for each in events(stream)] == []


async def test_an_invalid_credential_opens_nothing(addresses_of_both: tuple[str, str]) -> None:
    with pytest.raises(ConnectionClosed, match=r"4403 .* TOKEN_INVALID"):
        async with by_websocket(addresses_of_both[0], "forged"):
            pass
    async with by_events(addresses_of_both[0], "forged") as response:
        assert response.status_code == 401
        assert "TOKEN_INVALID" in (await response.aread()).decode()
