-- +goose Up
CREATE TABLE persons (
  id         TEXT PRIMARY KEY,
  name       TEXT NOT NULL,
  role       TEXT NOT NULL,
  level      TEXT NOT NULL,
  areas      TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  left_ms    BIGINT NOT NULL
);
-- Signing keys, never in the clear: wrapped under the officer's passphrase.
CREATE TABLE officer_keys (
  id         TEXT PRIMARY KEY,
  person     TEXT NOT NULL REFERENCES persons (id),
  public     TEXT NOT NULL,
  wrapped    TEXT NOT NULL,
  created_ms BIGINT NOT NULL
);
CREATE INDEX officer_keys_by_person ON officer_keys (person, created_ms);
-- Personal tokens by their digest; wrapped is the officer's key under the token.
CREATE TABLE tokens (
  hash       TEXT PRIMARY KEY,
  person     TEXT NOT NULL REFERENCES persons (id),
  label      TEXT NOT NULL,
  key_id     TEXT NOT NULL,
  wrapped    TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  expires_ms BIGINT NOT NULL,
  revoked_ms BIGINT NOT NULL
);
CREATE INDEX tokens_by_person ON tokens (person, created_ms);
-- Who did what, as a hash chain. Rows are only ever added.
CREATE TABLE audit (
  seq     BIGINT PRIMARY KEY,
  at_ms   BIGINT NOT NULL,
  person  TEXT NOT NULL,
  act     TEXT NOT NULL,
  subject TEXT NOT NULL,
  detail  TEXT NOT NULL,
  prev    TEXT NOT NULL,
  hash    TEXT NOT NULL
);
-- +goose Down
DROP TABLE audit;
DROP TABLE tokens;
DROP TABLE officer_keys;
DROP TABLE persons;
