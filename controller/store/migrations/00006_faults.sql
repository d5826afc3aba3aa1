-- +goose Up
-- What was wrong, with which node, from when to when. Those of the controller
-- itself have no node; those that are not cleared yet are open.
CREATE TABLE faults (
  id         TEXT PRIMARY KEY,
  node       TEXT NOT NULL,
  code       TEXT NOT NULL,
  part       TEXT NOT NULL,
  cause      TEXT NOT NULL,
  since_ms   BIGINT NOT NULL,
  shown_ms   BIGINT NOT NULL,
  cleared_ms BIGINT NOT NULL,
  last_known BOOLEAN NOT NULL
);
CREATE INDEX faults_open ON faults (cleared_ms, id);
CREATE INDEX faults_of_node ON faults (node, id);
-- +goose Down
DROP TABLE faults;
