-- +goose Up
CREATE TABLE nodes (
  id             TEXT PRIMARY KEY,
  area           TEXT NOT NULL,
  status         TEXT NOT NULL,
  token_hash     TEXT NOT NULL,
  token_until_ms BIGINT NOT NULL,
  public         TEXT NOT NULL,
  secret_hash    TEXT NOT NULL,
  board          TEXT NOT NULL,
  enrolled_ms    BIGINT NOT NULL,
  confirmed_ms   BIGINT NOT NULL,
  confirmed_by   TEXT NOT NULL,
  assignment     TEXT NOT NULL
);
CREATE INDEX nodes_by_area ON nodes (area);
-- The last hints of each node. They are shown with their age and prove nothing.
CREATE TABLE node_hints (
  node        TEXT PRIMARY KEY REFERENCES nodes (id),
  connection  TEXT NOT NULL,
  present     BOOLEAN NOT NULL,
  presence_ms BIGINT NOT NULL,
  state       TEXT NOT NULL,
  state_ms    BIGINT NOT NULL,
  health      TEXT NOT NULL,
  health_ms   BIGINT NOT NULL
);
-- How far each receipt chain was stored.
CREATE TABLE chains (
  node  TEXT NOT NULL REFERENCES nodes (id),
  chain TEXT NOT NULL,
  seq   BIGINT NOT NULL,
  head  TEXT NOT NULL,
  PRIMARY KEY (node, chain)
);
-- Receipts are only ever added.
CREATE TABLE receipts (
  node         TEXT NOT NULL,
  chain        TEXT NOT NULL,
  seq          BIGINT NOT NULL,
  announcement TEXT NOT NULL,
  of_revision  BIGINT NOT NULL,
  stored_ms    BIGINT NOT NULL,
  raw          BLOB NOT NULL,
  PRIMARY KEY (node, chain, seq)
);
CREATE INDEX receipts_by_announcement ON receipts (announcement, of_revision, node);
-- Which nodes should sound an announcement, as known when it was published.
CREATE TABLE expectations (
  announcement TEXT NOT NULL,
  of_revision  BIGINT NOT NULL,
  node         TEXT NOT NULL,
  PRIMARY KEY (announcement, of_revision, node)
);
-- +goose Down
DROP TABLE expectations;
DROP TABLE receipts;
DROP TABLE chains;
DROP TABLE node_hints;
DROP TABLE nodes;
