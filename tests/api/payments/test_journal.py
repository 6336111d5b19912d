"""One journal of the books, by its id."""

from __future__ import annotations

import pytest

from domains.kernel import database
from schema.relay import encode
from tests.api.identity.clients import Api, codes
from tests.api.payments.cases import World
from tests.api.payments.test_authority import token_of
from tests.factories import residents
from tests.factories.channel import ScriptedChannel, channel_of
from tests.factories.residents import CALLERS

pytestmark = pytest.mark.usefixtures("instance")

JOURNAL = "query($j: ID!) { journal(id: $j) { kind postedOn reverses entries { code channel amountFen } } }"


@pytest.mark.parametrize("kind", CALLERS)
async def test_a_journal_is_read_by_who_keeps_the_books_and_by_nobody_else(api: Api, kind: str) -> None:
    with channel_of(ScriptedChannel()) as channel:
        world = World(await residents.scene(), channel)
        await world.paid()
    id = await database.fetchval(
        "SELECT id FROM journal WHERE compound_id = $1 AND kind LIKE 'pay%' ORDER BY id DESC LIMIT 1",
        world.scene.compound_id,
    )
    answer = await api.ask(JOURNAL, {"j": encode("Journal", id)}, await token_of(world.scene, kind))
    if kind == "staff":
        found = answer["data"]["journal"]
        assert sum(each["amountFen"] for each in found["entries"]) == 0 < len(found["entries"])
        assert found["reverses"] is None
    else:
        assert (answer.get("data") or {}).get("journal") is None
        assert "errors" not in answer or set(codes(answer)) <= {"FORBIDDEN", "UNAUTHENTICATED"}
