-- +goose Up
-- What was spoken at boxes, as receipts named it, and what became of it.
CREATE TABLE recordings (
  node         TEXT NOT NULL,
  sha256       TEXT NOT NULL,
  area         TEXT NOT NULL,
  announcement TEXT NOT NULL,
  bytes        BIGINT NOT NULL,
  length_ms    BIGINT NOT NULL,
  told_ms      BIGINT NOT NULL,
  here_ms      BIGINT NOT NULL,
  gone_ms      BIGINT NOT NULL,
  dropped_ms   BIGINT NOT NULL,
  PRIMARY KEY (node, sha256)
);
CREATE INDEX recordings_by_announcement ON recordings (announcement);
CREATE INDEX recordings_here ON recordings (here_ms);
-- +goose Down
DROP TABLE recordings;
