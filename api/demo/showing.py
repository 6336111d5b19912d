"""What the landing page shows of the demo (示范入口)."""

from __future__ import annotations

from api.demo.loading import PASSWORD, STAFF
from api.demo.people import demo_people
from api.demo.places import COMPOUND
from api.instance import Addresses
from api.pages.showcase import DemoAccount, Showcase, showcase


def show_demo(addresses: Addresses, visitor_path: str) -> None:
    """Show the demo's accounts, and the page of a visitor, to everybody who opens the landing page."""
    people = demo_people()
    residents = (("业主", people.owner), ("租户", people.tenant), ("家人", people.grandmother))
    accounts = [
        *(DemoAccount(f"{each.title} {each.name}", each.login, PASSWORD) for each in STAFF),
        *(DemoAccount(f"{title} {who.name}", who.phone) for title, who in residents),
    ]
    showcase.fill(
        Showcase(COMPOUND.name, COMPOUND.code, tuple(accounts), addresses.platform_url, visitor_path)
    )
