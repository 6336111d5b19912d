"""Statements of the ledger."""

from __future__ import annotations

# Accounts without a subject are looked up by themselves: `IS NOT DISTINCT FROM` would not use the index.
ACCOUNTS = """
WITH wanted AS (SELECT * FROM unnest($2::text[], $3::uuid[], $4::text[]) AS w (code, subject_id, purpose))
SELECT a.id, a.code, a.subject_id, a.purpose FROM wanted w
JOIN ledger_account a ON a.compound_id = $1 AND a.code = w.code AND a.subject_id = w.subject_id AND a.purpose = w.purpose
UNION ALL
SELECT a.id, a.code, a.subject_id, a.purpose FROM wanted w
JOIN ledger_account a ON a.compound_id = $1 AND a.code = w.code AND a.subject_id IS NULL AND a.purpose = w.purpose
WHERE w.subject_id IS NULL
"""

OPEN_ACCOUNTS = """
INSERT INTO ledger_account (id, compound_id, code, subject_id, purpose, balance_fen, opened_at)
SELECT make_uuid7(), $1, w.code, w.subject_id, w.purpose, CASE WHEN w.code = ANY($5::text[]) THEN 0 END, $6
FROM (SELECT DISTINCT * FROM unnest($2::text[], $3::uuid[], $4::text[]) AS w (code, subject_id, purpose)) w
ORDER BY w.code, w.subject_id, w.purpose
ON CONFLICT DO NOTHING
"""

BALANCE = """
SELECT balance_fen FROM ledger_account
WHERE compound_id = $1 AND code = $2 AND (subject_id = $3 OR subject_id IS NULL AND $3 IS NULL) AND purpose = $4
"""

BALANCES = "SELECT id, subject_id, balance_fen FROM ledger_account WHERE id = ANY($1::uuid[]) AND balance_fen IS NOT NULL"

POST = """
INSERT INTO journal (id, compound_id, kind, key, posted_on, posted_at, memo, actor_id, reverses_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (compound_id, key) DO NOTHING RETURNING id
"""

POSTED = "SELECT id FROM journal WHERE compound_id = $1 AND key = $2"

# All entries of a journal in one statement: the database checks that it balances as it is written.
ENTER = """
INSERT INTO entry (id, journal_id, account_id, payable_id, amount_fen, posted_on)
SELECT make_uuid7(), $1::uuid, e.account_id, e.payable_id, e.fen, $2
FROM unnest($3::uuid[], $4::uuid[], $5::bigint[]) AS e (account_id, payable_id, fen)
"""

OPEN_PAYABLES = """
WITH opened AS (
    INSERT INTO payable (id, compound_id, subject_type, subject_id, holder_id, account_id, due_fen, settled_fen, due_on,
        opened_on)
    SELECT make_uuid7(), $1::uuid, $2, p.subject_id, p.holder_id, a.id, p.due_fen, 0, p.due_on, $3::date
    FROM unnest($4::uuid[], $5::uuid[], $6::bigint[], $7::date[]) AS p (subject_id, holder_id, due_fen, due_on)
    JOIN ledger_account a ON a.compound_id = $1 AND a.code = 'receivable' AND a.subject_id = p.holder_id AND a.purpose = ''
    RETURNING id, account_id, due_fen)
INSERT INTO entry (id, journal_id, account_id, payable_id, amount_fen, posted_on)
SELECT make_uuid7(), $8::uuid, account_id, id, due_fen, $3::date FROM opened
UNION ALL
SELECT make_uuid7(), $8::uuid, c.account_id, NULL, c.fen, $3::date
FROM unnest($9::uuid[], $10::bigint[]) AS c (account_id, fen)
"""

LOCK_PAYABLES = """
SELECT id, compound_id, subject_type, subject_id, holder_id, account_id, due_fen, settled_fen, due_on, held_until
FROM payable WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE
"""

PAYABLES_OF = """
SELECT id, compound_id, subject_type, subject_id, holder_id, account_id, due_fen, settled_fen, due_on, held_until
FROM payable WHERE subject_id = ANY($2::uuid[]) AND subject_type = $1
"""

CHANGE_PAYABLE = "UPDATE payable SET due_fen = due_fen + $2, settled_fen = settled_fen + $3 WHERE id = $1"

SETTLE = """
WITH paid AS (SELECT * FROM unnest($1::uuid[], $2::bigint[]) AS p (payable_id, fen)),
moved AS (
    UPDATE payable SET settled_fen = payable.settled_fen + paid.fen FROM paid WHERE payable.id = paid.payable_id)
INSERT INTO settlement (id, compound_id, payable_id, journal_id, amount_fen, settled_on)
SELECT make_uuid7(), $3, payable_id, $4, fen, $5 FROM paid
"""

SETTLED_BY = "SELECT payable_id, amount_fen FROM settlement WHERE journal_id = $1 ORDER BY payable_id"

ENTRIES_OF = "SELECT account_id, payable_id, amount_fen FROM entry WHERE journal_id = $1 ORDER BY id"

HOLD = "UPDATE payable SET held_until = $2, held_by = $3 WHERE id = ANY($1::uuid[])"

# A part pays some of what is held with it: all of it is let go, in the order in which everybody locks.
RELEASE = """
UPDATE payable SET held_until = NULL, held_by = NULL WHERE id IN (
    SELECT id FROM payable WHERE held_by = $2
        AND subject_id IN (SELECT subject_id FROM payable WHERE id = ANY($1::uuid[]))
    ORDER BY id FOR NO KEY UPDATE)
"""
