-- +goose Up
CREATE TABLE settings (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
);
-- Everything that GET /document/<sha256> answers to: sealed envelopes, and the
-- unsealed objects (metadata, running orders) whose digest was signed.
CREATE TABLE documents (
  sha256   TEXT PRIMARY KEY,
  kind     TEXT NOT NULL,
  id       TEXT NOT NULL,
  revision BIGINT NOT NULL,
  raw      BLOB NOT NULL
);
CREATE INDEX documents_by_id ON documents (kind, id, revision);
-- What each area holds now; the manifest is made of it.
CREATE TABLE listings (
  area     TEXT NOT NULL,
  kind     TEXT NOT NULL,
  id       TEXT NOT NULL,
  revision BIGINT NOT NULL,
  sha256   TEXT NOT NULL REFERENCES documents (sha256),
  until_ms BIGINT NOT NULL,
  PRIMARY KEY (area, kind, id)
);
-- +goose Down
DROP TABLE listings;
DROP TABLE documents;
DROP TABLE settings;
