"""What somebody would write who has no GraphQL: one route per screen, the same token, the same statements,
the same JSON. It is what the API is measured against."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from api.actors import actor_for, bearer
from api.edge import origin_of
from domains.access.queries import passes
from domains.billing.queries import bills
from domains.billing.standing import standing
from domains.estate import permissions, sql
from domains.kernel import clock, database
from domains.kernel.actor import Actor
from domains.residents import rules, sealed
from domains.residents.queries import invitations, occupancies, registrations, vehicles
from schema.estate import HOUSES_SORT
from schema.home import part_of_day
from schema.relay import cursor, decode, encode

Json = dict[str, Any]  # Any: JSON
Row = Any  # the driver's record, which is a mapping without being called one
Rows = Sequence[Row]

HOUSES = sql.houses_page("h.compound_id = $1", "h.sort ASC, h.id ASC", "$2")
COUNT_HOUSES = sql.houses_count("h.compound_id = $1")


async def _caller(request: Request) -> tuple[Actor, Json]:
    body = orjson.loads(await request.body())
    actor = await actor_for(bearer(request.headers.get("authorization")), origin_of(request))
    return actor, body["variables"]


def _answer(data: Json) -> Response:
    return Response(orjson.dumps({"data": data}), media_type="application/json")


async def home(request: Request) -> Response:
    """A resident's home screen."""
    actor, _ = await _caller(request)
    now, today = clock.now(), clock.today()
    own = await database.fetch(occupancies.OWN_HOUSES, actor.id, today)
    waiting = await database.fetch(registrations.OPEN, actor.id, now - rules.REJECTION_SHOWN)
    received = await database.fetch(invitations.RECEIVED, actor.id, now)
    ids = [row["id"] for row in own]
    members = await database.fetch(occupancies.MEMBERS, actor.id, ids, today)
    parked = await database.fetch(vehicles.OF_HOUSES, ids, (), (), ids)
    midnight = clock.business_day_bounds(today)[1]
    visits = await database.fetch(passes.EXPECTED, actor.id, ids, now, midnight, passes.MOST_CARDS)
    owed = await database.fetch(bills.DUE, actor.id, today)
    name = actor.name or await database.fetchval(occupancies.REGISTER_NAME, actor.account_id, today) or ""
    screen = {
        "greeting": {
            "name": name, "partOfDay": part_of_day(now.astimezone(clock.SHANGHAI).hour).name, "today": today,
        },
        "houses": [_own_house(row, members, parked) for row in own],
        "registrations": [_registration(row) for row in waiting],
        "invitations": [_invitation(row) for row in received],
        "cards": [
            *_visit_cards([row for row in visits if row["state"] == "requested"], "VisitRequestedCard", "requested_at"),
            *_bill_cards(owed),
            *_visit_cards([row for row in visits if row["state"] != "requested"], "VisitExpectedCard", "starts_at"),
            *_cards(own, waiting, received),
        ],
    }  # fmt: skip
    return _answer({"viewer": {"home": screen}})


def _own_house(row: Row, members: Rows, parked: Rows) -> Json:
    is_owner = row["capacity"] == "owner"
    return {
        "occupancyId": encode("Occupancy", row["occupancy_id"]),
        "capacity": row["capacity"].upper(),
        "sinceOn": row["since_on"],
        "leaseUntilOn": row["lease_until_on"],
        "compound": {
            "id": encode("Compound", row["c_id"]), "name": row["c_name"], "servicePhone": row["c_service_phone"],
        },
        "house": {
            "id": encode("House", row["id"]), "number": row["number"],
            "builtAreaM2": str(row["built_area_m2"]), "state": row["state"].upper(),
            "members": [_member(each, is_owner) for each in members if each["house_id"] == row["id"]],
            "vehicles": [_vehicle(each) for each in parked if each["house_id"] == row["id"]],
        },
    }  # fmt: skip


def _member(row: Row, is_owner: bool) -> Json:
    shown = is_owner or row["is_me"]
    return {
        "id": encode("Occupancy", row["id"]),
        "name": row["name"],
        "phone": sealed.masked_phone(row["phone_sealed"]) if shown else None,
        "capacity": row["capacity"].upper(),
        "relation": row["relation"] if shown else None,
        "isMe": row["is_me"],
    }


def _vehicle(row: Row) -> Json:
    return {
        "id": encode("Vehicle", row["id"]),
        "kind": row["kind"].upper(),
        "plate": row["plate"],
        "plateColour": row["plate_colour"] and row["plate_colour"].upper(),
        "brand": row["brand"],
    }


def _registration(row: Row) -> Json:
    return {
        "id": encode("Registration", row["id"]),
        "compoundName": row["compound_name"],
        "place": row["place"],
        "capacity": row["capacity"].upper(),
        "state": row["state"].upper(),
        "submittedAt": row["submitted_at"],
        "reason": row["reason"],
    }


def _invitation(row: Row) -> Json:
    return {
        "id": encode("Invitation", row["id"]),
        "compoundName": row["compound_name"],
        "houseNumber": row["house_number"],
        "inviterName": row["inviter_name"],
        "capacity": row["capacity"].upper(),
        "expiresAt": row["expires_at"],
    }


def _visit_cards(visits: Rows, kind: str, at: str) -> list[Json]:
    return [
        {"__typename": kind, "key": f"visit:{row['id']}"} for row in sorted(visits, key=lambda row: row[at])
    ]


def _bill_cards(owed: Rows) -> list[Json]:
    due = any(standing(row, clock.today()).outstanding_fen > 0 for row in owed)
    return [{"__typename": "BillsDueCard", "key": "bills"}] if due else []


def _cards(own: Rows, waiting: Rows, received: Rows) -> list[Json]:
    cards: list[Json] = [
        {
            "__typename": "InvitationCard", "key": f"invitation:{row['id']}",
            "invitation": {"id": encode("Invitation", row["id"])},
        }
        for row in sorted(received, key=lambda row: row["expires_at"])
    ]  # fmt: skip
    for row in own:
        left = None if row["lease_until_on"] is None else row["lease_until_on"] - clock.today()
        if left is not None and left <= rules.LEASE_WARNING:
            cards.append(
                {
                    "__typename": "LeaseEndingCard",
                    "key": f"lease:{row['occupancy_id']}",
                    "daysLeft": left.days,
                }
            )
    for row in sorted(waiting, key=lambda row: row["reviewed_at"] or row["submitted_at"]):
        kind = "RegistrationPendingCard" if row["state"] == "pending" else "RegistrationRejectedCard"
        shown = {"id": encode("Registration", row["id"])}
        cards.append({"__typename": kind, "key": f"registration:{row['id']}", "registration": shown})
    begins = not (own or waiting or received)
    return [*cards, {"__typename": "RegisterHouseCard", "key": "register"}] if begins else cards


async def houses(request: Request) -> Response:
    """A page of a compound's houses."""
    actor, variables = await _caller(request)
    compound_id, first = decode(variables["id"], "Compound"), variables["first"]
    actor.require(permissions.READ, compound_id)
    compound = await database.fetchrow(sql.COMPOUNDS, [compound_id])
    assert compound is not None
    rows = await database.fetch(HOUSES, compound_id, first + 1)
    total = await database.fetchval(COUNT_HOUSES, compound_id)
    return _answer({"compound": {"name": compound["name"], "houses": _houses_page(rows, first, total)}})


def _houses_page(rows: Rows, first: int, total: int) -> Json:
    shown = rows[:first]
    end = cursor(HOUSES_SORT, shown[-1]["sort"], shown[-1]["id"]) if shown else None
    return {
        "totalCount": total,
        "edges": [{"node": _house(row)} for row in shown],
        "pageInfo": {"hasNextPage": len(rows) > first, "endCursor": end},
    }


def _house(row: Row) -> Json:
    return {
        "id": encode("House", row["id"]),
        "number": row["number"],
        "buildingName": row["building_name"],
        "unitName": row["unit_name"],
        "room": row["room"],
        "floor": row["floor"],
        "builtAreaM2": str(row["built_area_m2"]),
        "innerAreaM2": None if row["inner_area_m2"] is None else str(row["inner_area_m2"]),
        "use": row["use"].upper(),
        "state": row["state"].upper(),
        "isRented": row["is_rented"],
        "handedOverOn": row["handed_over_on"],
    }


async def cpu(_: Request) -> Response:
    """CPU seconds of this process so far."""
    return JSONResponse(time.process_time())


async def health(_: Request) -> Response:
    """The product's own health route with nothing around it."""
    return JSONResponse({"status": "ok"})


def build_app(*routes: Route) -> Starlette:
    """The hand-written endpoints, and what a bench asks of its server."""
    return Starlette(
        routes=[
            Route("/bench/home", home, methods=["POST"]),
            Route("/bench/houses", houses, methods=["POST"]),
            Route("/bench/cpu", cpu),
            Route("/bench/health", health),
            *routes,
        ]
    )
