"""Loads the demo through the front doors of the services: compounds, staff, registers (示范数据)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from api.demo.people import demo_people
from api.demo.places import COMPOUND, ORGANISATION, SECOND_COMPOUND, CompoundSite
from api.demo.register import demo_register, second_register
from api.instance import Addresses
from api.pages.showcase import showcase
from api.settings import Settings
from api.wiring import PERMISSIONS
from domains.access import permissions as access
from domains.billing import permissions as billing
from domains.devices import permissions as devices
from domains.estate import permissions as estate
from domains.estate import queries
from domains.estate.service.organisation import found_compound
from domains.identity.service.founding import found_staff
from domains.kernel import database
from domains.kernel.actor import SYSTEM
from domains.residents import permissions as residents
from domains.residents.service.imports import import_register
from payments import permissions as payments

COMPANY = "桂语物业服务有限公司"
SECOND_COMPANY = "银杏物业服务有限公司"
PASSWORD = "Guiyu-2026-demo"  # noqa: S105  # of the demo, printed for whoever runs it


@dataclass(frozen=True, slots=True)
class DemoStaff:
    """A staff account of the demo."""

    login: str
    name: str
    title: str
    company: str
    permissions: tuple[str, ...]


RECEPTION = (estate.READ, residents.READ, residents.REVIEW)
GUARD = (
    access.VISITORS_READ, access.VISITORS_ADMIT, access.DOORS_READ, access.DOORS_OPEN, access.RECORDS_READ,
    devices.ALARMS_READ, devices.ALARMS_HANDLE,
)  # fmt: skip
ACCOUNTANT = (
    estate.READ, residents.READ, billing.FEES_READ, billing.FEES_WRITE, billing.METERS_READ, billing.METERS_WRITE,
    billing.RUNS_START, billing.BILLS_READ, billing.CORRECTIONS_REQUEST, billing.DUNNING_WRITE, billing.BOOKS_WRITE,
    payments.LEDGER_READ, payments.BALANCES_WRITE, payments.PAYMENTS_READ, payments.REFUNDS_REQUEST,
)  # fmt: skip
CASHIER = (estate.READ, billing.BILLS_READ, payments.DESK_WRITE, payments.PAYMENTS_READ)
STAFF = (
    DemoStaff("manager", "许文博", "物业经理", COMPANY, tuple(PERMISSIONS)),
    DemoStaff("reception", "何晓燕", "客服前台", COMPANY, RECEPTION),
    DemoStaff("accountant", "钱思敏", "物业会计", COMPANY, ACCOUNTANT),
    DemoStaff("cashier", "周小芸", "收银员", COMPANY, CASHIER),
    DemoStaff("guard", "秦守安", "门岗保安", COMPANY, GUARD),
    DemoStaff("neighbour", "顾明远", "银杏苑经理", SECOND_COMPANY, tuple(PERMISSIONS)),
)


# The last thing that the demo's people are told.
IS_TOLD = """
SELECT EXISTS (SELECT FROM delivery d JOIN compound c ON c.id = d.compound_id
    WHERE c.code = $1 AND d.kind = 'webhook.test')
"""


async def load_demo() -> None:
    """Load what is missing; a second start finds everything and does nothing."""
    if await queries.compound_by_code(COMPOUND.code) is None:
        await _compound(COMPOUND, COMPANY, await asyncio.to_thread(demo_register))
    if await queries.compound_by_code(SECOND_COMPOUND.code) is None:
        await _compound(SECOND_COMPOUND, SECOND_COMPANY, await asyncio.to_thread(second_register))


async def fill_inboxes(addresses: Addresses) -> None:
    """Tell the demo's people things, once, where the stand-ins of the platforms run."""
    if addresses.platform_url and not await database.fetchval(IS_TOLD, COMPOUND.code):
        from api.demo.telling import tell_demo  # a start that has nothing to tell need not load it

        await tell_demo(addresses.platform_url)


async def _compound(site: CompoundSite, company: str, register: bytes) -> None:
    region = region_names(site)
    for staff in STAFF:
        if staff.company == company:
            await found_staff(
                SYSTEM,
                company=company,
                login=staff.login,
                name=staff.name,
                permissions=staff.permissions,
                password=PASSWORD,
                role=staff.title,
                first_operates=True,
            )
    compound_id = await found_compound(
        SYSTEM,
        region_names=region,
        company=company,
        name=site.name,
        code=site.code,
        address=site.address,
        service_phone="0571-88001234",
        latitude=site.latitude,
        longitude=site.longitude,
    )
    report = await import_register(
        SYSTEM, compound_id=compound_id, file_name=f"{site.name}台账.xlsx", data=register, apply=True
    )
    assert report.state == "applied", report.errors[:3]


def region_names(site: CompoundSite) -> tuple[str, ...]:
    """The names from the province down to the site's neighbourhood committee."""
    by_code = {unit.code: unit for unit in ORGANISATION}
    names: list[str] = []
    code: str | None = site.neighbourhood_code
    while code is not None:
        names.append(by_code[code].name)
        code = by_code[code].parent_code
    return tuple(reversed(names))


def welcome(settings: Settings, addresses: Addresses) -> str:
    """What to open, and who to be."""
    people, shown = demo_people(), showcase()
    residents_shown = (
        ("业主", people.owner), ("租户", people.tenant), ("家人", people.grandmother), ("邻小区业主", people.outsider),
    )  # fmt: skip
    lines = [
        "",
        f"  邻里 Linli   {settings.url}",
        f"  住户端        {settings.url}/app/",
        f"  GraphQL      {settings.url}/graphql",
        f"  短信与平台    {addresses.platform_url}/sms",
        f"  手机消息      {addresses.platform_url}/phone",
        f"  访客来访      {settings.url}/visit/{COMPOUND.code}",
        *([f"  访客通行证    {settings.url}{shown.visitor_path}"] if shown and shown.visitor_path else []),
        f"  保安工作台    {settings.url}/staff/guard",
        f"  收款台        {settings.url}/staff/desk",
        "",
        f"  员工(密码 {PASSWORD})",
        *(f"    {staff.login:<12}{staff.title} {staff.name}" for staff in STAFF),
        "  住户(在住户端用微信、支付宝或短信验证码登录,验证码见上面的短信页面)",
        *(f"    {who.phone}  {title} {who.name}" for title, who in residents_shown),
        "",
        "  按 Ctrl-C 停止",
    ]
    return "\n".join(lines)
