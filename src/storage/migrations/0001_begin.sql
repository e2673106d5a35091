-- Accounts, their sessions and the keys that sign their tokens.
-- Times are microseconds since 1970, ids are UUIDv7.

CREATE TABLE accounts (
  id                  BYTEA PRIMARY KEY,
  email               TEXT NOT NULL,            -- as typed
  email_normalized    TEXT NOT NULL UNIQUE,     -- as compared
  email_verified      BOOLEAN NOT NULL DEFAULT FALSE,
  full_name           TEXT,
  password_hash       TEXT,                     -- PHC or crypt(3) string
  disabled            BOOLEAN NOT NULL DEFAULT FALSE,
  created_at          BIGINT NOT NULL,
  updated_at          BIGINT NOT NULL,
  last_login_at       BIGINT,
  password_changed_at BIGINT
);

CREATE TABLE account_roles (
  account_id BYTEA NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
  role       TEXT NOT NULL,
  granted_at BIGINT NOT NULL,
  PRIMARY KEY (account_id, role)
);

CREATE TABLE sessions (
  id                 BYTEA PRIMARY KEY,
  account_id         BYTEA NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
  generation         BIGINT NOT NULL,           -- of the refresh token; each rotation adds one
  refresh_token_hash BYTEA NOT NULL,
  user_agent         TEXT NOT NULL,
  address            TEXT NOT NULL,
  created_at         BIGINT NOT NULL,
  last_used_at       BIGINT NOT NULL,
  idle_expires_at    BIGINT NOT NULL,
  expires_at         BIGINT NOT NULL,
  ended_at           BIGINT,
  end_reason         TEXT
);

CREATE INDEX sessions_by_account ON sessions (account_id);

CREATE TABLE signing_keys (
  id                 TEXT PRIMARY KEY,          -- the kid, an RFC 7638 thumbprint
  algorithm          TEXT NOT NULL,
  public_jwk         TEXT NOT NULL,
  private_key_sealed BYTEA NOT NULL,            -- under the master key, with the id as associated data
  created_at         BIGINT NOT NULL,
  activates_at       BIGINT NOT NULL,
  removed_at         BIGINT                     -- thrown out before its time
);
