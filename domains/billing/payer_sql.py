"""Who may see a bill as one who pays it (谁能看到账单): the one rule, for what is read and for who is told.

A tie (与房屋的关系) is a row of `ties`: an owner's or a tenant's own, also one that ended, or that of a family member
through an owner who lives there still. A bill is theirs who were there on its first or its last day; where it names
somebody it is that person's, and is read by the owners who had the house together with them on its first day.
"""

from __future__ import annotations

from domains.billing.dunning import OWNER_TOLD_AFTER

_ZONE = "AT TIME ZONE 'Asia/Shanghai'"


def _until(row: str) -> str:
    """The first day that an occupancy holds no more."""
    return f"least({row}.lease_until_on + 1, ({row}.ended_at {_ZONE})::date, 'infinity'::date)"


def _since(row: str) -> str:
    """The first day of an occupancy. Where the register does not say, always: but for what was before them, if somebody
    of the same capacity was there before them and has left."""
    return f"""coalesce({row}.since_on, (
        SELECT max(least((e.ended_at {_ZONE})::date, ({row}.recorded_at {_ZONE})::date)) FROM occupancy e
        WHERE e.house_id = {row}.house_id AND e.capacity = {row}.capacity AND e.person_id <> {row}.person_id
          AND e.ended_at IS NOT NULL AND e.recorded_at < {row}.recorded_at), '-infinity'::date)"""


def ties(whose: str) -> str:
    """The ties of occupancies `m` that a condition narrows. `holder_id` is the owner or tenant by whom it is one, who
    has been there since `held_from`. Family is of an owner who was there when it came, or came later while no other
    owner has left: it does not pass to whoever buys the house."""
    return f"""
    SELECT m.house_id, m.person_id, m.person_id AS holder_id, m.capacity AS payer, true AS is_own,
        held.since, held.since AS held_from, {_until("m")} AS until
    FROM occupancy m CROSS JOIN LATERAL (SELECT {_since("m")} AS since) held
    WHERE m.capacity IN ('owner', 'tenant') AND {whose}
    UNION ALL
    SELECT m.house_id, m.person_id, o.person_id, 'owner', false,
        greatest(coalesce(m.since_on, '-infinity'::date), held.since), held.since, 'infinity'::date
    FROM occupancy m JOIN occupancy o ON o.house_id = m.house_id AND o.capacity = 'owner' AND o.ended_at IS NULL
    CROSS JOIN LATERAL (SELECT {_since("o")} AS since) held
    WHERE m.capacity = 'family' AND m.ended_at IS NULL AND {whose}
      AND (o.recorded_at <= m.recorded_at OR NOT EXISTS (
        SELECT FROM occupancy e WHERE e.house_id = m.house_id AND e.capacity = 'owner' AND e.person_id <> o.person_id
          AND e.ended_at > m.recorded_at))"""


def _on_first_day(bill: str, since: str, until: str) -> str:
    return f"{since} <= {bill}.covers_from AND {until} > {bill}.covers_from"


def _was_there(bill: str, tie: str) -> str:
    return f"""({_on_first_day(bill, f"{tie}.since", f"{tie}.until")}
        OR {tie}.since < {bill}.covers_until AND {tie}.until >= {bill}.covers_until)"""


def _names_co_owner(bill: str, tie: str) -> str:
    """Had together on the first day: whoever buys a house in the course of a year reads nothing of the year's bill."""
    return f"""{bill}.payer = 'owner' AND {_on_first_day(bill, f"{tie}.held_from", f"{tie}.until")} AND EXISTS (
        SELECT FROM occupancy n WHERE n.house_id = {bill}.house_id AND n.person_id = {bill}.person_id
          AND n.capacity = 'owner' AND {_until("n")} > {bill}.covers_from)"""


def is_theirs(bill: str, tie: str) -> str:
    """Whether a bill is one of those that a tie to its house pays."""
    return f"""({tie}.payer = {bill}.payer AND {_was_there(bill, tie)} AND (
        {bill}.person_id IS NULL OR {bill}.person_id = {tie}.holder_id OR {_names_co_owner(bill, tie)}))"""


# Owners answer for what their tenants owe (《物业管理条例》第四十一条); what they were told of they may open for ever.
def _is_answered_for(bill: str, tie: str, today: str) -> str:
    told_on = f"{bill}.due_on + {OWNER_TOLD_AFTER}"
    return f"""({tie}.payer = 'owner' AND {tie}.is_own AND {bill}.payer = 'tenant' AND {bill}.state <> 'void'
        AND {told_on} <= {today}::date AND {told_on} <= coalesce(({bill}.paid_at {_ZONE})::date, 'infinity'::date)
        AND {_was_there(bill, tie)})"""


def may_see(bill: str, tie: str, today: str) -> str:
    """Whether a tie to a bill's house lets one see the bill; whom it names sees it without one."""
    return f"({is_theirs(bill, tie)} OR {_is_answered_for(bill, tie, today)})"


def _people(bill: str, today: str) -> str:
    return f"""
    SELECT {bill}.person_id, true AS owes WHERE {bill}.person_id IS NOT NULL
    UNION ALL
    SELECT t.person_id, t.is_own AND t.payer = {bill}.payer AND {bill}.person_id IS NULL
    FROM ({ties(f"m.house_id = {bill}.house_id")}) t WHERE {may_see(bill, "t", today)}"""


def accounts(bill: str, today: str) -> str:
    """The accounts that may see a bill as one who pays it, as an array."""
    return f"""ARRAY(SELECT DISTINCT r.account_id FROM ({_people(bill, today)}) w JOIN person r ON r.id = w.person_id
        WHERE r.account_id IS NOT NULL ORDER BY 1)"""


ACCOUNTS = f"SELECT b.id, {accounts('b', '$2')} AS accounts FROM bill b WHERE b.id = ANY($1::uuid[])"

# Who owes: whom a bill names, else the owners or tenants of its time; also where they do not sign in.
DEBTORS = f"""
SELECT DISTINCT b.id AS bill_id, b.house_id, b.payer, r.id AS person_id, r.name, r.phone_sealed
FROM bill b CROSS JOIN LATERAL ({_people("b", "$2")}) w JOIN person r ON r.id = w.person_id
WHERE b.id = ANY($1::uuid[]) AND w.owes ORDER BY b.house_id, b.payer, r.name, r.id, b.id
"""

# Of an account ($1) on a day ($2).
MINE = f"""me AS MATERIALIZED (SELECT id FROM person WHERE account_id = $1),
mine AS MATERIALIZED (
    SELECT t.* FROM me CROSS JOIN LATERAL ({ties("m.person_id = me.id")}) t)"""


def is_mine(bill: str) -> str:
    """Whether a bill is the account's to see, beside MINE."""
    return f"""({bill}.person_id IN (SELECT id FROM me) OR EXISTS (
    SELECT FROM mine WHERE mine.house_id = {bill}.house_id AND {may_see(bill, "mine", "$2")}))"""


_OWNS_NOW = f"""SELECT FROM ({ties("m.house_id = b.house_id")}) t WHERE t.payer = 'owner' AND t.is_own
    AND t.until = 'infinity'"""

_OWED_BY_LEAVERS = f"""SELECT FROM ({ties("m.house_id = b.house_id")}) l WHERE l.until < 'infinity' AND l.is_own
    AND {is_theirs("b", "l")}"""

# A house's money (预存款) is its owners' of today. It is not theirs to give for tenants, for the developer, or for who
# sold the house; a bill that reaches over a sale is left to people.
PAID_BY_HOUSE = f"""(b.payer = 'owner' AND (NOT EXISTS ({_OWNS_NOW}) OR EXISTS (
    {_OWNS_NOW} AND {is_theirs("b", "t")} AND (t.since <= b.covers_from OR NOT EXISTS ({_OWED_BY_LEAVERS})))))"""

# Whoever owns the house now had it, and its money, on the bill's first day already.
OWNED_THEN = f"(NOT EXISTS ({_OWNS_NOW}) OR EXISTS ({_OWNS_NOW} AND t.since <= b.covers_from))"
