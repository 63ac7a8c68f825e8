DROP INDEX sessions_hash;
ALTER TABLE sessions DROP COLUMN authenticated_at;
ALTER TABLE sessions DROP COLUMN amr;
ALTER TABLE sessions DROP COLUMN hash;
ALTER TABLE sessions DROP COLUMN provider_id;
DROP TABLE refresh_tokens;
DROP TABLE federated_identities;
DROP TABLE authenticators;
