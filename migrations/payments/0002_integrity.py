"""What the ORM does not write: balanced journals, kept balances, and that nothing posted is ever changed."""

from tortoise import migrations
from tortoise.migrations import operations as ops

FORWARD = """
CREATE UNIQUE INDEX ledger_account_key ON ledger_account (compound_id, code, subject_id, purpose) NULLS NOT DISTINCT;
CREATE INDEX ledger_account_subject ON ledger_account (subject_id) WHERE subject_id IS NOT NULL;
ALTER TABLE ledger_account ADD CONSTRAINT ledger_account_floor CHECK (balance_fen >= 0);
ALTER TABLE ledger_account ADD CONSTRAINT ledger_account_of_compound UNIQUE (id, compound_id);

ALTER TABLE journal ADD CONSTRAINT journal_key CHECK (key <> '' AND kind <> '');
CREATE UNIQUE INDEX journal_reversed_once ON journal (reverses_id) WHERE reverses_id IS NOT NULL;

ALTER TABLE payable ADD CONSTRAINT payable_bounds
    CHECK (due_fen BETWEEN 0 AND 9007199254740991 AND settled_fen BETWEEN 0 AND due_fen);
ALTER TABLE payable ADD CONSTRAINT payable_in_compound
    FOREIGN KEY (account_id, compound_id) REFERENCES ledger_account (id, compound_id);
ALTER TABLE payable ADD CONSTRAINT payable_of_compound UNIQUE (id, compound_id);
CREATE INDEX payable_open ON payable (holder_id, due_on) WHERE settled_fen < due_fen;
CREATE INDEX payable_overdue ON payable (compound_id, due_on) WHERE settled_fen < due_fen;

ALTER TABLE entry ADD CONSTRAINT entry_amount CHECK (amount_fen <> 0 AND abs(amount_fen) <= 9007199254740991);
CREATE INDEX entry_payable ON entry (payable_id) WHERE payable_id IS NOT NULL;

ALTER TABLE settlement ADD CONSTRAINT settlement_amount CHECK (amount_fen <> 0);
ALTER TABLE settlement ADD CONSTRAINT settlement_in_compound
    FOREIGN KEY (payable_id, compound_id) REFERENCES payable (id, compound_id);
CREATE INDEX settlement_journal ON settlement (journal_id);
CREATE INDEX settlement_compound_on ON settlement (compound_id, settled_on);

-- All entries of a journal are written by one statement and sum to zero: what follows can then only be another
-- balanced lot. Accounts with a floor are locked in one order, so that two postings never wait in a circle; a stronger
-- lock would meet those that the entries' foreign keys already hold on them.
CREATE FUNCTION check_entries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM added GROUP BY journal_id HAVING sum(amount_fen) <> 0) THEN
        RAISE EXCEPTION 'a journal does not balance' USING ERRCODE = 'LJ010';
    END IF;
    IF EXISTS (SELECT FROM added e JOIN journal j ON j.id = e.journal_id JOIN ledger_account a ON a.id = e.account_id
               WHERE a.compound_id <> j.compound_id OR e.posted_on <> j.posted_on) THEN
        RAISE EXCEPTION 'an entry is of another compound or day than its journal' USING ERRCODE = 'LJ011';
    END IF;
    PERFORM FROM ledger_account a WHERE a.balance_fen IS NOT NULL AND a.id IN (SELECT account_id FROM added)
        ORDER BY a.id FOR NO KEY UPDATE;
    UPDATE ledger_account a SET balance_fen = a.balance_fen - moved.fen
    FROM (SELECT account_id, sum(amount_fen) AS fen FROM added GROUP BY account_id) moved
    WHERE a.id = moved.account_id AND a.balance_fen IS NOT NULL AND moved.fen <> 0;
    RETURN NULL;
END $$;
CREATE TRIGGER entry_balanced AFTER INSERT ON entry REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION check_entries();

CREATE TRIGGER journal_is_a_journal BEFORE UPDATE OR DELETE OR TRUNCATE ON journal
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER entry_is_a_journal BEFORE UPDATE OR DELETE OR TRUNCATE ON entry
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER settlement_is_a_journal BEFORE UPDATE OR DELETE OR TRUNCATE ON settlement
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("payments", "0001_initial"), ("kernel", "0002_integrity")]
    operations = [ops.RunSQL(FORWARD)]
