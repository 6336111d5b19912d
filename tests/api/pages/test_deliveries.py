"""The delivery log in the browser: what happened to each, and sending again what did not arrive."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest
from starlette.applications import Starlette

from domains.kernel import database
from notifications import permissions
from notifications.channels.port import Refused, Sent
from notifications.kinds import Channel
from schema.relay import encode
from tests.api.pages.test_registrations import staff_of
from tests.api.pages.visitors import HTMX, Visitor, seen, visiting
from tests.factories import residents, sending
from tests.factories.residents import Scene
from tests.factories.sending import PLAIN, RARE, Scripted

pytestmark = pytest.mark.usefixtures("instance")
PAGE = "/staff/deliveries"
RESEND = f"{PAGE}/resend"


@pytest.fixture(autouse=True)
async def rows(app: Starlette) -> AsyncIterator[None]:
    """The application has its kinds and senders until then."""
    async with sending.cleared():
        yield


@pytest.fixture
async def scene() -> Scene:
    """A compound of its own."""
    return await residents.scene()


@pytest.fixture
async def clerk(app: Starlette, scene: Scene) -> AsyncIterator[Visitor]:
    """Staff of the compound who may read the log and send again, signed in."""
    async with visiting(app) as opened:
        await opened.sign_in(
            await staff_of(scene, permissions.DELIVERIES_READ, permissions.DELIVERIES_RESEND)
        )
        yield opened


async def told(scene: Scene, *answers: Sent | Refused) -> UUID:
    """A delivery of the compound by SMS, with these answers of the platform; its id."""
    sending.set_up(Scripted(Channel.SMS, answers=list(answers)))
    person = await sending.person(Channel.SMS)
    await sending.tell(person, compound_id=scene.compound_id)
    await sending.send_all()
    id: UUID = (await sending.rows(person))[0]["id"]
    return id


async def state_of(id: UUID) -> str:
    return str(await database.fetchval("SELECT state FROM delivery WHERE id = $1", id))


async def test_every_delivery_says_what_came_of_it(clerk: Visitor, scene: Scene) -> None:
    await told(scene, Sent("biz-1"))
    await told(scene, Refused("isv.MOBILE_NUMBER_ILLEGAL", "号码<不>合法"))
    text = seen(await clerk.get(PAGE))
    for expected in (
        "已发送",
        "biz-1",
        "投递失败",
        "isv.MOBILE_NUMBER_ILLEGAL",
        "号码<不>合法",
        "短信",
        "尝试 1 次",
    ):
        assert expected in text, expected
    assert text.count("重新投递 测试") == 1


async def test_it_is_narrowed_by_state_channel_and_kind(clerk: Visitor, scene: Scene) -> None:
    await told(scene, Sent("biz-1"))
    await told(scene, Refused("DOWN"))
    for query, here, away in (
        ("state=DEAD", "DOWN", "biz-1"), ("state=SENT", "biz-1", "DOWN"), ("channel=WECHAT", "没有投递记录", "biz-1"),
        (f"kind={RARE.name}", "没有投递记录", "DOWN"), (f"kind={PLAIN.name}&channel=SMS&state=DEAD", "DOWN", "biz-1"),
    ):  # fmt: skip
        text = seen(await clerk.get(f"{PAGE}?{query}", **HTMX))
        assert here in text and away not in text, query
    for bad in ("state=x", "channel=%00", "after=x", "kind=" + "x" * 3000, "about=installation"):
        assert (await clerk.get(f"{PAGE}?{bad}")).status_code in (200, 400, 403), bad


async def test_a_dead_one_is_sent_again_once(clerk: Visitor, scene: Scene) -> None:
    id = await told(scene, Refused("DOWN"))
    shown = (await clerk.get(PAGE)).text
    fields = dict(re.findall(r'name="(delivery|key)" value="([^"]+)"', shown))
    assert fields["delivery"] == encode("Delivery", id)
    done = await clerk.post(RESEND, fields, **HTMX)
    assert "已重新排队" in seen(done) and await state_of(id) == "pending"
    assert "已重新排队" in seen(await clerk.post(RESEND, fields, **HTMX))
    refused = await clerk.post(RESEND, {**fields, "key": str(uuid4())}, **HTMX)
    assert refused.headers["hx-retarget"] == "#notices"
    await sending.send_all()
    assert await state_of(id) == "sent"


async def test_without_a_script_the_page_comes_back_with_a_message(clerk: Visitor, scene: Scene) -> None:
    id = await told(scene, Refused("DOWN"))
    await clerk.get(PAGE)
    done = await clerk.post(RESEND, {"delivery": encode("Delivery", id), "key": str(uuid4())})
    assert (done.status_code, done.headers["location"]) == (303, PAGE)
    assert "已重新排队" in seen(await clerk.get(PAGE))


async def test_who_may_only_read_is_offered_nothing_and_refused(app: Starlette, scene: Scene) -> None:
    id = await told(scene, Refused("DOWN"))
    async with visiting(app) as reader:
        await reader.sign_in(await staff_of(scene, permissions.DELIVERIES_READ))
        shown = await reader.get(PAGE)
        assert "DOWN" in seen(shown) and 'name="delivery"' not in shown.text
        fields = {"delivery": encode("Delivery", id), "key": str(uuid4())}
        refused = await reader.post(RESEND, fields, **HTMX)
        assert refused.headers["hx-retarget"] == "#notices"
    assert await state_of(id) == "dead"


async def test_staff_of_another_compound_see_and_change_nothing(app: Starlette, scene: Scene) -> None:
    id = await told(scene, Refused("DOWN"))
    elsewhere = await residents.scene()
    async with visiting(app) as other:
        await other.sign_in(
            await staff_of(elsewhere, permissions.DELIVERIES_READ, permissions.DELIVERIES_RESEND)
        )
        assert "DOWN" not in seen(await other.get(PAGE))
        fields = {"delivery": encode("Delivery", id), "key": str(uuid4())}
        await other.post(RESEND, fields, **HTMX)
    assert await state_of(id) == "dead"


async def test_more_is_loaded_by_key(clerk: Visitor, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    from api.pages.staff import deliveries

    monkeypatch.setattr(deliveries, "ROWS", 2)
    for number in range(3):
        await told(scene, Refused(f"DOWN{number}"))
    first = await clerk.get(PAGE)
    more = re.search(r'hx-get="(/staff/deliveries\?[^"]*after=[^"]*)"', first.text)
    assert more is not None and "DOWN2" in seen(first) and "DOWN0" not in seen(first)
    rest = await clerk.get(more[1].replace("&amp;", "&"), **HTMX)
    assert "DOWN0" in seen(rest) and "DOWN2" not in seen(rest)
