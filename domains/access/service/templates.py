"""Visits that repeat (常访模板): the cleaner, Tuesdays 9 to 11. One link for all its passes."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from uuid import UUID

from domains.access import pass_sql, sealed, visits
from domains.access.community import Rules, rules_of
from domains.access.models import PassTemplate
from domains.access.rules import Window
from domains.access.service import ending, issuing
from domains.access.service.issuing import Columns, Guest
from domains.access.service.passes import own_house
from domains.access.visits import Weekly
from domains.kernel import clock, database, phones, sealing
from domains.kernel.actor import SYSTEM, Actor
from domains.kernel.command import command, concerns
from domains.kernel.errors import Conflict, NotFound

COPIED = ("guest_name", "plate", "companions", "purpose", "message")


@command("pass_template.create", caller="resident")
async def create_pass_template(
    actor: Actor,
    *,
    house_id: UUID,
    guest: Guest,
    weekdays: Collection[int],
    from_minute: int,
    until_minute: int,
    until_on: date,
    idempotency_key: UUID,
    uses: int = 1,
) -> UUID:
    """Expect somebody every week at the same hours, Monday being 1 and minutes those of the day in Asia/Shanghai.

    The passes of the next two days are made at once, each later one two days before. They do not count for the day's
    limit of the house, which may have twenty templates instead. Raises PASS_TEMPLATES_TOO_MANY, a TEMPLATE_ or VISIT_
    code, or the codes of the guest's fields.
    """
    tie = own_house(actor, house_id)
    rules = await rules_of(tie.compound_id)
    weekly = Weekly(visits.weekday_bits(weekdays), from_minute, until_minute, until_on)
    weekly.check(clock.today(), rules.longest_window_h)
    visits.check_uses(uses, rules.most_uses)
    columns = issuing.guest_columns(guest)
    await issuing.require_occupant(actor, house_id)
    if await database.fetchval(pass_sql.RUNNING_TEMPLATES, house_id, clock.today()) >= visits.MOST_TEMPLATES:
        raise Conflict("PASS_TEMPLATES_TOO_MANY", "这套房屋的常访模板太多,请先结束不用的")
    made = await _create(tie.compound_id, house_id, actor.id, weekly, {**columns, "uses_allowed": uses})
    concerns("PassTemplate", made.id, tie.compound_id, house=house_id)
    await _make_passes(rules, made)
    return made.id


async def _create(
    compound_id: UUID, house_id: UUID, host_id: UUID, weekly: Weekly, columns: Columns
) -> PassTemplate:
    # Only passes are looked up by phone; theirs are indexed when they are made.
    kept = {name: value for name, value in columns.items() if not name.startswith("phone_")}
    phone = sealing.unseal_optional(columns.get("phone_sealed"), sealed.PHONE)
    return await PassTemplate.create(
        compound_id=compound_id, house_id=house_id, host_id=host_id, weekdays=weekly.weekdays,
        from_minute=weekly.from_minute, until_minute=weekly.until_minute, until_on=weekly.until_on,
        created_at=clock.now(), phone_sealed=sealing.seal_optional(phone, sealed.TEMPLATE_PHONE), **kept,
        **issuing.link_columns(purpose=sealed.TEMPLATE_LINK),
    )  # fmt: skip


@command("pass_template.end", caller="resident")
async def end_pass_template(actor: Actor, *, template_id: UUID) -> UUID:
    """End a template and revoke its passes that are not over: its host, or an owner of the house.

    Raises TEMPLATE_NOT_FOUND, TEMPLATE_ENDED.
    """
    row = await database.fetchrow(pass_sql.TEMPLATE_TO_CHANGE, template_id)
    if row is None:
        raise NotFound("TEMPLATE_NOT_FOUND", "没有找到这个常访模板,请刷新后重试", "pass_template")
    tie = own_house(actor, row["house_id"])
    if tie.capacity != "owner" and row["host_id"] != actor.id:
        actor.refuse()
    concerns("PassTemplate", template_id, row["compound_id"], house=row["house_id"])
    if row["ended_at"] is not None:
        raise Conflict("TEMPLATE_ENDED", "这个常访模板已经结束,无需重复操作")
    await ending.end_template(template_id, actor.id)
    return template_id


async def make_due() -> int:
    """Make the passes of the coming two days that are not there yet, a template at a time; how many."""
    now = clock.now()
    due = await database.fetch(pass_sql.DUE_TEMPLATES, clock.today(), now, now + visits.AHEAD)
    return sum([await _make_one(SYSTEM, row["id"], row["house_id"]) for row in due])


@command("pass_template.make", caller="system", audited=False)
async def _make_one(actor: Actor, template_id: UUID, house_id: UUID) -> int:
    await issuing.take_turn(house_id)
    template = await PassTemplate.filter(pk=template_id, ended_at=None).select_for_update().get_or_none()
    if template is None:
        return 0
    if not await issuing.lives_there(template.host_id, house_id):  # type: ignore[attr-defined]  # the key of `host`
        await ending.end_template(template_id, None, ending.MOVED_OUT)
        return 0
    return await _make_passes(await rules_of(template.compound_id), template)  # type: ignore[attr-defined]  # of `compound`


async def _make_passes(rules: Rules, template: PassTemplate) -> int:
    """Those that the compound's rules of today allow: shorter hours than a template's make none of it."""
    now = clock.now()
    weekly = Weekly(template.weekdays, template.from_minute, template.until_minute, template.until_on)
    rows = await database.fetch(pass_sql.MADE_OF_TEMPLATE, template.id, now)
    made = {row["starts_at"] for row in rows}
    new = [
        window
        for window in weekly.occasions(now, visits.AHEAD)
        if window.starts_at not in made and _is_allowed(window, rules)
    ]
    for window in new:
        await _issue(rules, template, window)
    return len(new)


def _is_allowed(window: Window, rules: Rules) -> bool:
    return (window.ends_at - window.starts_at).total_seconds() <= rules.longest_window_h * 3600


async def _issue(rules: Rules, template: PassTemplate, window: Window) -> None:
    copied = {name: getattr(template, name) for name in COPIED}
    phone = sealing.unseal_optional(template.phone_sealed, sealed.TEMPLATE_PHONE)
    link = sealed.link_columns(sealing.unseal(template.link_sealed, sealed.TEMPLATE_LINK))
    host_id = template.host_id  # type: ignore[attr-defined]  # the key of `host`
    columns = {
        **copied, **link, **(sealed.phone_columns(phones.normalise(phone)) if phone else {}), "origin": "template",
        "template_id": template.id, "host_id": host_id, "decided_by": host_id,
        "uses_allowed": min(template.uses_allowed or rules.most_uses, rules.most_uses),
    }  # fmt: skip
    await issuing.issue(rules, template.house_id, window, columns)  # type: ignore[attr-defined]  # of `house`
