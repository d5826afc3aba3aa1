-- +goose Up
-- A page of what is in one state is read by its ids, however many others there are.
CREATE INDEX announcements_by_page ON announcements (state, id);
-- +goose Down
DROP INDEX announcements_by_page;
