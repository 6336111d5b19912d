"""The staff's inbox in the browser: what is shown, what marking changes, where a notice leads, settings."""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from starlette.applications import Starlette

from domains.kernel import database
from domains.residents import permissions
from notifications.kinds import Urgency
from schema.relay import encode
from tests.api.pages.test_registrations import staff_of
from tests.api.pages.visitors import HTMX, Visitor, seen, visiting
from tests.factories import identity, notifications, residents

pytestmark = pytest.mark.usefixtures("instance")
PAGE = "/staff/inbox"
SETTINGS = f"{PAGE}/settings"
LEADING = notifications.kind("test.leading", link="/staff/registrations", urgency=Urgency.HIGH)
ASTRAY = notifications.kind("test.astray", link="https://evil.test/{house}")


@pytest.fixture(autouse=True)
def kinds(app: Starlette) -> None:
    """The kinds of these tests; the application has its own until then."""
    notifications.use((*notifications.KINDS, LEADING, ASTRAY))


@pytest.fixture
async def account() -> UUID:
    """Staff whom no other test tells anything."""
    return await identity.staff(await identity.places(), (permissions.REVIEW,))


@pytest.fixture
async def reader(app: Starlette, account: UUID) -> AsyncIterator[Visitor]:
    """That person, signed in."""
    async with visiting(app) as opened:
        await opened.sign_in(await identity.login_of(account))
        yield opened


def global_id(id: UUID) -> str:
    return encode("Notification", id)


async def is_read(id: UUID) -> bool:
    return await database.fetchval("SELECT read_at IS NOT NULL FROM notification WHERE id = $1", id) is True


def bell(page: str) -> str:
    found = re.search(r'data-bell="(\d+)"', page)
    assert found is not None
    return found[1]


async def test_the_bell_of_every_page_says_how_much_is_unread(reader: Visitor, account: UUID) -> None:
    assert bell((await reader.get(PAGE)).text) == "0"
    for _ in range(3):
        await notifications.told(account)
    for path in (PAGE, SETTINGS, "/staff/search", "/staff/registrations"):
        shown = await reader.get(path)
        assert bell(shown.text) == "3" and "消息 3 条未读" in seen(shown), path
        assert re.search(r'data-after="[^"]+"', shown.text), path


async def test_the_bell_costs_the_same_however_much_there_is(reader: Visitor, account: UUID) -> None:
    async def statements() -> int:
        async with database.counted() as counted:
            await reader.get(PAGE)
        return counted.count

    await notifications.told(account)
    before = await statements()
    for _ in range(30):
        await notifications.told(account)
    assert await statements() == before


async def test_the_newest_comes_first_and_more_is_loaded_by_key(reader: Visitor, account: UUID) -> None:
    from api.pages.staff import inbox

    for house in ("1-101", "1-102", "1-103"):
        await notifications.told(account, house=house)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inbox, "ROWS", 2)
        first = await reader.get(PAGE)
        more = re.search(r'hx-get="(/staff/inbox\?[^"]*after=[^"]*)"', first.text)
        assert more is not None
        rest = await reader.get(more[1].replace("&amp;", "&"), **HTMX)
    assert re.findall(r"1-10\d 有新消息", seen(first))[::2] == ["1-103 有新消息", "1-102 有新消息"]
    assert "1-101" in seen(rest) and "1-102" not in seen(rest)
    assert "<html" not in rest.text and "全部标为已读" not in rest.text


async def test_only_unread_where_that_is_asked_for(reader: Visitor, account: UUID) -> None:
    read = await notifications.told(account, house="1-101")
    await notifications.told(account, house="1-102")
    await reader.get(PAGE)
    await reader.post(f"{PAGE}/read", {"notification": global_id(read)})
    shown = seen(await reader.get(f"{PAGE}?unread=1", **HTMX))
    assert "1-102" in shown and "1-101" not in shown


async def test_one_is_marked_and_its_card_says_so(reader: Visitor, account: UUID) -> None:
    one, other = await notifications.told(account), await notifications.told(account)
    await reader.get(PAGE)
    done = await reader.post(f"{PAGE}/read", {"notification": global_id(one)}, **HTMX)
    assert "标为已读" not in seen(done) and "有新消息" in seen(done) and "<html" not in done.text
    again = await reader.post(f"{PAGE}/read", {"notification": global_id(one)}, **HTMX)
    assert again.text == done.text
    assert (await is_read(one), await is_read(other)) == (True, False)
    assert bell((await reader.get(PAGE)).text) == "1"


async def test_all_are_marked_as_far_as_they_were_shown(reader: Visitor, account: UUID) -> None:
    old, newest = await notifications.told(account), await notifications.told(account)
    through = re.search(r'name="through" value="([^"]+)"', (await reader.get(PAGE)).text)
    assert through is not None and through[1] == global_id(newest)
    later = await notifications.told(account)
    done = await reader.post(f"{PAGE}/read", {"through": through[1]}, **HTMX)
    assert seen(done).count("标为已读") == 2  # that of all, and of what came meanwhile
    assert [await is_read(each) for each in (old, newest, later)] == [True, True, False]


@pytest.mark.parametrize("field", ["notification", "through"])
async def test_what_is_somebody_elses_stays_unread(reader: Visitor, field: str) -> None:
    theirs = await notifications.told(await identity.staff(await identity.places(), ()))
    await reader.get(PAGE)
    done = await reader.post(f"{PAGE}/read", {field: global_id(theirs)}, **HTMX)
    assert "有新消息" not in seen(done)
    assert not await is_read(theirs)


@pytest.mark.parametrize(
    "id", ["", "x", "SG91c2U6MDAwMDAwMDAtMDAwMC0wMDAwLTAwMDAtMDAwMDAwMDAwMDAw", "x" * 3000]
)
async def test_bad_ids_are_refused_in_words(reader: Visitor, id: str) -> None:
    await reader.get(PAGE)
    refused = await reader.post(f"{PAGE}/read", {"notification": id}, **HTMX)
    assert refused.headers["hx-retarget"] == "#notices" and "alert-danger" in refused.text


async def test_a_notice_leads_to_its_page_in_its_compound(app: Starlette) -> None:
    scene = await residents.scene()
    login = await staff_of(scene, permissions.REVIEW)
    account = await database.fetchval("SELECT account_id FROM staff_member WHERE login = $1", login)
    id = await notifications.told(account, LEADING, compound_id=scene.compound_id)
    async with visiting(app) as visitor:
        await visitor.sign_in(login)
        shown = await visitor.get(PAGE)
        assert "重要" in seen(shown)
        fields = dict(re.findall(r'name="(notification|compound|next)" value="([^"]*)"', shown.text))
        assert fields["next"] == "/staff/registrations"
        gone = await visitor.post(f"{PAGE}/open", fields)
        assert (gone.status_code, gone.headers["location"]) == (303, "/staff/registrations")
        assert visitor.cookie("compound") is not None
        assert await is_read(id)


async def test_a_notice_leads_nowhere_else(reader: Visitor, account: UUID) -> None:
    id = await notifications.told(account, ASTRAY)
    elsewhere = (await residents.scene()).compound_id
    shown = await reader.get(PAGE)
    assert "evil.test" not in shown.text and "去处理" not in seen(shown)
    fields = {
        "notification": global_id(id), "next": "//evil.test", "compound": encode("Compound", elsewhere),
    }  # fmt: skip
    gone = await reader.post(f"{PAGE}/open", fields)
    assert gone.headers["location"] == "/staff"
    assert reader.cookie("compound") is None


async def test_quiet_hours_are_set_and_bad_ones_refused(reader: Visitor, account: UUID) -> None:
    await reader.get(SETTINGS)
    done = await reader.post(f"{SETTINGS}/quiet", {"on": "on", "from": "23:30", "until": "06:15"}, **HTMX)
    assert "免打扰时段已保存" in seen(done)
    for bounds in (("25:00", "06:00"), ("07:00", "07:00"), ("晚上", "早上")):
        fields = {"on": "on", "from": bounds[0], "until": bounds[1]}
        refused = await reader.post(f"{SETTINGS}/quiet", fields, **HTMX)
        assert "alert-danger" in refused.text
    shown = (await reader.get(SETTINGS)).text
    assert 'value="23:30"' in shown and 'value="06:15"' in shown
    plain = await reader.post(f"{SETTINGS}/quiet", {"from": "23:30", "until": "06:15"})
    assert plain.headers["location"] == SETTINGS
    off = "SELECT is_quiet_at_night FROM recipient WHERE account_id = $1"
    assert await database.fetchval(off, account) is False


async def test_a_kind_is_turned_off_for_a_channel(reader: Visitor, account: UUID) -> None:
    await reader.get(SETTINGS)
    given = {"kind": "test.plain", "channel": "WEB_PUSH"}
    off = await reader.post(f"{SETTINGS}/preference", given, **HTMX)
    assert "checked" not in re.findall(r'id="test.plain-WEB_PUSH"[^>]*', off.text)[0]
    on = await reader.post(f"{SETTINGS}/preference", {**given, "on": "on"}, **HTMX)
    assert "checked" in re.findall(r'id="test.plain-WEB_PUSH"[^>]*', on.text)[0]
    refused = await reader.post(f"{SETTINGS}/preference", {**given, "kind": "test.fixed"}, **HTMX)
    assert "alert-danger" in refused.text
    wishes = "SELECT kind FROM notification_preference WHERE account_id = $1"
    assert [row["kind"] for row in await database.fetch(wishes, account)] == ["test.plain"]


def browser() -> dict[str, str]:
    """What a browser's push subscription says of itself."""
    point = ec.generate_private_key(ec.SECP256R1()).public_key()
    raw = point.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    p256dh, auth = (base64.urlsafe_b64encode(each).decode().rstrip("=") for each in (raw, b"s" * 16))
    return {"endpoint": "https://push.example.com/" + auth, "p256dh": p256dh, "auth": auth}


async def test_a_browser_is_registered_and_dropped(reader: Visitor, account: UUID) -> None:
    count = "SELECT count(*) FROM push_subscription WHERE account_id = $1"
    assert "data-push=" in (await reader.get(SETTINGS)).text
    given = browser()
    assert (await reader.post(f"{PAGE}/push", given, **HTMX)).status_code == 204
    assert await database.fetchval(count, account) == 1
    refused = await reader.post(f"{PAGE}/push", {**given, "p256dh": "AAAA"}, **HTMX)
    assert "alert-danger" in refused.text
    dropped = await reader.post(f"{PAGE}/push/drop", {"endpoint": given["endpoint"]}, **HTMX)
    assert dropped.status_code == 204
    assert await database.fetchval(count, account) == 0


async def test_nobody_and_residents_have_no_desk(app: Starlette) -> None:
    async with visiting(app) as visitor:
        for path in (PAGE, SETTINGS, f"{PAGE}/live"):
            assert (await visitor.get(path)).headers["location"].startswith("/staff/sign-in")
        sent = await visitor.post(f"{PAGE}/read", {"notification": "x"}, token="x")
        assert sent.headers["location"].startswith("/staff/sign-in")


async def test_the_service_worker_stands_above_every_page(visitor: Visitor) -> None:
    worker = await visitor.http.get("/service-worker.js")
    assert worker.headers["content-type"] == "text/javascript; charset=utf-8"
    assert worker.headers["cache-control"] == "no-cache"
    assert "showNotification" in worker.text
