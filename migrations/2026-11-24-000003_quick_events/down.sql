DROP INDEX audit_events_resource;
CREATE INDEX audit_events_resource ON audit_events (resource_id, id) WHERE resource_id IS NOT NULL;
