-- +goose Up
-- What was measured of canonical content; the bytes lie in the content folder.
CREATE TABLE contents (
  sha256     TEXT PRIMARY KEY,
  bytes      BIGINT NOT NULL,
  length_ms  BIGINT NOT NULL,
  name       TEXT NOT NULL,
  person     TEXT NOT NULL,
  measured   TEXT NOT NULL,
  created_ms BIGINT NOT NULL
);
-- The desk's working copy of each announcement. What nodes act on is the sealed
-- document that it names once it is published.
CREATE TABLE announcements (
  id           TEXT PRIMARY KEY,
  version      BIGINT NOT NULL,
  state        TEXT NOT NULL,
  author       TEXT NOT NULL,
  body         TEXT NOT NULL,
  meta         TEXT NOT NULL,
  digest       TEXT NOT NULL,
  officers     BIGINT NOT NULL,
  envelope     TEXT NOT NULL,
  revision     BIGINT NOT NULL,
  sha256       TEXT NOT NULL,
  until_ms     BIGINT NOT NULL,
  created_ms   BIGINT NOT NULL,
  submitted_ms BIGINT NOT NULL,
  published_ms BIGINT NOT NULL,
  withdrawn_ms BIGINT NOT NULL,
  withdrawn_by TEXT NOT NULL,
  withdrawn_why TEXT NOT NULL,
  closed_ms    BIGINT NOT NULL
);
CREATE INDEX announcements_by_state ON announcements (state, until_ms);
-- Running orders of drafts by their digest; they become documents when published.
CREATE TABLE running_orders (
  announcement TEXT NOT NULL REFERENCES announcements (id),
  sha256       TEXT NOT NULL,
  raw          BLOB NOT NULL,
  PRIMARY KEY (announcement, sha256)
);
-- Who signed an announcement, in which order. One row a person: two signatures
-- are two people.
CREATE TABLE approvals (
  announcement TEXT NOT NULL REFERENCES announcements (id),
  person       TEXT NOT NULL,
  place        BIGINT NOT NULL,
  kid          TEXT NOT NULL,
  digest       TEXT NOT NULL,
  at_ms        BIGINT NOT NULL,
  PRIMARY KEY (announcement, person)
);
-- What was answered to a create with an Idempotency-Key.
CREATE TABLE answers (
  person     TEXT NOT NULL,
  name       TEXT NOT NULL,
  request    TEXT NOT NULL,
  status     BIGINT NOT NULL,
  body       BLOB NOT NULL,
  created_ms BIGINT NOT NULL,
  PRIMARY KEY (person, name)
);
CREATE INDEX answers_by_age ON answers (created_ms);
-- +goose Down
DROP TABLE answers;
DROP TABLE approvals;
DROP TABLE running_orders;
DROP TABLE announcements;
DROP TABLE contents;
