"""The pages and their addresses (页面路由)."""

from __future__ import annotations

import asyncio

import strawberry
from starlette.routing import BaseRoute, Route

from api import edge
from api.graphql.budget import LimiterBudget
from api.graphql.connections import Connections
from api.graphql.options import EdgeOptions
from api.instance import cache
from api.observability.operations import ObservedEngine
from api.pages import assets, landing, sign_in
from api.pages.sessions import Sessions
from api.pages.site import Site, View
from api.pages.staff import (
    access_records,
    alarms,
    audit,
    deliveries,
    devices,
    guard,
    guard_deciding,
    guard_scanning,
    guard_walk_in,
    home,
    imports,
    inbox,
    inbox_settings,
    jobs,
    registrations,
    search,
    webhooks,
)
from api.pages.streaming import Lasting
from api.pages.visiting import pass_page, request_form
from api.refusals import keep_refusals
from api.settings import Settings
from domains.kernel.rates import Limiter

REGISTER_BYTES = 11_000_000
"""A register of 10 MB and the form around it."""

VIEWS: tuple[tuple[str, str, View], ...] = (
    ("/", "GET", View(landing.show_landing, for_all=True)),
    ("/join/{code}", "GET", View(landing.show_join, for_all=True)),
    ("/visit/{code}", "GET", View(request_form.show, for_all=True)),
    ("/visit/{code}", "POST", View(request_form.send, for_all=True)),
    ("/v/{secret}", "GET", View(pass_page.show, for_all=True)),
    ("/v/{secret}/live", "GET", View(pass_page.listen, for_all=True)),
    ("/staff/sign-in", "GET", View(sign_in.show_sign_in, for_all=True, while_confined=True)),
    ("/staff/sign-in", "POST", View(sign_in.sign_in, for_all=True, while_confined=True)),
    ("/staff/sign-out", "POST", View(sign_in.sign_out, while_confined=True)),
    ("/staff/password", "GET", View(sign_in.show_password, while_confined=True)),
    ("/staff/password", "POST", View(sign_in.change_password, while_confined=True)),
    ("/staff", "GET", View(home.show)),
    ("/staff/compound", "POST", View(home.choose_compound)),
    ("/staff/registrations", "GET", View(registrations.show)),
    ("/staff/registrations/review", "POST", View(registrations.review)),
    ("/staff/guard", "GET", View(guard.show)),
    ("/staff/guard", "POST", View(guard.find)),
    ("/staff/guard/gate", "POST", View(guard.choose_gate)),
    ("/staff/guard/live", "GET", View(guard.listen, is_part=True)),
    ("/staff/guard/strip", "GET", View(guard.show_strip, is_part=True)),
    ("/staff/guard/visitor", "GET", View(guard.show_visitor)),
    ("/staff/guard/admit", "POST", View(guard_deciding.admit)),
    ("/staff/guard/refuse", "POST", View(guard_deciding.refuse)),
    ("/staff/guard/leave", "POST", View(guard_deciding.leave)),
    ("/staff/guard/decide", "POST", View(guard_deciding.decide)),
    ("/staff/guard/scan", "GET", View(guard_scanning.show)),
    ("/staff/guard/scan", "POST", View(guard_scanning.scan)),
    ("/staff/guard/walk-in", "GET", View(guard_walk_in.show)),
    ("/staff/guard/walk-in", "POST", View(guard_walk_in.register)),
    ("/staff/guard/alarms", "GET", View(guard.show_alarms)),
    ("/staff/alarms", "GET", View(alarms.show)),
    ("/staff/alarms/acknowledge", "POST", View(alarms.acknowledge)),
    ("/staff/alarms/clear", "POST", View(alarms.clear)),
    ("/staff/access-records", "GET", View(access_records.show)),
    ("/staff/access-records", "POST", View(access_records.find)),
    ("/staff/access-records/export", "POST", View(access_records.export)),
    ("/staff/access-records/statistics", "GET", View(access_records.show_statistics)),
    ("/staff/devices", "GET", View(devices.show)),
    ("/staff/devices/one", "GET", View(devices.show_one)),
    ("/staff/devices/new", "GET", View(devices.show_form)),
    ("/staff/devices/new", "POST", View(devices.register)),
    ("/staff/devices/key", "POST", View(devices.issue_key)),
    ("/staff/devices/key/revoke", "POST", View(devices.revoke_key)),
    ("/staff/search", "GET", View(search.show)),
    ("/staff/search", "POST", View(search.find)),
    ("/staff/import", "GET", View(imports.show)),
    ("/staff/import", "POST", View(imports.upload, limit=REGISTER_BYTES)),
    ("/staff/import/apply", "POST", View(imports.apply)),
    ("/staff/audit", "GET", View(audit.show)),
    ("/staff/inbox", "GET", View(inbox.show)),
    ("/staff/inbox/live", "GET", View(inbox.listen, is_part=True)),
    ("/staff/inbox/read", "POST", View(inbox.read)),
    ("/staff/inbox/open", "POST", View(inbox.follow_link)),
    ("/staff/inbox/settings", "GET", View(inbox_settings.show)),
    ("/staff/inbox/settings/quiet", "POST", View(inbox_settings.set_quiet_hours)),
    ("/staff/inbox/settings/preference", "POST", View(inbox_settings.set_preference)),
    ("/staff/inbox/push", "POST", View(inbox_settings.register_browser)),
    ("/staff/inbox/push/drop", "POST", View(inbox_settings.drop_browser)),
    ("/staff/deliveries", "GET", View(deliveries.show)),
    ("/staff/deliveries/resend", "POST", View(deliveries.resend)),
    ("/staff/webhooks", "GET", View(webhooks.show)),
    ("/staff/webhooks", "POST", View(webhooks.register)),
    ("/staff/webhooks/rotate", "POST", View(webhooks.rotate)),
    ("/staff/webhooks/test", "POST", View(webhooks.test)),
    ("/staff/webhooks/enable", "POST", View(webhooks.enable)),
    ("/staff/webhooks/disable", "POST", View(webhooks.disable)),
    ("/staff/webhooks/remove", "POST", View(webhooks.remove)),
    ("/staff/jobs", "GET", View(jobs.show)),
    ("/staff/jobs/runs", "GET", View(jobs.show_runs)),
    ("/staff/jobs/run", "POST", View(jobs.run)),
    ("/staff/jobs/pause", "POST", View(jobs.pause)),
    ("/staff/jobs/resume", "POST", View(jobs.resume)),
)


def site(
    schema: strawberry.Schema, settings: Settings, held: Connections, stop: asyncio.Event | None = None
) -> Site:
    """The pages over the schema. Their documents are part of the program, so that none has to be
    registered; what they cost is counted with what the same caller asks of the API."""
    options = EdgeOptions(introspection=False, suggestions=False, ide=False, on_errors=keep_refusals)
    engine = ObservedEngine(schema, options, LimiterBudget(Limiter(cache()), edge.BUDGET))
    return Site(engine, settings, Sessions(engine), Lasting(held, stop))


def routes(made: Site) -> list[BaseRoute]:
    """Every page, and the files that pages are made of."""
    pages = [made.route(path, method, view) for path, method, view in VIEWS]
    files = [
        Route("/static/{name:path}", assets.serve),
        Route("/service-worker.js", assets.serve_worker),
        Route("/visitor-worker.js", assets.serve_worker),
    ]
    return [*pages, *files]
