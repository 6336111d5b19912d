"""What the landing page shows of the demo (示范入口)."""

from __future__ import annotations

import json
from pathlib import Path

from api.demo.loading import PASSWORD, STAFF
from api.demo.people import demo_people
from api.demo.places import COMPOUND, MAIN_GATE
from api.instance import Addresses
from api.pages.showcase import DemoAccount, DemoHouse, Showcase, showcase
from api.platforms import publish


def show_demo(addresses: Addresses, visitor_path: str) -> None:
    """Show the demo's accounts, and the page of a visitor, to everybody who opens the landing page."""
    people = demo_people()
    owner = people.owner
    residents = (
        ("owner", owner), ("tenant", people.tenant), ("family", people.grandmother), ("outsider", people.outsider),
    )  # fmt: skip
    accounts = (
        *(DemoAccount(part, who.name, who.phone) for part, who in residents),
        *(DemoAccount(each.login, each.name, each.login, PASSWORD) for each in STAFF),
    )
    house = DemoHouse(owner.building, owner.unit, owner.room, MAIN_GATE)
    showcase.fill(
        Showcase(COMPOUND.name, COMPOUND.code, accounts, addresses.platform_url, visitor_path, house)
    )


def introduce_people(home: Path) -> None:
    """Have the stand-ins know the demo's residents: whoever signs in there chooses one of them to be."""
    people = demo_people()
    known = [people.owner, people.tenant, people.grandmother, people.outsider]
    named = [{"name": each.name, "phone": each.phone} for each in known]
    publish(home / "platform" / "people.json", json.dumps(named, ensure_ascii=False))
