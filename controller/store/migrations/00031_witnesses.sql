-- +goose Up
-- The longest audit log that each node was told of, by its own word.
ALTER TABLE node_hints ADD COLUMN audit_length BIGINT NOT NULL DEFAULT 0;
ALTER TABLE node_hints ADD COLUMN audit_head TEXT NOT NULL DEFAULT '';
-- +goose Down
ALTER TABLE node_hints DROP COLUMN audit_head;
ALTER TABLE node_hints DROP COLUMN audit_length;
