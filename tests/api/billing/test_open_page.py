"""The page of published accounts: who gets a link to it, what it shows, and links that open nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import httpx
import pytest

from api.app import build_app
from api.settings import Settings
from domains.billing import permissions
from domains.billing.book_links import LIFETIME, LinkedMonth, link_to
from domains.billing.service.publishing import publish_accounts
from domains.kernel import clock, database
from domains.kernel.clock import FixedClock
from domains.residents.models import Occupancy
from schema.relay import encode
from tests.api.identity.clients import Api, Json, codes
from tests.api.pages.visitors import seen
from tests.factories import bills, books, guards, identity, residents
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")
MARCH = date(2026, 3, 1)
OPEN = "query($c: ID!, $m: Date) { openBooks(compound: $c, month: $m) { month link { path expiresAt } } }"
LINKED = """query($t: String!) { linkedAccounts(token: $t) { compoundName expiresAt accounts {
    month revision link { path } books { collectedFen expenses { note amountFen } } } } }"""
VOUCHERS = "query($t: String!) { linkedAccounts(token: $t) { accounts { books { expenses { voucher { address } } } } } }"
HTML = {"accept": "text/html"}


@pytest.fixture
async def http(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(build_app(settings))
    async with httpx.AsyncClient(transport=transport, base_url="http://linli") as client:
        yield client


@pytest.fixture
async def scene() -> Scene:
    """A compound whose March is published: 150.00 came in, 80.50 was spent."""
    made = await residents.scene()
    with books.on(MARCH):
        bill = await bills.bill(made.house_id, 20_000, month=MARCH, issued_on=MARCH)
        await bills.pay(bill, 15_000, MARCH)
    await books.expense(made.compound_id, 8_050, MARCH, voucher_key="vouchers/2026/03/a.pdf")
    await publish(made)
    return made


async def publish(scene: Scene) -> UUID:
    """March, as it is now."""
    publisher = await guards.guard(scene, permissions.BOOKS_PUBLISH)
    return await publish_accounts(publisher, compound_id=scene.compound_id, month=MARCH, note="请邻居们查阅")


async def asked(api: Api, scene: Scene, account_id: UUID | None) -> Json:
    """The whole answer to who asks for the accounts of March and a link to them."""
    token = None if account_id is None else await identity.token(account_id)
    return await api.ask(OPEN, {"c": encode("Compound", scene.compound_id), "m": str(MARCH)}, token)


async def linked(api: Api, scene: Scene) -> str:
    """The path that the owner got."""
    link = (await asked(api, scene, scene.owner.account_id))["data"]["openBooks"]["link"]
    return str(link["path"])


async def staff(scene: Scene, *granted: str, scope: str = "compound", place: UUID | None = None) -> UUID:
    """Staff of the scene's company over the compound, or over another place of it."""
    company = await database.fetchval(
        "SELECT y.name FROM compound c JOIN company y ON y.id = c.company_id WHERE c.id = $1",
        scene.compound_id,
    )
    return await identity.staff(company, granted, scope=scope, place_id=place or scene.compound_id)  # type: ignore[arg-type]  # one of the scopes


async def test_who_may_read_the_accounts_gets_a_link(api: Api, http: httpx.AsyncClient, scene: Scene) -> None:
    readers = [
        scene.owner.account_id, scene.family.account_id, scene.tenant.account_id, scene.neighbour.account_id,
        await staff(scene, permissions.BILLS_READ), await staff(scene, permissions.BOOKS_WRITE),
        await staff(scene, permissions.BOOKS_PUBLISH),
        await staff(scene, permissions.BILLS_READ, scope="building", place=scene.other_building_id),
    ]  # fmt: skip
    for account_id in readers:
        link = (await asked(api, scene, account_id))["data"]["openBooks"]["link"]
        ends_in = datetime.fromisoformat(link["expiresAt"]) - clock.now()
        assert timedelta() < ends_in <= LIFETIME
        assert (await http.get(link["path"], headers=HTML)).status_code == 200


async def test_others_get_none(api: Api, scene: Scene) -> None:
    await Occupancy.filter(id=scene.tenant.occupancy_id).update(ended_at=clock.now(), end_reason="退租")
    elsewhere = await residents.scene()
    for account_id in (
        scene.tenant.account_id, await identity.resident(), elsewhere.owner.account_id,
        await staff(scene, permissions.FEES_READ, permissions.FEES_WRITE),
        await staff(scene, permissions.BILLS_READ, place=scene.other_compound_id),
        await staff(elsewhere, *permissions.LABELS),
    ):  # fmt: skip
        assert codes(await asked(api, scene, account_id)) == ["FORBIDDEN"]
    assert codes(await asked(api, scene, None)) == ["UNAUTHENTICATED"]


async def test_the_page_shows_the_month_and_nobody(api: Api, http: httpx.AsyncClient, scene: Scene) -> None:
    page = await http.get(await linked(api, scene), headers=HTML)
    text = seen(page)
    for words in (
        "2026-03 已公示的账目",
        "当月实收 ¥150.00",
        "当月支出 ¥80.50",
        "保洁",
        "请邻居们查阅",
        "第 1 版",
    ):
        assert words in text, words
    assert 'class="chart"' in page.text and "<script" not in page.text.split("<main")[1]
    for name in (
        scene.owner.name,
        scene.family.name,
        scene.tenant.name,
        "王师傅",
        "1号楼1单元101",
        "/files/",
    ):
        assert name not in page.text, name
    assert "noindex" in page.headers["x-robots-tag"] and page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"
    english = seen(await http.get(await linked(api, scene), headers={**HTML, "accept-language": "en"}))
    assert "Vouchers are in the mini-program" in english


async def test_a_link_is_of_its_compound_and_month_and_shows_the_last_revision(
    api: Api, http: httpx.AsyncClient, scene: Scene
) -> None:
    path, elsewhere = await linked(api, scene), await residents.scene()
    await books.expense(elsewhere.compound_id, 77_700, MARCH)
    await publish(elsewhere)
    await books.expense(scene.compound_id, 1_000, MARCH.replace(day=9))
    await publish(scene)
    april = MARCH.replace(month=4)
    publisher = await guards.guard(scene, permissions.BOOKS_PUBLISH)
    await books.expense(scene.compound_id, 55_500, april)
    await publish_accounts(publisher, compound_id=scene.compound_id, month=april)
    text = seen(await http.get(path, headers=HTML))
    assert "当月支出 ¥90.50" in text and "第 2 版" in text and "777.00" not in text and "555.00" not in text


async def test_who_came_by_a_link_gets_no_other_and_no_voucher(api: Api, scene: Scene) -> None:
    token = (await linked(api, scene)).removeprefix("/books/")
    found = (await api.ask(LINKED, {"t": token}))["data"]["linkedAccounts"]
    assert (found["accounts"]["month"], found["accounts"]["link"]) == ("2026-03-01", None)
    assert found["accounts"]["books"] == {
        "collectedFen": 15_000,
        "expenses": [{"note": "保洁", "amountFen": 8_050}],
    }
    answer = await api.ask(VOUCHERS, {"t": token})
    assert codes(answer) == ["UNAUTHENTICATED"]
    assert answer["data"]["linkedAccounts"]["accounts"]["books"]["expenses"] == [{"voucher": None}]
    stranger = await api.ask(LINKED, {"t": token}, await identity.token(await identity.resident()))
    assert stranger["data"]["linkedAccounts"]["accounts"]["link"] is None


async def test_a_link_that_ended_leads_to_a_plain_page(
    api: Api, http: httpx.AsyncClient, scene: Scene
) -> None:
    path = await linked(api, scene)
    with clock.use(FixedClock(datetime.now(UTC) + LIFETIME)):
        page = await http.get(path, headers=HTML)
        answer = await api.ask(LINKED, {"t": path.removeprefix("/books/")})
    assert page.status_code == 404 and "链接已过期" in seen(page) and "¥" not in page.text
    assert codes(answer) == ["ACCOUNTS_LINK_EXPIRED"]


@pytest.mark.parametrize("token", ["A" * 80, "x", "A" * 3000, "%E5%85%AC%E7%A4%BA"])
async def test_a_link_nobody_was_given_leads_to_a_plain_page(http: httpx.AsyncClient, token: str) -> None:
    page = await http.get(f"/books/{token}", headers=HTML)
    assert page.status_code == 404
    assert "链接无效" in seen(page) and "¥" not in page.text


async def test_a_month_that_is_not_published_opens_nothing(http: httpx.AsyncClient) -> None:
    """Such a link is given out by nobody; one made before a database was put back is refused all the same."""
    elsewhere = await residents.scene()
    path = link_to(LinkedMonth(elsewhere.compound_id, MARCH, clock.now())).path
    page = await http.get(path, headers=HTML)
    assert page.status_code == 404 and "链接无效" in seen(page)
