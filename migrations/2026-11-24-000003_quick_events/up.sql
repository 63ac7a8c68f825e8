-- The event that a token was issued has the token's own number: it is found by its identifier, and the index of resources
-- need not grow with every token. `resource_id` of the others, and of events of earlier versions, is found as before.
DROP INDEX audit_events_resource;
CREATE INDEX audit_events_resource ON audit_events (resource_id, id) WHERE id <> 'evt_' || resource_id;
