-- API keys, revocations of more than single tokens, and evidence of use by day.

CREATE TABLE api_keys (
    id TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    deleted_at TIMESTAMP,
    name TEXT NOT NULL,
    tenant_id TEXT NOT NULL,
    permissions TEXT NOT NULL,
    environment TEXT NOT NULL,
    status TEXT NOT NULL,
    expires_at TIMESTAMP,
    allowed_ips TEXT NOT NULL,
    hint TEXT NOT NULL,
    hash BYTEA NOT NULL,
    revoked_at TIMESTAMP,
    predecessor_id TEXT,
    successor_id TEXT,
    rotated_at TIMESTAMP,
    retire_after_quiet_hours BIGINT,
    -- From when on it may be due to be revoked for want of use.
    retires_from TIMESTAMP
);
CREATE UNIQUE INDEX api_keys_hash ON api_keys (hash) WHERE deleted_at IS NULL;
CREATE INDEX api_keys_created ON api_keys (created_at, id, tenant_id, status, deleted_at) WHERE deleted_at IS NULL;
CREATE INDEX api_keys_name ON api_keys (name, id) WHERE deleted_at IS NULL;
CREATE INDEX api_keys_expires ON api_keys (expires_at, id) WHERE deleted_at IS NULL;
CREATE INDEX api_keys_tenant ON api_keys (tenant_id, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX api_keys_retires ON api_keys (retires_from, id) WHERE deleted_at IS NULL AND retires_from IS NOT NULL;

CREATE UNIQUE INDEX tenants_publishable_key ON tenants (publishable_key) WHERE deleted_at IS NULL;

-- What a revocation is about: a token by its `jti`, a client, a tenant, and so on.
DROP INDEX revocations_jti;
ALTER TABLE revocations RENAME COLUMN jti TO name;
ALTER TABLE revocations ADD COLUMN kind TEXT NOT NULL DEFAULT 'jti';
-- Tokens that were issued up to this moment are revoked; all of them when there is none.
ALTER TABLE revocations ADD COLUMN before_at TIMESTAMP;
CREATE UNIQUE INDEX revocations_jti ON revocations (name) WHERE deleted_at IS NULL AND kind = 'jti';

-- How often an address used a credential on a day: of secrets counted from the audit log, of API keys as they are used.
CREATE TABLE credential_use (
    credential_id TEXT NOT NULL,
    day TEXT NOT NULL,
    address TEXT NOT NULL,
    count BIGINT NOT NULL,
    needed BIGINT NOT NULL,
    first_used_at TIMESTAMP NOT NULL,
    last_used_at TIMESTAMP NOT NULL,
    PRIMARY KEY (credential_id, day, address)
);
-- What was counted until now has no day of its own but the last.
INSERT INTO credential_use (credential_id, day, address, count, needed, first_used_at, last_used_at)
    SELECT credential_id, substr(CAST(last_used_at AS TEXT), 1, 10), address, count, needed, first_used_at, last_used_at
    FROM credential_usage;
DROP TABLE credential_usage;
