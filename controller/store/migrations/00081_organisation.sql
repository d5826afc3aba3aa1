-- +goose Up
-- The organisation tree: what every area was called and where it belonged from
-- a moment on. Rows are only added; one that is still to come may be dropped
-- with its plan.
CREATE TABLE area_facts (
  area    TEXT NOT NULL,
  from_ms BIGINT NOT NULL,
  -- place is when the area was first heard of: areas are shown in this order.
  place   BIGINT NOT NULL,
  fact    TEXT NOT NULL,
  -- plan is the digest of the plan that says so; empty for the first tree.
  plan    TEXT NOT NULL,
  PRIMARY KEY (area, from_ms)
);
CREATE TABLE area_plans (
  digest     TEXT PRIMARY KEY,
  at_ms      BIGINT NOT NULL,
  person     TEXT NOT NULL,
  applied_ms BIGINT NOT NULL,
  plan       TEXT NOT NULL
);
-- +goose Down
DROP TABLE area_plans;
DROP TABLE area_facts;
