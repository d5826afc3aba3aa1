-- +goose Up
-- When each announcement is on, in each of its areas: made of its body with every
-- write, so that a calendar of ten thousand is read by its days.
CREATE TABLE announcement_days (
  announcement TEXT NOT NULL REFERENCES announcements (id),
  area         TEXT NOT NULL,
  class        TEXT NOT NULL,
  state        TEXT NOT NULL,
  start_ms     BIGINT NOT NULL,
  end_ms       BIGINT NOT NULL,
  PRIMARY KEY (announcement, area)
);
CREATE INDEX announcement_days_by_start ON announcement_days (area, start_ms, announcement);
CREATE INDEX announcement_days_by_end ON announcement_days (area, end_ms);
-- +goose Down
DROP TABLE announcement_days;
