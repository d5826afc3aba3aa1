-- +goose Up
-- What a commune puts on for one day, before and after it becomes an announcement.
CREATE TABLE programmes (
  id           TEXT PRIMARY KEY,
  version      BIGINT NOT NULL,
  area         TEXT NOT NULL,
  start_ms     BIGINT NOT NULL,
  author       TEXT NOT NULL,
  body         TEXT NOT NULL,
  before       TEXT NOT NULL,
  changed_ms   BIGINT NOT NULL,
  changed_by   TEXT NOT NULL,
  announcement TEXT NOT NULL
);
CREATE INDEX programmes_by_start ON programmes (area, start_ms, id);
-- How a place names its station, and what opens and closes its programmes.
CREATE TABLE stations (
  area       TEXT PRIMARY KEY,
  version    BIGINT NOT NULL,
  name       TEXT NOT NULL,
  opening    TEXT NOT NULL,
  closing    TEXT NOT NULL,
  changed_by TEXT NOT NULL
);
-- +goose Down
DROP TABLE stations;
DROP TABLE programmes;
