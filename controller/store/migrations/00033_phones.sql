-- +goose Up
-- Phones that several officers share; the secret of one never stands here.
CREATE TABLE phones (
  id         TEXT PRIMARY KEY,
  name       TEXT NOT NULL,
  area       TEXT NOT NULL,
  code       TEXT NOT NULL UNIQUE,
  secret     TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  expires_ms BIGINT NOT NULL,
  enrolled_ms BIGINT NOT NULL,
  revoked_ms BIGINT NOT NULL
);
CREATE INDEX phones_by_secret ON phones (secret);
-- Keys of officers, wrapped under a PIN together with the secret of one phone.
CREATE TABLE pins (
  phone      TEXT NOT NULL REFERENCES phones (id),
  person     TEXT NOT NULL REFERENCES persons (id),
  key        TEXT NOT NULL,
  wrapped    TEXT NOT NULL,
  wrong      BIGINT NOT NULL,
  created_ms BIGINT NOT NULL,
  PRIMARY KEY (phone, person)
);
ALTER TABLE sessions ADD COLUMN phone TEXT NOT NULL DEFAULT '';
-- +goose Down
ALTER TABLE sessions DROP COLUMN phone;
DROP TABLE pins;
DROP TABLE phones;
