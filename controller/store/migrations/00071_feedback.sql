-- +goose Up
-- What people report of loudspeakers, and what was done about it.
CREATE TABLE feedback (
  id          TEXT PRIMARY KEY,
  version     BIGINT NOT NULL,
  area        TEXT NOT NULL,
  node        TEXT NOT NULL,
  kind        TEXT NOT NULL,
  text        TEXT NOT NULL,
  contact     TEXT NOT NULL,
  taken_by    TEXT NOT NULL,
  created_ms  BIGINT NOT NULL,
  assigned_ms BIGINT NOT NULL,
  assigned_by TEXT NOT NULL,
  trim_before BIGINT NOT NULL,
  trim_after  BIGINT NOT NULL,
  answer      TEXT NOT NULL,
  closed_ms   BIGINT NOT NULL,
  closed_by   TEXT NOT NULL
);
CREATE INDEX feedback_by_age ON feedback (created_ms);
CREATE INDEX feedback_open ON feedback (closed_ms, id);
-- +goose Down
DROP TABLE feedback;
