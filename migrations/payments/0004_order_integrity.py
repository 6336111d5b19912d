"""What the ORM does not write: one success per number of a channel's, refunds within what was paid, raw messages kept."""

from tortoise import migrations
from tortoise.migrations import operations as ops

FORWARD = """
ALTER TABLE payment_order ADD CONSTRAINT payment_order_state CHECK (state IN ('open', 'paid', 'closed', 'voided'));
ALTER TABLE payment_order ADD CONSTRAINT payment_order_amount CHECK (amount_fen BETWEEN 1 AND 9007199254740991);
ALTER TABLE payment_order ADD CONSTRAINT payment_order_paid
    CHECK ((state IN ('paid', 'voided')) = (paid_at IS NOT NULL AND number IS NOT NULL AND paid_by IS NOT NULL));
CREATE INDEX payment_order_payer ON payment_order (payer_id, id DESC) WHERE payer_id IS NOT NULL;
CREATE INDEX payment_order_holder ON payment_order (holder_id, id DESC);
CREATE INDEX payment_order_compound ON payment_order (compound_id, id DESC);

ALTER TABLE payment_item ADD CONSTRAINT payment_item_one CHECK (num_nonnulls(payable_id, account_id) = 1);
ALTER TABLE payment_item ADD CONSTRAINT payment_item_amount CHECK (amount_fen > 0);
ALTER TABLE payment_item ADD CONSTRAINT payment_item_paid
    CHECK (paid_fen BETWEEN 0 AND amount_fen AND given_back_fen BETWEEN 0 AND paid_fen);
CREATE UNIQUE INDEX payment_item_debt ON payment_item (order_id, payable_id) WHERE payable_id IS NOT NULL;
CREATE INDEX payment_item_payable ON payment_item (payable_id) WHERE payable_id IS NOT NULL;

ALTER TABLE payment_attempt ADD CONSTRAINT payment_attempt_state
    CHECK (state IN ('created', 'prepared', 'unknown', 'succeeded', 'closed', 'failed'));
ALTER TABLE payment_attempt ADD CONSTRAINT payment_attempt_product
    CHECK (product IN ('mini_program', 'h5', 'qr', 'desk', 'balance'));
ALTER TABLE payment_attempt ADD CONSTRAINT payment_attempt_amount CHECK (amount_fen > 0);
ALTER TABLE payment_attempt ADD CONSTRAINT payment_attempt_number CHECK (out_trade_no ~ '^[0-9A-Za-z_]{6,32}$');
ALTER TABLE payment_attempt ADD CONSTRAINT payment_attempt_paid
    CHECK ((state = 'succeeded') = (channel_no IS NOT NULL AND paid_fen IS NOT NULL AND succeeded_at IS NOT NULL));
ALTER TABLE payment_attempt ADD CONSTRAINT payment_attempt_given_back
    CHECK (given_back_fen >= 0 AND given_back_fen <= coalesce(paid_fen, 0));
CREATE UNIQUE INDEX payment_attempt_channel_no ON payment_attempt (channel, channel_no) WHERE channel_no IS NOT NULL;
CREATE UNIQUE INDEX payment_attempt_reference ON payment_attempt (compound_id, channel, reference)
    WHERE reference <> '' AND state = 'succeeded' AND given_back_fen < paid_fen;
CREATE INDEX gateway_event_held ON gateway_event (attempt_id) WHERE verdict = 'held';
CREATE INDEX payment_attempt_due ON payment_attempt (next_query_at) WHERE next_query_at IS NOT NULL;

ALTER TABLE refund ADD CONSTRAINT refund_state
    CHECK (state IN ('requested', 'rejected', 'approved', 'sent', 'succeeded', 'abnormal', 'closed'));
ALTER TABLE refund ADD CONSTRAINT refund_origin CHECK (origin IN ('staff', 'automatic', 'channel'));
ALTER TABLE refund ADD CONSTRAINT refund_amount CHECK (amount_fen > 0);
ALTER TABLE refund ADD CONSTRAINT refund_two_people CHECK (requested_by <> decided_by);
ALTER TABLE refund ADD CONSTRAINT refund_number CHECK (out_refund_no ~ '^[0-9A-Za-z_]{6,64}$');
CREATE INDEX refund_due ON refund (next_query_at) WHERE next_query_at IS NOT NULL;
CREATE INDEX refund_compound ON refund (compound_id, id DESC);

CREATE INDEX refund_item_item ON refund_item (item_id);
ALTER TABLE refund_item ADD CONSTRAINT refund_item_amount CHECK (amount_fen > 0);

CREATE INDEX payment_exception_open ON payment_exception (compound_id, id) WHERE closed_at IS NULL;
CREATE UNIQUE INDEX payment_exception_once
    ON payment_exception (kind, attempt_id, refund_id) NULLS NOT DISTINCT WHERE attempt_id IS NOT NULL OR refund_id IS NOT NULL;

-- No payment could be under way before there were any.
UPDATE payable SET held_until = NULL WHERE held_until IS NOT NULL;
ALTER TABLE payable ADD CONSTRAINT payable_hold CHECK ((held_until IS NULL) = (held_by IS NULL));

ALTER TABLE gateway_event ADD CONSTRAINT gateway_event_kind
    CHECK (kind IN ('notification', 'answer', 'refund', 'refund_answer'));
CREATE TRIGGER gateway_event_is_a_journal BEFORE UPDATE OR DELETE OR TRUNCATE ON gateway_event
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("payments", "0003_orders"), ("kernel", "0002_integrity")]
    operations = [ops.RunSQL(FORWARD)]
