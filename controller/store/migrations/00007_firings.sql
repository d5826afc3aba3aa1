-- +goose Up
-- Receipts that tell of a key switch in the box of a node.
ALTER TABLE receipts ADD COLUMN firing BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX receipts_of_firings ON receipts (stored_ms) WHERE firing;
-- +goose Down
DROP INDEX receipts_of_firings;
ALTER TABLE receipts DROP COLUMN firing;
