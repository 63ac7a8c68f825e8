-- Sign-in: what people prove with who they are, their accounts elsewhere, and refresh tokens.

CREATE TABLE authenticators (
    id TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    deleted_at TIMESTAMP,
    user_id TEXT NOT NULL,
    -- The user's.
    partner_id TEXT,
    tenant_id TEXT,
    -- A PHC string of Argon2id.
    password TEXT,
    password_changed_at TIMESTAMP,
    -- The secret of the second factor, sealed under the master key.
    totp BYTEA,
    totp_step BIGINT NOT NULL,
    recovery_codes TEXT NOT NULL
);
CREATE UNIQUE INDEX authenticators_user ON authenticators (user_id) WHERE deleted_at IS NULL;
CREATE INDEX authenticators_created ON authenticators (created_at, id, tenant_id, partner_id, deleted_at)
    WHERE deleted_at IS NULL;

CREATE TABLE federated_identities (
    id TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    deleted_at TIMESTAMP,
    user_id TEXT NOT NULL,
    -- The user's.
    partner_id TEXT,
    tenant_id TEXT,
    provider_id TEXT NOT NULL,
    subject TEXT NOT NULL,
    email TEXT
);
CREATE UNIQUE INDEX federated_identities_subject ON federated_identities (provider_id, subject) WHERE deleted_at IS NULL;
CREATE INDEX federated_identities_user ON federated_identities (user_id, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX federated_identities_created ON federated_identities (created_at, id, tenant_id, partner_id, deleted_at)
    WHERE deleted_at IS NULL;

CREATE TABLE refresh_tokens (
    id TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    deleted_at TIMESTAMP,
    user_id TEXT NOT NULL,
    -- The user's.
    partner_id TEXT,
    tenant_id TEXT,
    application_id TEXT NOT NULL,
    session_id TEXT NOT NULL,
    scope TEXT NOT NULL,
    audience TEXT NOT NULL,
    authenticated_at TIMESTAMP NOT NULL,
    generation BIGINT NOT NULL,
    rotated_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    revoked_at TIMESTAMP
);
CREATE INDEX refresh_tokens_created ON refresh_tokens (created_at, id, tenant_id, partner_id, deleted_at)
    WHERE deleted_at IS NULL;
CREATE INDEX refresh_tokens_user ON refresh_tokens (user_id, created_at, id) WHERE deleted_at IS NULL;

-- There were no sessions before: nothing made any.
ALTER TABLE sessions ADD COLUMN provider_id TEXT;
ALTER TABLE sessions ADD COLUMN hash BYTEA NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN amr TEXT NOT NULL DEFAULT '[]';
ALTER TABLE sessions ADD COLUMN authenticated_at TIMESTAMP NOT NULL DEFAULT '2026-01-01 00:00:00';
CREATE UNIQUE INDEX sessions_hash ON sessions (hash) WHERE deleted_at IS NULL;
