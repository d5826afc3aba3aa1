-- +goose Up
-- Receipts given while it was not clear which box gives them.
ALTER TABLE receipts ADD COLUMN doubtful BOOLEAN NOT NULL DEFAULT FALSE;
-- Nodes whose receipt chain has two continuations: a card that was put back to
-- an earlier state, or two boxes with one key.
CREATE TABLE doubts (
  node     TEXT PRIMARY KEY REFERENCES nodes (id),
  code     TEXT NOT NULL,
  since_ms BIGINT NOT NULL,
  chain    TEXT NOT NULL,
  seq      BIGINT NOT NULL,
  ended    BIGINT NOT NULL,
  forks    BIGINT NOT NULL
);
-- +goose Down
DROP TABLE doubts;
ALTER TABLE receipts DROP COLUMN doubtful;
