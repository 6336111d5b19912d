"""What the ORM does not write: checks, one row of a kind, partial indexes, the stamp of a transaction."""

from tortoise import migrations
from tortoise.migrations import operations as ops

FORWARD = """
ALTER TABLE recipient ADD CONSTRAINT recipient_quiet
    CHECK (quiet_from BETWEEN 0 AND 1439 AND quiet_until BETWEEN 0 AND 1439);
ALTER TABLE contact ADD CONSTRAINT contact_channel CHECK (channel IN ('sms', 'wechat', 'alipay'));
CREATE UNIQUE INDEX push_subscription_endpoint ON push_subscription (endpoint_index);

ALTER TABLE message_consent ADD CONSTRAINT message_consent_channel CHECK (channel IN ('wechat', 'alipay'));
ALTER TABLE message_consent ADD CONSTRAINT message_consent_state CHECK (state IN ('free', 'held', 'spent', 'void'));
ALTER TABLE message_consent ADD CONSTRAINT message_consent_holder
    CHECK ((state IN ('held', 'spent')) = (delivery_id IS NOT NULL));
CREATE INDEX message_consent_free ON message_consent (account_id, channel, template_id, granted_at)
    WHERE state = 'free';
CREATE UNIQUE INDEX message_consent_held ON message_consent (delivery_id) WHERE state = 'held';

ALTER TABLE notice ADD CONSTRAINT notice_urgency CHECK (urgency IN ('low', 'normal', 'high', 'urgent'));
CREATE INDEX notice_expiry ON notice (created_at);
CREATE INDEX notification_unread ON notification (account_id, created_at, id) WHERE read_at IS NULL;

ALTER TABLE delivery ADD CONSTRAINT delivery_channel
    CHECK (channel IN ('wechat', 'alipay', 'sms', 'voice', 'webpush', 'webhook'));
ALTER TABLE delivery ADD CONSTRAINT delivery_state
    CHECK (state IN ('pending', 'sending', 'sent', 'uncertain', 'suppressed', 'expired', 'dead'));
ALTER TABLE delivery ADD CONSTRAINT delivery_lease
    CHECK ((state = 'sending') = (lease_id IS NOT NULL AND leased_until IS NOT NULL));
ALTER TABLE delivery ADD CONSTRAINT delivery_settled
    CHECK ((state IN ('pending', 'sending')) = (settled_at IS NULL));
ALTER TABLE delivery ADD CONSTRAINT delivery_target CHECK ((channel IN ('webpush', 'webhook')) = (target_id IS NOT NULL));
ALTER TABLE delivery ADD CONSTRAINT delivery_addressee CHECK ((channel = 'webhook') = (notification_id IS NULL)
    AND (channel = 'webhook') = (account_id IS NULL));
CREATE UNIQUE INDEX delivery_once ON delivery (notification_id, channel, target_id) NULLS NOT DISTINCT
    WHERE notification_id IS NOT NULL;
CREATE UNIQUE INDEX delivery_once_webhook ON delivery (notice_id, target_id) WHERE notification_id IS NULL;
CREATE UNIQUE INDEX delivery_digest ON delivery (account_id, kind, channel, target_id) NULLS NOT DISTINCT
    WHERE is_digest AND state = 'pending';
CREATE INDEX delivery_due ON delivery (is_urgent, due_at) WHERE state = 'pending';
CREATE INDEX delivery_leased ON delivery (leased_until) WHERE state = 'sending';
CREATE INDEX delivery_state ON delivery (compound_id, state, created_at, id);
CREATE INDEX delivery_settled_at ON delivery (settled_at) WHERE settled_at IS NOT NULL;
CREATE UNIQUE INDEX message_throttle_key ON message_throttle (account_id, kind, channel, target_id) NULLS NOT DISTINCT;

ALTER TABLE delivery_attempt ADD CONSTRAINT delivery_attempt_outcome
    CHECK (outcome IN ('sent', 'retry', 'refused', 'unknown'));
CREATE INDEX delivery_attempt_ended ON delivery_attempt USING brin (ended_at);

ALTER TABLE viewer_event ADD COLUMN cluster_id bigint NOT NULL, ADD COLUMN transaction_id xid8 NOT NULL;
CREATE INDEX viewer_event_account ON viewer_event (account_id, transaction_id);
CREATE TRIGGER viewer_event_stamp BEFORE INSERT ON viewer_event FOR EACH ROW EXECUTE FUNCTION stamp_transaction();
"""


class Migration(migrations.Migration):
    dependencies = [("notifications", "0001_initial"), ("kernel", "0002_integrity")]
    operations = [ops.RunSQL(FORWARD)]
