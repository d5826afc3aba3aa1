-- +goose Up
-- How an area says what is written: a lower area's entry wins over an upper one's.
CREATE TABLE lexemes (
  area       TEXT NOT NULL,
  written    TEXT NOT NULL,
  spoken     TEXT NOT NULL,
  exact      BOOLEAN NOT NULL,
  doubtful   BOOLEAN NOT NULL,
  version    BIGINT NOT NULL,
  person     TEXT NOT NULL,
  changed_ms BIGINT NOT NULL,
  PRIMARY KEY (area, written)
);
-- Texts that wait for a voice, are being spoken, or were.
CREATE TABLE speeches (
  id         TEXT PRIMARY KEY,
  version    BIGINT NOT NULL,
  state      TEXT NOT NULL,
  person     TEXT NOT NULL,
  area       TEXT NOT NULL,
  title      TEXT NOT NULL,
  written    TEXT NOT NULL,
  manner     TEXT NOT NULL,
  accepted   TEXT NOT NULL,
  reason     TEXT NOT NULL,
  tries      BIGINT NOT NULL,
  next_ms    BIGINT NOT NULL,
  done       BIGINT NOT NULL,
  total      BIGINT NOT NULL,
  content    TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  changed_ms BIGINT NOT NULL
);
CREATE INDEX speeches_by_state ON speeches (state, next_ms);
-- The text that a recording was made of, and how it was said; never changed.
CREATE TABLE spoken_contents (
  sha256     TEXT PRIMARY KEY REFERENCES contents (sha256),
  speech     TEXT NOT NULL,
  person     TEXT NOT NULL,
  area       TEXT NOT NULL,
  written    TEXT NOT NULL,
  spoken     TEXT NOT NULL,
  accepted   TEXT NOT NULL,
  created_ms BIGINT NOT NULL
);
-- Who said to have listened to which recording.
CREATE TABLE listenings (
  sha256 TEXT NOT NULL REFERENCES contents (sha256),
  person TEXT NOT NULL,
  at_ms  BIGINT NOT NULL,
  PRIMARY KEY (sha256, person)
);
-- +goose Down
DROP TABLE listenings;
DROP TABLE spoken_contents;
DROP TABLE speeches;
DROP TABLE lexemes;
