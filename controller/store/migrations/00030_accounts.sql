-- +goose Up
-- What somebody signs in with; the passphrase of the key stands nowhere.
CREATE TABLE passwords (
  person     TEXT PRIMARY KEY REFERENCES persons (id),
  hash       TEXT NOT NULL,
  changed_ms BIGINT NOT NULL
);
-- One-time codes by their digest: the way to a first or another password.
CREATE TABLE codes (
  hash       TEXT PRIMARY KEY,
  person     TEXT NOT NULL REFERENCES persons (id),
  issuer     TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  expires_ms BIGINT NOT NULL,
  used_ms    BIGINT NOT NULL
);
CREATE INDEX codes_by_person ON codes (person, created_ms);
-- Browsers that somebody has signed in with before, by the digest of a cookie.
CREATE TABLE browsers (
  hash       TEXT PRIMARY KEY,
  person     TEXT NOT NULL REFERENCES persons (id),
  seen_ms    BIGINT NOT NULL
);
CREATE INDEX browsers_by_person ON browsers (person, seen_ms);
-- Sessions by the digest of their cookie; they open no key.
CREATE TABLE sessions (
  hash       TEXT PRIMARY KEY,
  person     TEXT NOT NULL REFERENCES persons (id),
  browser    TEXT NOT NULL,
  device     TEXT NOT NULL,
  address    TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  seen_ms    BIGINT NOT NULL,
  expires_ms BIGINT NOT NULL,
  ended_ms   BIGINT NOT NULL
);
CREATE INDEX sessions_by_person ON sessions (person, created_ms);
-- +goose Down
DROP TABLE sessions;
DROP TABLE browsers;
DROP TABLE codes;
DROP TABLE passwords;
