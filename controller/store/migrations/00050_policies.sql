-- +goose Up
-- What waits for two signatures to become the policy of an area. What stands is
-- the sealed document that the area lists.
CREATE TABLE policy_drafts (
  area      TEXT PRIMARY KEY,
  version   BIGINT NOT NULL,
  author    TEXT NOT NULL,
  draft     TEXT NOT NULL,
  digest    TEXT NOT NULL,
  envelope  TEXT NOT NULL,
  signer    TEXT NOT NULL,
  signed_ms BIGINT NOT NULL
);
-- +goose Down
DROP TABLE policy_drafts;
