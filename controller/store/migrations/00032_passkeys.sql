-- +goose Up
-- Public halves of passkeys; what is secret never leaves its owner's device.
CREATE TABLE passkeys (
  id         TEXT PRIMARY KEY,
  person     TEXT NOT NULL REFERENCES persons (id),
  name       TEXT NOT NULL,
  record     TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  used_ms    BIGINT NOT NULL
);
CREATE INDEX passkeys_by_person ON passkeys (person, created_ms);
-- +goose Down
DROP TABLE passkeys;
