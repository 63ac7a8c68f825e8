-- Indexes in the order of lists have all that a list asks of a row it passes over, so that a page far behind the first
-- reads the index alone, in the order of names and within a tenant or partner as well as in that of creation.
DROP INDEX partners_name;
CREATE INDEX partners_name ON partners (name, id, status, deleted_at) WHERE deleted_at IS NULL;

DROP INDEX tenants_name;
CREATE INDEX tenants_name ON tenants (name, id, partner_id, status, deleted_at) WHERE deleted_at IS NULL;
DROP INDEX tenants_partner;
CREATE INDEX tenants_partner ON tenants (partner_id, created_at, id, status, deleted_at) WHERE partner_id IS NOT NULL;

DROP INDEX roles_name;
CREATE INDEX roles_name ON roles (name, id, tenant_id, deleted_at) WHERE deleted_at IS NULL;
CREATE INDEX roles_tenant ON roles (tenant_id, created_at, id, deleted_at) WHERE deleted_at IS NULL AND tenant_id IS NOT NULL;

DROP INDEX applications_name;
CREATE INDEX applications_name ON applications (name, id, tenant_id, partner_id, status, deleted_at)
    WHERE deleted_at IS NULL;
DROP INDEX applications_expires;
CREATE INDEX applications_expires ON applications (expires_at, id, tenant_id, partner_id, status, deleted_at)
    WHERE deleted_at IS NULL;
DROP INDEX applications_tenant;
CREATE INDEX applications_tenant ON applications (tenant_id, created_at, id, status, deleted_at)
    WHERE deleted_at IS NULL AND tenant_id IS NOT NULL;

DROP INDEX users_name;
CREATE INDEX users_name ON users (name, id, tenant_id, partner_id, status, deleted_at) WHERE deleted_at IS NULL;
DROP INDEX users_email;
CREATE INDEX users_email ON users (email, id, tenant_id, partner_id, status, deleted_at) WHERE deleted_at IS NULL;
DROP INDEX users_tenant;
CREATE INDEX users_tenant ON users (tenant_id, created_at, id, status, deleted_at)
    WHERE deleted_at IS NULL AND tenant_id IS NOT NULL;

DROP INDEX groups_name;
CREATE INDEX groups_name ON groups (name, id, tenant_id, deleted_at) WHERE deleted_at IS NULL;
CREATE INDEX groups_tenant ON groups (tenant_id, created_at, id, deleted_at) WHERE deleted_at IS NULL AND tenant_id IS NOT NULL;

DROP INDEX agents_name;
CREATE INDEX agents_name ON agents (name, id, tenant_id, status, deleted_at) WHERE deleted_at IS NULL;
DROP INDEX agents_tenant;
CREATE INDEX agents_tenant ON agents (tenant_id, created_at, id, status, deleted_at)
    WHERE deleted_at IS NULL AND tenant_id IS NOT NULL;

DROP INDEX api_keys_name;
CREATE INDEX api_keys_name ON api_keys (name, id, tenant_id, status, deleted_at) WHERE deleted_at IS NULL;
DROP INDEX api_keys_expires;
CREATE INDEX api_keys_expires ON api_keys (expires_at, id, tenant_id, status, deleted_at) WHERE deleted_at IS NULL;
DROP INDEX api_keys_tenant;
CREATE INDEX api_keys_tenant ON api_keys (tenant_id, created_at, id, status, deleted_at) WHERE deleted_at IS NULL;

DROP INDEX sessions_tenant;
CREATE INDEX sessions_tenant ON sessions (tenant_id, created_at, id, deleted_at)
    WHERE deleted_at IS NULL AND tenant_id IS NOT NULL;

-- Whom events name: `a:` and the actor, `t:` and the tenant, `p:` and the partner, `r:` and the resource. It takes the place
-- of indexes that every event had to be entered into at once. (Comments nest in PostgreSQL but not in SQLite, which has to
-- be told not to store the table and its key apart.)
CREATE TABLE event_terms (
    term TEXT NOT NULL,
    id TEXT NOT NULL,
    PRIMARY KEY (term, id)
) /* /* */ WITHOUT ROWID
-- */
;
-- Up to which event a chain is entered.
ALTER TABLE chains ADD COLUMN indexed_seq BIGINT NOT NULL DEFAULT 0;
INSERT INTO event_terms (term, id) SELECT 'a:' || actor_id, id FROM audit_events WHERE actor_id IS NOT NULL ORDER BY 1, 2;
INSERT INTO event_terms (term, id) SELECT 't:' || tenant_id, id FROM audit_events WHERE tenant_id IS NOT NULL ORDER BY 1, 2;
INSERT INTO event_terms (term, id) SELECT 'p:' || partner_id, id FROM audit_events WHERE partner_id IS NOT NULL ORDER BY 1, 2;
INSERT INTO event_terms (term, id) SELECT 'r:' || resource_id, id FROM audit_events
    WHERE id <> 'evt_' || resource_id ORDER BY 1, 2;
UPDATE chains SET indexed_seq = seq;
DROP INDEX audit_events_actor;
DROP INDEX audit_events_tenant;
DROP INDEX audit_events_partner;
DROP INDEX audit_events_resource;
