-- +goose Up
-- What was said in place of an announcement when it was withdrawn.
ALTER TABLE announcements ADD COLUMN corrected_by TEXT NOT NULL DEFAULT '';
-- +goose Down
ALTER TABLE announcements DROP COLUMN corrected_by;
