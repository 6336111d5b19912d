"""What the ORM does not write: checks, one line of a period for ever, and that rows stay in their compound."""

from tortoise import migrations
from tortoise.migrations import operations as ops

PAYERS = "'owner', 'tenant', 'developer'"
METER_KINDS = "'water', 'hot_water', 'electricity', 'gas', 'heat'"
CATEGORIES = "'property', 'parking', 'water', 'hot_water', 'electricity', 'gas', 'heating', 'shared', 'waste', 'deposit', 'other'"
METHODS = "'built_area', 'inner_area', 'fixed', 'metered', 'pooled', 'vehicle', 'one_off', 'formula'"
EXPENSES = "'staff', 'cleaning', 'greening', 'security', 'repair', 'energy', 'lift', 'insurance', 'office', 'tax', 'other'"
MOST_FEN = 9007199254740991


def is_month(column: str) -> str:
    return f"{column} = date_trunc('month', {column}::timestamp)::date"


FORWARD = f"""
ALTER TABLE billing_rules ADD CONSTRAINT billing_rules_bounds CHECK (billing_day BETWEEN 1 AND 28
    AND months_back BETWEEN 0 AND 12 AND due_days BETWEEN 0 AND 365 AND last_bill_number >= 0);

ALTER TABLE late_fee_rule ADD CONSTRAINT late_fee_rule_bounds CHECK (daily_rate > 0 AND daily_rate <= 0.01
    AND grace_days BETWEEN 0 AND 365 AND cap_percent > 0);

ALTER TABLE fee_item ADD CONSTRAINT fee_item_of_compound UNIQUE (id, compound_id);
ALTER TABLE fee_item ADD CONSTRAINT fee_item_category CHECK (category IN ({CATEGORIES}));
ALTER TABLE fee_item ADD CONSTRAINT fee_item_method CHECK (method IN ({METHODS}));
ALTER TABLE fee_item ADD CONSTRAINT fee_item_timing CHECK (timing IN ('advance', 'arrears'));
ALTER TABLE fee_item ADD CONSTRAINT fee_item_anchor CHECK (anchor IN ('calendar', 'hand_over'));
ALTER TABLE fee_item ADD CONSTRAINT fee_item_anchored CHECK ((anchor = 'calendar') = (anchor_on IS NOT NULL));
ALTER TABLE fee_item ADD CONSTRAINT fee_item_cycle CHECK ((method = 'one_off') = (cycle_months IS NULL)
    AND cycle_months BETWEEN 1 AND 120 AND price_months BETWEEN 1 AND 120);
ALTER TABLE fee_item ADD CONSTRAINT fee_item_arrears CHECK (timing = 'arrears' OR method NOT IN ('metered', 'pooled'));
ALTER TABLE fee_item ADD CONSTRAINT fee_item_payer CHECK (payer IN ('owner', 'tenant'));
ALTER TABLE fee_item ADD CONSTRAINT fee_item_vacancy CHECK (vacancy_percent BETWEEN 0 AND 100);
ALTER TABLE fee_item ADD CONSTRAINT fee_item_metered CHECK ((method = 'metered') = (meter_kind IS NOT NULL)
    AND meter_kind IN ({METER_KINDS}));
ALTER TABLE fee_item ADD CONSTRAINT fee_item_tier_span CHECK (tier_span IN ('month', 'year'));
ALTER TABLE fee_item ADD CONSTRAINT fee_item_pooled CHECK (pooled_by IN ('built_area', 'household'));
ALTER TABLE fee_item ADD CONSTRAINT fee_item_pooled_only CHECK ((method = 'pooled') = (pooled_by IS NOT NULL));
ALTER TABLE fee_item ADD CONSTRAINT fee_item_life CHECK (ends_on > starts_on);

ALTER TABLE fee_price ADD CONSTRAINT fee_price_kind CHECK (num_nonnulls(price_fen, tiers, formula) = 1);
ALTER TABLE fee_price ADD CONSTRAINT fee_price_bounds CHECK (price_fen >= 0);
ALTER TABLE advance_discount ADD CONSTRAINT advance_discount_bounds CHECK (months BETWEEN 1 AND 36
    AND percent > 0 AND percent < 100);

ALTER TABLE liability ADD CONSTRAINT liability_payer CHECK (payer IN ({PAYERS}));
ALTER TABLE liability ADD CONSTRAINT liability_life CHECK (until_on > from_on);
ALTER TABLE liability ADD CONSTRAINT liability_in_compound
    FOREIGN KEY (house_id, compound_id) REFERENCES house (id, compound_id);
ALTER TABLE liability ADD CONSTRAINT liability_person_in_compound
    FOREIGN KEY (person_id, compound_id) REFERENCES person (id, compound_id);
CREATE INDEX liability_house ON liability (house_id, from_on);
CREATE UNIQUE INDEX liability_once ON liability (house_id, fee_item_id, from_on) NULLS NOT DISTINCT;

ALTER TABLE vacancy ADD CONSTRAINT vacancy_state CHECK (state IN ('requested', 'approved', 'rejected'));
ALTER TABLE vacancy ADD CONSTRAINT vacancy_life CHECK (until_on > from_on);
ALTER TABLE vacancy ADD CONSTRAINT vacancy_decided CHECK ((state = 'requested') = (decided_at IS NULL));
ALTER TABLE vacancy ADD CONSTRAINT vacancy_in_compound
    FOREIGN KEY (house_id, compound_id) REFERENCES house (id, compound_id);
CREATE INDEX vacancy_house ON vacancy (house_id, from_on) WHERE state <> 'rejected';
CREATE INDEX vacancy_waiting ON vacancy (compound_id, requested_at, id);

ALTER TABLE fee_agreement ADD CONSTRAINT fee_agreement_life CHECK (until_on > from_on);
ALTER TABLE fee_agreement ADD CONSTRAINT fee_agreement_bounds CHECK (percent BETWEEN 0 AND 1000
    AND coefficient BETWEEN 0 AND 1000);
ALTER TABLE fee_agreement ADD CONSTRAINT fee_agreement_in_compound
    FOREIGN KEY (house_id, compound_id) REFERENCES house (id, compound_id);
ALTER TABLE fee_agreement ADD CONSTRAINT fee_agreement_item_in_compound
    FOREIGN KEY (fee_item_id, compound_id) REFERENCES fee_item (id, compound_id);
CREATE UNIQUE INDEX fee_agreement_once ON fee_agreement (house_id, fee_item_id, from_on);

ALTER TABLE pooled_cost ADD CONSTRAINT pooled_cost_bounds CHECK (total_fen BETWEEN 0 AND {MOST_FEN} AND weight > 0);
ALTER TABLE pooled_cost ADD CONSTRAINT pooled_cost_in_compound
    FOREIGN KEY (fee_item_id, compound_id) REFERENCES fee_item (id, compound_id);
ALTER TABLE pool_share ADD CONSTRAINT pool_share_bounds CHECK (amount_fen >= 0 AND weight >= 0);

ALTER TABLE one_off_charge ADD CONSTRAINT one_off_charge_amount CHECK (amount_fen BETWEEN 1 AND {MOST_FEN});
ALTER TABLE one_off_charge ADD CONSTRAINT one_off_charge_in_compound
    FOREIGN KEY (house_id, compound_id) REFERENCES house (id, compound_id);
ALTER TABLE one_off_charge ADD CONSTRAINT one_off_charge_item_in_compound
    FOREIGN KEY (fee_item_id, compound_id) REFERENCES fee_item (id, compound_id);
CREATE INDEX one_off_charge_page ON one_off_charge (compound_id, charged_on, id);
CREATE INDEX one_off_charge_house ON one_off_charge (house_id, charged_on) WHERE cancelled_at IS NULL;

ALTER TABLE meter ADD CONSTRAINT meter_of_compound UNIQUE (id, compound_id);
ALTER TABLE meter ADD CONSTRAINT meter_kind CHECK (kind IN ({METER_KINDS}));
ALTER TABLE meter ADD CONSTRAINT meter_bounds CHECK (multiplier > 0 AND digits BETWEEN 3 AND 9 AND daily_most > 0
    AND removed_on >= installed_on);
ALTER TABLE meter ADD CONSTRAINT meter_house_in_compound
    FOREIGN KEY (house_id, compound_id) REFERENCES house (id, compound_id);
ALTER TABLE meter ADD CONSTRAINT meter_building_in_compound
    FOREIGN KEY (building_id, compound_id) REFERENCES building (id, compound_id);
ALTER TABLE meter ADD CONSTRAINT meter_device_in_compound
    FOREIGN KEY (device_id, compound_id) REFERENCES device (id, compound_id);
CREATE UNIQUE INDEX meter_number ON meter (compound_id, kind, number) WHERE removed_on IS NULL;
CREATE INDEX meter_house ON meter (house_id, kind) WHERE house_id IS NOT NULL;
CREATE INDEX meter_device ON meter (device_id) WHERE device_id IS NOT NULL;
CREATE INDEX meter_compound ON meter (compound_id, kind, number, id);
CREATE UNIQUE INDEX meter_replaced_once ON meter (replaces_id) WHERE replaces_id IS NOT NULL;

ALTER TABLE meter_reading ADD CONSTRAINT meter_reading_source
    CHECK (source IN ('collector', 'staff', 'resident', 'install', 'removal'));
ALTER TABLE meter_reading ADD CONSTRAINT meter_reading_state CHECK (state IN ('accepted', 'held', 'rejected'));
ALTER TABLE meter_reading ADD CONSTRAINT meter_reading_bounds CHECK (value >= 0 AND (state = 'accepted') = (total IS NOT NULL)
    AND total >= 0 AND (state = 'accepted' OR problem <> ''));
ALTER TABLE meter_reading ADD CONSTRAINT meter_reading_in_compound
    FOREIGN KEY (meter_id, compound_id) REFERENCES meter (id, compound_id);
CREATE INDEX meter_reading_held ON meter_reading (meter_id, read_at) WHERE state = 'held';
CREATE INDEX meter_reading_waiting ON meter_reading (compound_id, received_at, id) WHERE state = 'held';
CREATE INDEX meter_reading_accepted ON meter_reading (meter_id, read_on, read_at) INCLUDE (total) WHERE state = 'accepted';

ALTER TABLE meter_use ADD CONSTRAINT meter_use_units CHECK (units >= 0);
CREATE INDEX meter_use_line ON meter_use (line_id);
CREATE INDEX meter_use_year ON meter_use (meter_id, used_on) INCLUDE (units);

ALTER TABLE billing_run ADD CONSTRAINT billing_run_of_compound UNIQUE (id, compound_id);
ALTER TABLE billing_run ADD CONSTRAINT billing_run_state CHECK (state IN ('draft', 'approved', 'posted', 'cancelled'));
ALTER TABLE billing_run ADD CONSTRAINT billing_run_months
    CHECK ({is_month("month")} AND {is_month("from_month")} AND from_month <= month);
ALTER TABLE billing_run ADD CONSTRAINT billing_run_ended CHECK ((state IN ('posted', 'cancelled')) = (ended_at IS NOT NULL)
    AND (state NOT IN ('approved', 'posted') OR approved_at IS NOT NULL));
ALTER TABLE billing_run ADD CONSTRAINT billing_run_discount CHECK (discount_percent BETWEEN 0 AND 100);
ALTER TABLE billing_run ADD CONSTRAINT billing_run_progress CHECK (houses_done BETWEEN 0 AND houses);
ALTER TABLE billing_run ADD CONSTRAINT billing_run_house_in_compound
    FOREIGN KEY (house_id, compound_id) REFERENCES house (id, compound_id);
CREATE UNIQUE INDEX billing_run_scheduled ON billing_run (compound_id, month) WHERE is_scheduled;
CREATE INDEX billing_run_posting ON billing_run (approved_at) WHERE state = 'approved';
CREATE INDEX run_exception_page ON run_exception (run_id, code, id);

ALTER TABLE bill ADD CONSTRAINT bill_of_compound UNIQUE (id, compound_id);
ALTER TABLE bill ADD CONSTRAINT bill_payer CHECK (payer IN ({PAYERS}));
ALTER TABLE bill ADD CONSTRAINT bill_state CHECK (state IN ('open', 'partly_paid', 'paid', 'void'));
ALTER TABLE bill ADD CONSTRAINT bill_bounds CHECK (issued_fen BETWEEN 0 AND {MOST_FEN} AND covers_until > covers_from
    AND due_on >= issued_on AND number > 0);
ALTER TABLE bill ADD CONSTRAINT bill_month CHECK ({is_month("month")});
ALTER TABLE bill ADD CONSTRAINT bill_in_compound
    FOREIGN KEY (house_id, compound_id) REFERENCES house (id, compound_id);
ALTER TABLE bill ADD CONSTRAINT bill_run_in_compound
    FOREIGN KEY (run_id, compound_id) REFERENCES billing_run (id, compound_id);
CREATE INDEX bill_open ON bill (compound_id, due_on, id) WHERE state IN ('open', 'partly_paid');
CREATE INDEX bill_compound_month ON bill (compound_id, month, id);
CREATE INDEX bill_run ON bill (run_id, number);
CREATE INDEX bill_person ON bill (person_id, month, id) WHERE person_id IS NOT NULL;

ALTER TABLE bill_line ADD CONSTRAINT bill_line_kind CHECK (kind IN ('charge', 'adjustment'));
ALTER TABLE bill_line ADD CONSTRAINT bill_line_corrects CHECK ((kind = 'adjustment') = (correction_id IS NOT NULL));
ALTER TABLE bill_line ADD CONSTRAINT bill_line_bounds CHECK (abs(amount_fen) <= {MOST_FEN}
    AND (kind = 'adjustment' OR amount_fen >= 0) AND period_until > period_from AND part >= 0);
CREATE UNIQUE INDEX bill_line_once ON bill_line (house_id, fee_item_id, period_from, part) WHERE kind = 'charge';
CREATE INDEX bill_line_bill ON bill_line (bill_id);
CREATE UNIQUE INDEX bill_line_correction ON bill_line (correction_id) WHERE correction_id IS NOT NULL;
CREATE TRIGGER bill_line_is_a_journal BEFORE UPDATE OR DELETE OR TRUNCATE ON bill_line
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER meter_use_is_a_journal BEFORE UPDATE OR DELETE OR TRUNCATE ON meter_use
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

ALTER TABLE correction ADD CONSTRAINT correction_kind CHECK (kind IN ('waiver', 'adjustment', 'void'));
ALTER TABLE correction ADD CONSTRAINT correction_concerns CHECK (concerns IN ('principal', 'late_fee'));
ALTER TABLE correction ADD CONSTRAINT correction_state CHECK (state IN ('requested', 'approved', 'rejected', 'withdrawn'));
ALTER TABLE correction ADD CONSTRAINT correction_two_people CHECK (decided_by <> requested_by);
ALTER TABLE correction ADD CONSTRAINT correction_decided CHECK ((state IN ('approved', 'rejected')) = (decided_by IS NOT NULL)
    AND (state = 'approved') = (effect_fen IS NOT NULL));
ALTER TABLE correction ADD CONSTRAINT correction_amount CHECK (amount_fen <> 0 AND (kind <> 'waiver' OR amount_fen > 0)
    AND (kind <> 'adjustment' OR amount_fen IS NOT NULL));
ALTER TABLE correction ADD CONSTRAINT correction_in_compound
    FOREIGN KEY (bill_id, compound_id) REFERENCES bill (id, compound_id);
CREATE UNIQUE INDEX correction_one_at_a_time ON correction (bill_id) WHERE state = 'requested';
CREATE INDEX correction_bill ON correction (bill_id);

ALTER TABLE dunning_step ADD CONSTRAINT dunning_step_form CHECK (form IN ('message', 'letter'));
ALTER TABLE dunning_step ADD CONSTRAINT dunning_step_days CHECK (days BETWEEN -60 AND 1000);
CREATE UNIQUE INDEX dunning_step_once ON dunning_step (compound_id, days) WHERE ended_at IS NULL;
ALTER TABLE dunning_letter ADD CONSTRAINT dunning_letter_in_compound
    FOREIGN KEY (house_id, compound_id) REFERENCES house (id, compound_id);
CREATE INDEX dunning_letter_page ON dunning_letter (compound_id, made_on, id);
ALTER TABLE dunning_sent ADD CONSTRAINT dunning_sent_principal
    CHECK (principal_fen >= 0 AND (principal_fen IS NULL) = (letter_id IS NULL));
ALTER TABLE house_reminder ADD CONSTRAINT house_reminder_in_compound
    FOREIGN KEY (house_id, compound_id) REFERENCES house (id, compound_id);
CREATE INDEX dunning_sent_letter ON dunning_sent (letter_id) WHERE letter_id IS NOT NULL;
ALTER TABLE payment_promise ADD CONSTRAINT payment_promise_amount CHECK (amount_fen > 0);
ALTER TABLE payment_promise ADD CONSTRAINT payment_promise_in_compound
    FOREIGN KEY (house_id, compound_id) REFERENCES house (id, compound_id);
CREATE INDEX payment_promise_page ON payment_promise (compound_id, promised_on, id);
CREATE INDEX payment_promise_house ON payment_promise (house_id, promised_on) WHERE withdrawn_at IS NULL;

ALTER TABLE expense ADD CONSTRAINT expense_category CHECK (category IN ({EXPENSES}));
ALTER TABLE expense ADD CONSTRAINT expense_amount CHECK (abs(amount_fen) BETWEEN 1 AND {MOST_FEN}
    AND (amount_fen < 0) = (corrects_id IS NOT NULL));
ALTER TABLE expense ADD CONSTRAINT expense_of_compound UNIQUE (id, compound_id);
ALTER TABLE expense ADD CONSTRAINT expense_corrects_in_compound
    FOREIGN KEY (corrects_id, compound_id) REFERENCES expense (id, compound_id);
CREATE INDEX expense_corrects ON expense (corrects_id) WHERE corrects_id IS NOT NULL;
CREATE INDEX expense_month ON expense (compound_id, spent_on, id) WHERE removed_at IS NULL;
ALTER TABLE accounts_publication ADD CONSTRAINT accounts_publication_month CHECK ({is_month("month")} AND revision > 0);
CREATE TRIGGER accounts_publication_is_a_journal BEFORE UPDATE OR DELETE OR TRUNCATE ON accounts_publication
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

ALTER TABLE document_counter ADD CONSTRAINT document_counter_bounds
    CHECK (kind IN ('receipt', 'statement', 'bill', 'letter') AND issued >= 0);
ALTER TABLE document_issue ADD CONSTRAINT document_issue_kind CHECK (kind IN ('receipt', 'statement', 'bill', 'letter'));
CREATE UNIQUE INDEX document_issue_once ON document_issue (subject_id, kind) WHERE kind IN ('receipt', 'letter');
CREATE UNIQUE INDEX document_issue_same ON document_issue (subject_id, kind, sha256);
CREATE TRIGGER document_issue_is_a_journal BEFORE UPDATE OR DELETE OR TRUNCATE ON document_issue
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Months since the anchor, in parts of a month: 377580 = lcm(28, 29, 30, 31), so that every day of every month is a
-- whole number of parts. The anchor's own day begins each month; where a month has no such day, its last one does.
CREATE FUNCTION month_parts(anchor date, day date) RETURNS bigint LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    whole int := (extract(year FROM day) * 12 + extract(month FROM day)
        - extract(year FROM anchor) * 12 - extract(month FROM anchor))::int;
    begins date := (anchor + make_interval(months => whole))::date;
BEGIN
    IF begins > day THEN
        whole := whole - 1;
        begins := (anchor + make_interval(months => whole))::date;
    END IF;
    RETURN whole * 377580::bigint
        + (day - begins) * (377580 / ((anchor + make_interval(months => whole + 1))::date - begins));
END $$;

-- Half up of an exact quotient, once: neither side is ever below zero.
CREATE FUNCTION half_up(dividend numeric, divisor numeric) RETURNS numeric LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT div(2 * dividend + divisor, 2 * divisor)
$$;
"""  # constants of this module


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0001_initial"),
        ("payments", "0002_integrity"),
        ("devices", "0002_integrity"),
        ("residents", "0002_integrity"),
        ("kernel", "0004_identifiers"),
    ]
    operations = [ops.RunSQL(FORWARD)]
