"""What the ORM does not write: checks, unique keys of what is optional, the shape of a scope."""

from tortoise import migrations
from tortoise.migrations import operations as ops

FORWARD = """
ALTER TABLE account ADD CONSTRAINT account_kind CHECK (kind IN ('resident', 'staff'));
ALTER TABLE account ADD CONSTRAINT account_phone CHECK ((phone_sealed IS NULL) = (phone_index IS NULL));
CREATE UNIQUE INDEX account_resident_phone ON account (phone_index) WHERE kind = 'resident';
ALTER TABLE platform_identity ADD CONSTRAINT platform_identity_platform CHECK (platform IN ('wechat', 'alipay'));
CREATE INDEX platform_identity_account ON platform_identity (account_id);
ALTER TABLE session ADD CONSTRAINT session_method CHECK (method IN ('wechat', 'alipay', 'sms', 'password'));
ALTER TABLE session ADD CONSTRAINT session_end CHECK ((ended_at IS NULL) = (end_reason IS NULL));
ALTER TABLE session ADD CONSTRAINT session_end_reason
    CHECK (end_reason IN ('signed_out', 'revoked', 'reuse', 'disabled', 'password', 'joined'));
CREATE UNIQUE INDEX refresh_token_hash ON refresh_token (token_hash);
CREATE INDEX refresh_token_session ON refresh_token (session_id, issued_at);
CREATE INDEX refresh_token_used ON refresh_token (used_at) WHERE used_at IS NOT NULL;
CREATE UNIQUE INDEX sms_code_phone ON sms_code (phone_index);
ALTER TABLE sms_code ADD CONSTRAINT sms_code_tries CHECK (tries BETWEEN 0 AND 5);
ALTER TABLE staff_member ADD CONSTRAINT staff_member_login CHECK (login = lower(login));
ALTER TABLE staff_member ADD CONSTRAINT staff_member_validity CHECK (valid_until IS NULL OR valid_until >= valid_from);
ALTER TABLE staff_member ADD CONSTRAINT staff_member_limits CHECK (idle_timeout_s > 0 AND max_failures > 0);
CREATE INDEX staff_member_company ON staff_member (company_id);
ALTER TABLE role_assignment ADD CONSTRAINT role_assignment_scope CHECK (
    (scope = 'company' AND num_nonnulls(region_id, compound_id, building_id) = 0)
    OR (scope = 'region' AND region_id IS NOT NULL AND num_nonnulls(compound_id, building_id) = 0)
    OR (scope = 'compound' AND compound_id IS NOT NULL AND num_nonnulls(region_id, building_id) = 0)
    OR (scope = 'building' AND building_id IS NOT NULL AND num_nonnulls(region_id, compound_id) = 0));
CREATE UNIQUE INDEX role_assignment_once ON role_assignment
    (account_id, role_id, scope, region_id, compound_id, building_id) NULLS NOT DISTINCT;
CREATE INDEX role_assignment_role ON role_assignment (role_id);
"""


class Migration(migrations.Migration):
    dependencies = [("identity", "0001_initial"), ("estate", "0002_integrity")]
    operations = [ops.RunSQL(FORWARD)]
