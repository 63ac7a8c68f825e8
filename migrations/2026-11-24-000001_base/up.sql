-- Keyward's tables, for SQLite and PostgreSQL alike.
--
-- Identifiers are stored as they are shown: a prefix and 26 characters that sort by time. Moments are in UTC. Deleted
-- records stay as rows with `deleted_at`; keys are unique among those that are not deleted. Lists that are never
-- queried are text: permissions as a `scope` string, the rest as JSON.
--
-- The `…_created` indexes have more columns than order needs: what lists are counted by, so that a count reads the index
-- alone. SQLite wants `deleted_at` among them, although it is null in all of them.

CREATE TABLE keyward_state (
    -- There is one row.
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    -- How many commits put records.
    revision BIGINT NOT NULL,
    -- The oldest revision since which `changes` is complete.
    feed_from BIGINT NOT NULL
);
INSERT INTO keyward_state (id, revision, feed_from) VALUES (1, 0, 0);

CREATE TABLE changes (
    revision BIGINT NOT NULL,
    record_id TEXT NOT NULL,
    PRIMARY KEY (revision, record_id)
);

CREATE TABLE partners (
    id TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    deleted_at TIMESTAMP,
    name TEXT NOT NULL,
    slug TEXT NOT NULL,
    status TEXT NOT NULL,
    contact_email TEXT,
    max_tenants BIGINT,
    max_users_per_tenant BIGINT,
    max_applications_per_tenant BIGINT
);
CREATE UNIQUE INDEX partners_slug ON partners (slug) WHERE deleted_at IS NULL;
CREATE INDEX partners_created ON partners (created_at, id, status, deleted_at) WHERE deleted_at IS NULL;
CREATE INDEX partners_name ON partners (name, id) WHERE deleted_at IS NULL;
CREATE INDEX partners_deleted ON partners (id) WHERE deleted_at IS NOT NULL;

CREATE TABLE tenants (
    id TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    deleted_at TIMESTAMP,
    name TEXT NOT NULL,
    slug TEXT NOT NULL,
    status TEXT NOT NULL,
    contact_email TEXT,
    partner_id TEXT,
    settings TEXT NOT NULL,
    branding TEXT NOT NULL,
    publishable_key TEXT NOT NULL
);
CREATE UNIQUE INDEX tenants_slug ON tenants (slug) WHERE deleted_at IS NULL;
CREATE INDEX tenants_created ON tenants (created_at, id, partner_id, status, deleted_at) WHERE deleted_at IS NULL;
CREATE INDEX tenants_name ON tenants (name, id) WHERE deleted_at IS NULL;
CREATE INDEX tenants_partner ON tenants (partner_id, id) WHERE partner_id IS NOT NULL;
CREATE INDEX tenants_deleted ON tenants (id) WHERE deleted_at IS NOT NULL;

CREATE TABLE roles (
    id TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    deleted_at TIMESTAMP,
    name TEXT NOT NULL,
    tenant_id TEXT,
    permissions TEXT NOT NULL
);
CREATE UNIQUE INDEX roles_name_of_tenant ON roles (tenant_id, name) WHERE deleted_at IS NULL AND tenant_id IS NOT NULL;
CREATE UNIQUE INDEX roles_name_of_platform ON roles (name) WHERE deleted_at IS NULL AND tenant_id IS NULL;
CREATE INDEX roles_created ON roles (created_at, id, tenant_id, deleted_at) WHERE deleted_at IS NULL;
CREATE INDEX roles_name ON roles (name, id) WHERE deleted_at IS NULL;

CREATE TABLE permissions (
    id TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    deleted_at TIMESTAMP,
    resource TEXT NOT NULL,
    label TEXT NOT NULL,
    view_scope TEXT,
    change_scopes TEXT NOT NULL,
    built_in BOOLEAN NOT NULL
);
CREATE UNIQUE INDEX permissions_resource ON permissions (resource) WHERE deleted_at IS NULL;
CREATE INDEX permissions_created ON permissions (created_at, id, deleted_at) WHERE deleted_at IS NULL;

CREATE TABLE applications (
    id TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    deleted_at TIMESTAMP,
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    reach TEXT NOT NULL,
    partner_id TEXT,
    tenant_id TEXT,
    client_id TEXT NOT NULL,
    environment TEXT NOT NULL,
    status TEXT NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    notes TEXT,
    roles TEXT NOT NULL,
    allowed_scopes TEXT NOT NULL,
    token_lifetime BIGINT,
    token_alg TEXT NOT NULL,
    redirect_uris TEXT NOT NULL,
    allowed_origins TEXT NOT NULL,
    token_exchange_allowed BOOLEAN NOT NULL,
    grants TEXT NOT NULL
);
CREATE UNIQUE INDEX applications_client_id ON applications (client_id) WHERE deleted_at IS NULL;
CREATE INDEX applications_created ON applications (created_at, id, tenant_id, partner_id, status, deleted_at)
    WHERE deleted_at IS NULL;
CREATE INDEX applications_name ON applications (name, id) WHERE deleted_at IS NULL;
CREATE INDEX applications_expires ON applications (expires_at, id) WHERE deleted_at IS NULL;
CREATE INDEX applications_tenant ON applications (tenant_id, created_at, id) WHERE deleted_at IS NULL AND tenant_id IS NOT NULL;
CREATE INDEX applications_partner ON applications (partner_id, created_at, id) WHERE deleted_at IS NULL AND partner_id IS NOT NULL;

CREATE TABLE secrets (
    id TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    deleted_at TIMESTAMP,
    -- An application or an agent.
    holder_id TEXT NOT NULL,
    partner_id TEXT,
    tenant_id TEXT,
    hint TEXT NOT NULL,
    hash BYTEA NOT NULL,
    expires_at TIMESTAMP,
    revoked_at TIMESTAMP
);
CREATE INDEX secrets_holder ON secrets (holder_id, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX secrets_created ON secrets (created_at, id, tenant_id, partner_id, deleted_at) WHERE deleted_at IS NULL;

CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    deleted_at TIMESTAMP,
    email TEXT NOT NULL,
    -- The address in lower case.
    email_key TEXT NOT NULL,
    name TEXT NOT NULL,
    admin_role TEXT,
    partner_id TEXT,
    tenant_id TEXT,
    status TEXT NOT NULL,
    custom_attributes TEXT NOT NULL,
    roles TEXT NOT NULL,
    valid_after TIMESTAMP
);
CREATE UNIQUE INDEX users_email_key ON users (email_key) WHERE deleted_at IS NULL;
CREATE INDEX users_created ON users (created_at, id, tenant_id, partner_id, status, deleted_at)
    WHERE deleted_at IS NULL;
CREATE INDEX users_name ON users (name, id) WHERE deleted_at IS NULL;
CREATE INDEX users_email ON users (email, id) WHERE deleted_at IS NULL;
CREATE INDEX users_tenant ON users (tenant_id, created_at, id) WHERE deleted_at IS NULL AND tenant_id IS NOT NULL;
CREATE INDEX users_partner ON users (partner_id, created_at, id) WHERE deleted_at IS NULL AND partner_id IS NOT NULL;
CREATE INDEX users_admin_role ON users (admin_role, created_at, id) WHERE deleted_at IS NULL AND admin_role IS NOT NULL;

CREATE TABLE groups (
    id TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    deleted_at TIMESTAMP,
    name TEXT NOT NULL,
    tenant_id TEXT,
    roles TEXT NOT NULL
);
CREATE UNIQUE INDEX groups_name_of_tenant ON groups (tenant_id, name) WHERE deleted_at IS NULL AND tenant_id IS NOT NULL;
CREATE UNIQUE INDEX groups_name_of_platform ON groups (name) WHERE deleted_at IS NULL AND tenant_id IS NULL;
CREATE INDEX groups_created ON groups (created_at, id, tenant_id, deleted_at) WHERE deleted_at IS NULL;
CREATE INDEX groups_name ON groups (name, id) WHERE deleted_at IS NULL;

CREATE TABLE memberships (
    id TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    deleted_at TIMESTAMP,
    group_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    -- The group's.
    tenant_id TEXT
);
CREATE UNIQUE INDEX memberships_user_of_group ON memberships (group_id, user_id) WHERE deleted_at IS NULL;
CREATE INDEX memberships_group ON memberships (group_id, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX memberships_user ON memberships (user_id, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX memberships_tenant ON memberships (tenant_id) WHERE deleted_at IS NULL AND tenant_id IS NOT NULL;
CREATE INDEX memberships_created ON memberships (created_at, id, tenant_id, deleted_at) WHERE deleted_at IS NULL;

CREATE TABLE nestings (
    id TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    deleted_at TIMESTAMP,
    -- The group outside.
    group_id TEXT NOT NULL,
    -- The group inside.
    child_id TEXT NOT NULL,
    -- The outer group's.
    tenant_id TEXT
);
CREATE UNIQUE INDEX nestings_child_of_group ON nestings (group_id, child_id) WHERE deleted_at IS NULL;
CREATE INDEX nestings_child ON nestings (child_id, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX nestings_tenant ON nestings (tenant_id) WHERE deleted_at IS NULL AND tenant_id IS NOT NULL;
CREATE INDEX nestings_created ON nestings (created_at, id, tenant_id, deleted_at) WHERE deleted_at IS NULL;

CREATE TABLE identity_providers (
    id TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    deleted_at TIMESTAMP,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    partner_id TEXT,
    tenant_id TEXT,
    status TEXT NOT NULL,
    -- How it is reached, secrets left out.
    config TEXT NOT NULL,
    -- The client secret, sealed under the master key.
    sealed_secret BYTEA
);
CREATE INDEX identity_providers_created ON identity_providers (created_at, id, tenant_id, partner_id, status, deleted_at)
    WHERE deleted_at IS NULL;
CREATE INDEX identity_providers_name ON identity_providers (name, id) WHERE deleted_at IS NULL;
CREATE INDEX identity_providers_tenant ON identity_providers (tenant_id, created_at, id)
    WHERE deleted_at IS NULL AND tenant_id IS NOT NULL;
CREATE INDEX identity_providers_partner ON identity_providers (partner_id, created_at, id)
    WHERE deleted_at IS NULL AND partner_id IS NOT NULL;

CREATE TABLE agents (
    id TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    deleted_at TIMESTAMP,
    name TEXT NOT NULL,
    tenant_id TEXT,
    -- The user who answers for it.
    owner_id TEXT,
    allowed_tools TEXT NOT NULL,
    allowed_scopes TEXT NOT NULL,
    rate_limit_rpm BIGINT,
    status TEXT NOT NULL
);
CREATE INDEX agents_created ON agents (created_at, id, tenant_id, status, deleted_at) WHERE deleted_at IS NULL;
CREATE INDEX agents_name ON agents (name, id) WHERE deleted_at IS NULL;
CREATE INDEX agents_tenant ON agents (tenant_id, created_at, id) WHERE deleted_at IS NULL AND tenant_id IS NOT NULL;
CREATE INDEX agents_owner ON agents (owner_id, created_at, id) WHERE deleted_at IS NULL AND owner_id IS NOT NULL;

CREATE TABLE sessions (
    id TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    deleted_at TIMESTAMP,
    user_id TEXT NOT NULL,
    -- The user's.
    partner_id TEXT,
    tenant_id TEXT,
    method TEXT NOT NULL,
    ip TEXT,
    user_agent TEXT,
    last_active_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    revoked_at TIMESTAMP
);
CREATE INDEX sessions_created ON sessions (created_at, id, tenant_id, partner_id, deleted_at) WHERE deleted_at IS NULL;
CREATE INDEX sessions_expires ON sessions (expires_at, id) WHERE deleted_at IS NULL;
CREATE INDEX sessions_user ON sessions (user_id, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX sessions_tenant ON sessions (tenant_id, created_at, id) WHERE deleted_at IS NULL AND tenant_id IS NOT NULL;
CREATE INDEX sessions_partner ON sessions (partner_id, created_at, id) WHERE deleted_at IS NULL AND partner_id IS NOT NULL;

CREATE TABLE signing_keys (
    id TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    deleted_at TIMESTAMP,
    kid TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    public_jwk TEXT NOT NULL,
    -- The private key, sealed under the master key.
    sealed BYTEA NOT NULL,
    active_at TIMESTAMP NOT NULL,
    retires_at TIMESTAMP
);
CREATE UNIQUE INDEX signing_keys_kid ON signing_keys (kid) WHERE deleted_at IS NULL;

CREATE TABLE revocations (
    id TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    deleted_at TIMESTAMP,
    jti TEXT NOT NULL,
    expires_at TIMESTAMP NOT NULL
);
CREATE UNIQUE INDEX revocations_jti ON revocations (jti) WHERE deleted_at IS NULL;
CREATE INDEX revocations_created ON revocations (created_at, id, deleted_at) WHERE deleted_at IS NULL;
CREATE INDEX revocations_expires ON revocations (expires_at);

-- What exists once: codes, answers to idempotent requests, marks.
CREATE TABLE tickets (
    namespace TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    expires_at TIMESTAMP,
    PRIMARY KEY (namespace, key)
);
CREATE INDEX tickets_expires ON tickets (expires_at) WHERE expires_at IS NOT NULL;

-- The heads of the audit log's chains. Each run of a process writes one chain.
CREATE TABLE chains (
    chain TEXT NOT NULL PRIMARY KEY,
    opened_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    seq BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    -- Up to which event use is counted in `credential_usage`.
    usage_seq BIGINT NOT NULL
);

CREATE TABLE audit_events (
    chain TEXT NOT NULL,
    seq BIGINT NOT NULL,
    id TEXT NOT NULL,
    occurred_at TIMESTAMP NOT NULL,
    action TEXT NOT NULL,
    result TEXT NOT NULL,
    reason TEXT,
    actor_type TEXT NOT NULL,
    actor_id TEXT,
    actor_name TEXT,
    resource_type TEXT,
    resource_id TEXT,
    resource_name TEXT,
    tenant_id TEXT,
    partner_id TEXT,
    changes TEXT NOT NULL,
    ip TEXT,
    user_agent TEXT,
    request_id TEXT,
    session_id TEXT,
    credential_id TEXT,
    hash BYTEA NOT NULL,
    PRIMARY KEY (chain, seq)
);
CREATE UNIQUE INDEX audit_events_id ON audit_events (id);
CREATE INDEX audit_events_tenant ON audit_events (tenant_id, id) WHERE tenant_id IS NOT NULL;
CREATE INDEX audit_events_partner ON audit_events (partner_id, id) WHERE partner_id IS NOT NULL;
CREATE INDEX audit_events_actor ON audit_events (actor_id, id) WHERE actor_id IS NOT NULL;
CREATE INDEX audit_events_resource ON audit_events (resource_id, id) WHERE resource_id IS NOT NULL;

-- How often an address used a credential, counted from the audit log.
CREATE TABLE credential_usage (
    credential_id TEXT NOT NULL,
    address TEXT NOT NULL,
    count BIGINT NOT NULL,
    needed BIGINT NOT NULL,
    first_used_at TIMESTAMP NOT NULL,
    last_used_at TIMESTAMP NOT NULL,
    PRIMARY KEY (credential_id, address)
);
