"""Statements of the commands; those of the reads stand beside them."""

from __future__ import annotations

PHONE_HELD = "SELECT phone_sealed FROM account WHERE id = $1 FOR SHARE"

# By the keys that the register import gives, however somebody writes the names. A unit may be left out.
FIND_HOUSES = """
SELECT h.id, u.key = $3 AS exact FROM house h JOIN unit u ON u.id = h.unit_id JOIN building b ON b.id = h.building_id
WHERE h.compound_id = $1 AND b.key = $2 AND (u.key = $3 OR $3 = '') AND h.room_key = $4
ORDER BY exact DESC LIMIT 2
"""

REGISTER = """
INSERT INTO registration (id, compound_id, house_id, account_id, place, name, capacity, phone_sealed, phone_index,
    document_kind, document_sealed, document_index, note, lease_until_on, state, submitted_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 'pending', $15)
ON CONFLICT (house_id, account_id) WHERE state = 'pending' DO NOTHING
"""

REGISTRATION_FOR_REVIEW = """
SELECT r.id, r.compound_id, r.house_id, h.building_id, r.account_id, r.state, r.name, r.capacity, r.phone_sealed,
    r.document_kind, r.document_sealed, r.lease_until_on
FROM registration r JOIN house h ON h.id = r.house_id WHERE r.id = $1 FOR UPDATE OF r
"""

# Bindings of a compound take turns: what the first one makes of a person, the second one finds.
BINDING_TURN = "SELECT pg_advisory_xact_lock(hashtextextended('binding:' || $1::uuid, 0))"

# The last line is the person whose register has a name and nothing else; a reviewer may find one who has a
# document as well. By an invitation ($9) that would show a tenant's document to a landlord's second phone; and a
# person nobody signs in for who has other houses is no candidate of one: its owner speaks for one house only.
CANDIDATES = """
SELECT p.id, p.name, p.account_id,
    coalesce(p.document_index = $4 AND p.document_kind = $5, false) AS by_document,
    p.phone_index = $6 AND p.name = $7 AS by_phone_and_name,
    coalesce(p.document_kind = $5 AND p.document_index <> $4, false) AS document_differs
FROM person p
WHERE p.compound_id = $1
  AND (p.account_id = $2 OR (p.document_index = $4 AND p.document_kind = $5)
    OR (p.phone_index = $6 AND p.name = $7)
    OR (p.name = $7 AND p.phone_index IS NULL AND p.account_id IS NULL AND NOT ($9 AND p.document_index IS NOT NULL)
        AND EXISTS (SELECT 1 FROM occupancy o WHERE o.person_id = p.id AND o.house_id = $3
            AND o.ended_at IS NULL AND o.capacity = $8)))
  AND (NOT $9 OR p.account_id IS NOT NULL OR NOT EXISTS (SELECT 1 FROM occupancy o
        WHERE o.person_id = p.id AND o.house_id <> $3 AND o.ended_at IS NULL))
ORDER BY EXISTS (SELECT 1 FROM occupancy o WHERE o.person_id = p.id AND o.house_id = $3 AND o.ended_at IS NULL) DESC,
    p.recorded_at, p.id
"""

# To link an account to a person is to give it all of the person's houses.
HAS_HOUSES_BEYOND = """
SELECT EXISTS (SELECT 1 FROM occupancy o JOIN house h ON h.id = o.house_id JOIN person p ON p.id = o.person_id
    WHERE p.id = $1 AND p.account_id IS NULL AND o.ended_at IS NULL AND h.building_id <> ALL($2::uuid[]))
"""

# What the register has is kept; what it lacks is learnt.
LINK = """
UPDATE person SET account_id = $2,
    phone_sealed = CASE WHEN phone_index IS NULL THEN $3 ELSE phone_sealed END,
    phone_tail_index = CASE WHEN phone_index IS NULL THEN $5 ELSE phone_tail_index END,
    phone_index = coalesce(phone_index, $4),
    document_kind = CASE WHEN document_index IS NULL THEN $6 ELSE document_kind END,
    document_sealed = CASE WHEN document_index IS NULL THEN $7 ELSE document_sealed END,
    document_index = coalesce(document_index, $8)
WHERE id = $1 AND (account_id IS NULL OR account_id = $2)
"""

LIVE_OCCUPANCY = """
SELECT id, capacity FROM occupancy WHERE house_id = $1 AND person_id = $2 AND ended_at IS NULL FOR UPDATE
"""

EXTEND_LEASE = "UPDATE occupancy SET lease_until_on = $2 WHERE id = $1"

# The end of the last day, which is when it stopped to count. Rows are locked in one order, for a binding
# does this to its own house at any time.
END_LEASES = """
WITH due AS (
    SELECT id FROM occupancy
    WHERE ended_at IS NULL AND lease_until_on < $1 AND ($3::uuid IS NULL OR house_id = $3) ORDER BY id FOR UPDATE)
UPDATE occupancy o SET ended_at = (o.lease_until_on + 1)::timestamp AT TIME ZONE 'Asia/Shanghai', end_reason = $2
FROM due, person p WHERE o.id = due.id AND p.id = o.person_id
RETURNING o.id, o.compound_id, o.house_id, o.person_id, p.account_id, o.capacity
"""

HOUSE_TURN = "SELECT 1 FROM house WHERE id = $1 FOR NO KEY UPDATE"

OCCUPANCY_TO_END = """
SELECT o.id, o.compound_id, o.house_id, h.building_id, o.person_id, o.capacity, p.account_id
FROM occupancy o JOIN house h ON h.id = o.house_id JOIN person p ON p.id = o.person_id WHERE o.id = $1
"""

END_OCCUPANCY = """
UPDATE occupancy SET ended_at = $2, end_reason = $3, ended_by = $4 WHERE id = $1 AND ended_at IS NULL
"""

OTHER_OWNERS = """
SELECT count(*) FROM occupancy WHERE house_id = $1 AND id <> $2 AND capacity = 'owner' AND ended_at IS NULL
"""

WITHDRAW_INVITATIONS = """
UPDATE invitation SET state = 'withdrawn' WHERE state = 'open' AND house_id = $1 AND inviter_id = $2
    AND ($3::bytea IS NULL OR phone_index = $3)
"""

INVITATION_TO_ACCEPT = """
SELECT i.id, i.compound_id, i.house_id, i.inviter_id, i.capacity, i.name, i.lease_until_on, i.state, i.expires_at
FROM invitation i WHERE (i.code_hash = $1 OR i.id = $2) AND i.phone_index = $3 FOR UPDATE
"""

# Held until the binding is committed: an owner who ends at this moment ends before it or after it.
STILL_OWNER = """
SELECT o.id FROM occupancy o JOIN person p ON p.id = o.person_id
WHERE p.account_id = $1 AND o.house_id = $2 AND o.capacity = 'owner' AND o.ended_at IS NULL FOR SHARE OF o
"""

EXPIRE_INVITATIONS = "UPDATE invitation SET state = 'expired' WHERE state = 'open' AND expires_at <= $1"

ADD_VEHICLE = """
INSERT INTO vehicle (id, compound_id, house_id, person_id, kind, plate, plate_colour, brand, model, colour, source,
    recorded_at)
SELECT $1, $2, $3, p.id, $5, $6, $7, $8, $9, $10, $11, $12
FROM (SELECT 1) AS one LEFT JOIN person p ON p.compound_id = $2 AND p.account_id = $4
ON CONFLICT (compound_id, plate) WHERE removed_at IS NULL DO NOTHING
"""

VEHICLE_PLACE = """
SELECT v.id, v.compound_id, v.house_id, h.building_id FROM vehicle v JOIN house h ON h.id = v.house_id
WHERE v.id = $1 AND v.removed_at IS NULL
"""

HOUSE_PLACE = "SELECT compound_id, building_id FROM house WHERE id = $1"

# A person without a house is in the whole compound's register and in no building's.
PERSON_PLACE = """
SELECT p.compound_id, p.account_id, p.name, p.document_kind, array(
    SELECT DISTINCT h.building_id FROM occupancy o JOIN house h ON h.id = o.house_id
    WHERE o.person_id = p.id AND o.ended_at IS NULL) AS buildings
FROM person p WHERE p.id = $1 FOR NO KEY UPDATE OF p
"""

# The key that was there comes back, to the one of two writers who replaced it.
SWAP_PERSON_PHOTO = """
UPDATE person p SET photo_key = $2 FROM (SELECT id, photo_key FROM person WHERE id = $1 FOR NO KEY UPDATE) old
WHERE p.id = old.id RETURNING old.photo_key
"""

SWAP_VEHICLE_PHOTO = """
UPDATE vehicle v SET photo_key = $2 FROM (SELECT id, photo_key FROM vehicle WHERE id = $1 FOR NO KEY UPDATE) old
WHERE v.id = old.id RETURNING old.photo_key
"""

# What is told of a registration, and where it is reviewed.
REGISTRATION_TOLD = """
SELECT r.account_id, r.state, r.reviewed_at, r.reason, h.building_id, h.number AS house, c.name AS compound
FROM registration r JOIN house h ON h.id = r.house_id JOIN compound c ON c.id = r.compound_id WHERE r.id = $1
"""

# The account that has proved the number, while the invitation can be taken up.
INVITATION_TOLD = """
SELECT i.expires_at, h.number AS house, c.name AS compound, coalesce(p.name, owner.name) AS inviter,
    array(SELECT a.id FROM account a WHERE a.kind = 'resident' AND a.phone_index = i.phone_index
        AND a.disabled_at IS NULL) AS invited
FROM invitation i JOIN house h ON h.id = i.house_id JOIN compound c ON c.id = i.compound_id
JOIN account owner ON owner.id = i.inviter_id
LEFT JOIN person p ON p.compound_id = i.compound_id AND p.account_id = i.inviter_id
WHERE i.id = $1 AND i.state = 'open' AND i.expires_at > $2
"""

# Owners of a house who have it now and sign in, without the one who knows already.
_OWNERS = """
SELECT DISTINCT q.account_id FROM occupancy l JOIN person q ON q.id = l.person_id
WHERE l.house_id = h.id AND l.capacity = 'owner' AND l.ended_at IS NULL AND q.account_id IS NOT NULL
    AND q.account_id IS DISTINCT FROM p.account_id
"""

# Who came to own a house after somebody had left it never lived with them.
OCCUPANCY_TOLD = f"""
SELECT p.name, p.account_id, o.end_reason, o.ended_by, h.number AS house, c.name AS compound,
    array({_OWNERS} AND (o.ended_at IS NULL OR l.recorded_at <= o.ended_at)) AS owners
FROM occupancy o JOIN person p ON p.id = o.person_id JOIN house h ON h.id = o.house_id
JOIN compound c ON c.id = o.compound_id WHERE o.id = $1
"""

VEHICLE_TOLD = f"""
SELECT v.plate, h.number AS house, c.name AS compound, array({_OWNERS}) AS owners
FROM vehicle v JOIN house h ON h.id = v.house_id JOIN compound c ON c.id = v.compound_id
LEFT JOIN person p ON p.id = v.person_id WHERE v.id = $1 AND v.removed_at IS NULL
"""  # put together from constants
