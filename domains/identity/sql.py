"""Named statements over role assignments: what they hold, and over which places."""

from __future__ import annotations

# A permission over a place, as it was given: the whole company, a region's subtree, a compound, a building.
HOLDINGS = """
SELECT p.permission, ra.scope,
    CASE ra.scope WHEN 'company' THEN m.company_id WHEN 'region' THEN ra.region_id
        WHEN 'compound' THEN ra.compound_id ELSE ra.building_id END AS place_id
FROM role_assignment ra
JOIN staff_member m ON m.account_id = ra.account_id
JOIN role r ON r.id = ra.role_id
CROSS JOIN LATERAL unnest(r.permissions) AS p(permission)
WHERE ra.account_id = $1
"""

# A place with all that contain it: region.path holds the ids from the root to the region itself.
PLACE_COMPANY = """
SELECT id AS company_id, NULL::uuid AS compound_id, NULL::uuid AS building_id, '' AS path
FROM company WHERE id = $1
"""

PLACE_REGION = """
SELECT $2::uuid AS company_id, NULL::uuid AS compound_id, NULL::uuid AS building_id, root.path
FROM region root WHERE root.id = $1 AND EXISTS (
    SELECT 1 FROM compound c JOIN region g ON g.id = c.region_id
    WHERE c.company_id = $2 AND starts_with(g.path, root.path))
"""

PLACE_COMPOUND = """
SELECT c.company_id, c.id AS compound_id, NULL::uuid AS building_id, g.path
FROM compound c JOIN region g ON g.id = c.region_id WHERE c.id = $1
"""

PLACE_BUILDING = """
SELECT c.company_id, c.id AS compound_id, b.id AS building_id, g.path
FROM building b JOIN compound c ON c.id = b.compound_id JOIN region g ON g.id = c.region_id WHERE b.id = $1
"""

# The places at which an account, or everybody who has a role, holds something.
ASSIGNED = """
SELECT ra.id, r.permissions, ra.scope, m.company_id, coalesce(c.id, bc.id) AS compound_id, ra.building_id,
    coalesce(root.path, g.path, bg.path, '') AS path
FROM role_assignment ra
JOIN role r ON r.id = ra.role_id
JOIN staff_member m ON m.account_id = ra.account_id
LEFT JOIN region root ON root.id = ra.region_id
LEFT JOIN compound c ON c.id = ra.compound_id LEFT JOIN region g ON g.id = c.region_id
LEFT JOIN building b ON b.id = ra.building_id
LEFT JOIN compound bc ON bc.id = b.compound_id LEFT JOIN region bg ON bg.id = bc.region_id
WHERE ($1::uuid IS NULL OR ra.account_id = $1) AND ($2::uuid IS NULL OR ra.role_id = $2)
    AND ($3::uuid IS NULL OR ra.id = $3)
"""

# Who can put right whatever goes wrong: signs in today, and holds both permissions over the whole company.
ADMINISTRATORS = """
SELECT count(*) FROM staff_member m JOIN account a ON a.id = m.account_id
WHERE m.company_id = $1 AND a.disabled_at IS NULL
    AND m.valid_from <= $2 AND (m.valid_until IS NULL OR m.valid_until >= $2)
    AND (SELECT count(DISTINCT p.permission) FROM role_assignment ra JOIN role r ON r.id = ra.role_id
        CROSS JOIN LATERAL unnest(r.permissions) AS p(permission)
        WHERE ra.account_id = m.account_id AND ra.scope = 'company'
            AND p.permission = ANY($3::text[])) = cardinality($3::text[])
"""

LOCK_COMPANY = "SELECT id FROM company WHERE id = $1 FOR NO KEY UPDATE"
