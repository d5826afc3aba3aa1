-- +goose Up
-- Words approved in advance: what stands of each, and what waits for signatures
-- in its place. What nodes act on is the sealed document that sha256 names.
CREATE TABLE templates (
  id            TEXT PRIMARY KEY,
  version       BIGINT NOT NULL,
  author        TEXT NOT NULL,
  draft         TEXT NOT NULL,
  digest        TEXT NOT NULL,
  envelope      TEXT NOT NULL,
  standing      TEXT NOT NULL,
  sha256        TEXT NOT NULL,
  published_ms  BIGINT NOT NULL,
  expires_ms    BIGINT NOT NULL,
  withdrawn_ms  BIGINT NOT NULL,
  withdrawn_by  TEXT NOT NULL,
  withdrawn_why TEXT NOT NULL
);
-- Who signed which words, in which order.
CREATE TABLE template_signatures (
  template TEXT NOT NULL REFERENCES templates (id),
  digest   TEXT NOT NULL,
  person   TEXT NOT NULL,
  place    BIGINT NOT NULL,
  kid      TEXT NOT NULL,
  at_ms    BIGINT NOT NULL,
  PRIMARY KEY (template, digest, person)
);
CREATE INDEX announcements_by_publication ON announcements (published_ms);
-- +goose Down
DROP INDEX announcements_by_publication;
DROP TABLE template_signatures;
DROP TABLE templates;
