"""Who pays on a day (缴费责任): a house's own rows, a tenant who lives there, or what the fee item says."""

from __future__ import annotations

# Of what is recorded for a house the fee item's own row comes before the one for all.
LIABLE = """
LEFT JOIN LATERAL (
    SELECT l.payer, l.person_id FROM liability l
    WHERE l.house_id = {house} AND (l.fee_item_id = {item} OR l.fee_item_id IS NULL)
      AND l.from_on <= {day} AND coalesce(l.until_on, 'infinity'::date) > {day}
    ORDER BY l.fee_item_id IS NULL, l.from_on DESC, l.id LIMIT 1) AS liable ON true"""

TENANCY_FROM = "coalesce(o.since_on, (o.recorded_at AT TIME ZONE 'Asia/Shanghai')::date)"
TENANCY_UNTIL = (
    """least(o.lease_until_on + 1, (o.ended_at AT TIME ZONE 'Asia/Shanghai')::date, 'infinity'::date)"""
)

_TENANTED = f"""EXISTS (SELECT FROM occupancy o WHERE o.house_id = {{house}} AND o.capacity = 'tenant'
        AND {TENANCY_FROM} <= {{day}} AND {TENANCY_UNTIL} > {{day}})"""

PAYER = (
    """CASE WHEN {day} < {theirs_from} THEN 'developer' WHEN liable.payer IS NOT NULL THEN liable.payer
    WHEN {usual} = 'tenant' AND """
    + _TENANTED
    + """ THEN 'tenant' ELSE 'owner' END"""
)
PERSON = "CASE WHEN {day} >= {theirs_from} THEN liable.person_id END"
