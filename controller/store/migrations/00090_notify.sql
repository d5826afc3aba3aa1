-- +goose Up
-- Who wants to be told of what, and how.
CREATE TABLE subscriptions (
  id         TEXT PRIMARY KEY,
  person     TEXT NOT NULL REFERENCES persons (id),
  way        TEXT NOT NULL,
  address    TEXT NOT NULL,
  areas      TEXT NOT NULL,
  topics     TEXT NOT NULL,
  language   TEXT NOT NULL,
  quiet      TEXT NOT NULL,
  created_ms BIGINT NOT NULL
);
CREATE INDEX subscriptions_by_person ON subscriptions (person, id);
-- What somebody ought to know of, from its coming to its end.
CREATE TABLE notices (
  name     TEXT PRIMARY KEY,
  topic    TEXT NOT NULL,
  cause    TEXT NOT NULL,
  area     TEXT NOT NULL,
  person   TEXT NOT NULL,
  urgent   BOOLEAN NOT NULL,
  passing  BOOLEAN NOT NULL,
  subject  TEXT NOT NULL,
  words    TEXT NOT NULL,
  since_ms BIGINT NOT NULL,
  shown_ms BIGINT NOT NULL,
  ended_ms BIGINT NOT NULL
);
CREATE INDEX notices_by_end ON notices (ended_ms);
-- Messages on their way out. They stay for a while after they were sent.
CREATE TABLE messages (
  id           TEXT PRIMARY KEY,
  subscription TEXT NOT NULL,
  person       TEXT NOT NULL,
  way          TEXT NOT NULL,
  address      TEXT NOT NULL,
  subject      TEXT NOT NULL,
  body         TEXT NOT NULL,
  urgent       BOOLEAN NOT NULL,
  state        TEXT NOT NULL,
  tries        BIGINT NOT NULL,
  reason       TEXT NOT NULL,
  next_ms      BIGINT NOT NULL,
  created_ms   BIGINT NOT NULL,
  sent_ms      BIGINT NOT NULL
);
CREATE INDEX messages_due ON messages (state, next_ms);
CREATE INDEX messages_by_person ON messages (person, id);
CREATE INDEX messages_by_subscription ON messages (subscription, created_ms);
-- Which notice a subscription was told of, of its coming and of its end.
CREATE TABLE tellings (
  subscription TEXT NOT NULL,
  notice       TEXT NOT NULL,
  ended        BOOLEAN NOT NULL,
  PRIMARY KEY (subscription, notice, ended)
);
-- +goose Down
DROP TABLE tellings;
DROP TABLE messages;
DROP TABLE notices;
DROP TABLE subscriptions;
