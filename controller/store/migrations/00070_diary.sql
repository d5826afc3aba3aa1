-- +goose Up
-- What communes sounded, a page for each closed day and for each addendum to it.
-- The pages of a commune are a chain: none is ever changed.
CREATE TABLE diary_pages (
  area   TEXT NOT NULL,
  seq    BIGINT NOT NULL,
  day    TEXT NOT NULL,
  kind   TEXT NOT NULL,
  person TEXT NOT NULL,
  at_ms  BIGINT NOT NULL,
  body   BLOB NOT NULL,
  prev   TEXT NOT NULL,
  hash   TEXT NOT NULL,
  PRIMARY KEY (area, seq)
);
CREATE INDEX diary_by_day ON diary_pages (area, day);
CREATE UNIQUE INDEX diary_closed_once ON diary_pages (area, day) WHERE kind = 'day';
-- What people added to a day that was not closed yet.
CREATE TABLE diary_entries (
  id     TEXT PRIMARY KEY,
  area   TEXT NOT NULL,
  day    TEXT NOT NULL,
  person TEXT NOT NULL,
  at_ms  BIGINT NOT NULL,
  text   TEXT NOT NULL
);
CREATE INDEX diary_entries_by_day ON diary_entries (area, day, id);
-- How far the keeper of the diary got, by what it was doing.
CREATE TABLE diary_marks (
  name  TEXT PRIMARY KEY,
  at_ms BIGINT NOT NULL
);
-- When nobody watched, because the controller did not run.
CREATE TABLE blind_spells (
  from_ms BIGINT PRIMARY KEY,
  to_ms   BIGINT NOT NULL
);
CREATE INDEX receipts_by_age ON receipts (stored_ms);
CREATE INDEX announcements_by_end ON announcements (until_ms);
-- +goose Down
DROP INDEX announcements_by_end;
DROP INDEX receipts_by_age;
DROP TABLE blind_spells;
DROP TABLE diary_marks;
DROP TABLE diary_entries;
DROP TABLE diary_pages;
