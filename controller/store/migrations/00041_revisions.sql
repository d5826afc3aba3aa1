-- +goose Up
-- A row is one revision of an announcement. Nodes know all of them by one name,
-- document; replaces is the row whose place it takes, replaced_by the row that
-- took its own.
ALTER TABLE announcements ADD COLUMN document TEXT NOT NULL DEFAULT '';
ALTER TABLE announcements ADD COLUMN replaces TEXT NOT NULL DEFAULT '';
ALTER TABLE announcements ADD COLUMN replaced_by TEXT NOT NULL DEFAULT '';
CREATE INDEX announcements_by_document ON announcements (document, revision);
CREATE INDEX announcements_by_replaced ON announcements (replaces, state);
-- +goose Down
DROP INDEX announcements_by_replaced;
DROP INDEX announcements_by_document;
ALTER TABLE announcements DROP COLUMN replaced_by;
ALTER TABLE announcements DROP COLUMN replaces;
ALTER TABLE announcements DROP COLUMN document;
