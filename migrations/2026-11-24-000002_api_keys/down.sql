CREATE TABLE credential_usage (
    credential_id TEXT NOT NULL,
    address TEXT NOT NULL,
    count BIGINT NOT NULL,
    needed BIGINT NOT NULL,
    first_used_at TIMESTAMP NOT NULL,
    last_used_at TIMESTAMP NOT NULL,
    PRIMARY KEY (credential_id, address)
);
INSERT INTO credential_usage (credential_id, address, count, needed, first_used_at, last_used_at)
    SELECT credential_id, address, SUM(count), SUM(needed), MIN(first_used_at), MAX(last_used_at)
    FROM credential_use GROUP BY credential_id, address;
DROP TABLE credential_use;
DROP INDEX revocations_jti;
DELETE FROM revocations WHERE kind <> 'jti';
ALTER TABLE revocations DROP COLUMN before_at;
ALTER TABLE revocations DROP COLUMN kind;
ALTER TABLE revocations RENAME COLUMN name TO jti;
CREATE UNIQUE INDEX revocations_jti ON revocations (jti) WHERE deleted_at IS NULL;
DROP INDEX tenants_publishable_key;
DROP TABLE api_keys;
