-- Sessions that are refreshed, roles with permissions, the first admin's token, and the audit trail.

-- A refresh token is made from the session's id and generation under the master key: nothing of it is stored.
ALTER TABLE sessions DROP COLUMN refresh_token_hash;
ALTER TABLE sessions ADD COLUMN replaced_at BIGINT;    -- when the generation before this one was replaced
ALTER TABLE sessions ADD COLUMN binding BYTEA;         -- SHA-256 of what the client that logged in or last refreshed is known by
ALTER TABLE sessions ADD COLUMN refresh_policy TEXT NOT NULL DEFAULT 'rotate';
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE roles (
  name        TEXT PRIMARY KEY,
  description TEXT,
  created_at  BIGINT NOT NULL,
  updated_at  BIGINT NOT NULL
);

-- The permissions of roles that people made. `admin` has all there are, by definition.
CREATE TABLE role_permissions (
  role       TEXT NOT NULL REFERENCES roles(name) ON DELETE CASCADE,
  permission TEXT NOT NULL,
  PRIMARY KEY (role, permission)
);

INSERT INTO roles (name, description, created_at, updated_at) VALUES
  ('user', 'Everybody who registers', 0, 0),
  ('admin', 'Every permission', 0, 0);

ALTER TABLE account_roles RENAME TO account_roles_before;
CREATE TABLE account_roles (
  account_id BYTEA NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
  role       TEXT NOT NULL REFERENCES roles(name),
  granted_at BIGINT NOT NULL,
  PRIMARY KEY (account_id, role)
);
INSERT INTO account_roles (account_id, role, granted_at) SELECT account_id, role, granted_at FROM account_roles_before;
DROP TABLE account_roles_before;
CREATE INDEX account_roles_by_role ON account_roles (role);

CREATE TABLE setup_tokens (
  token_hash BYTEA PRIMARY KEY,
  created_at BIGINT NOT NULL,
  used_at    BIGINT
);

-- Append-only. Each row's hash covers the row and the hash before it in its chain; the key is not in the database.
CREATE TABLE audit_events (
  chain       BIGINT NOT NULL,
  sequence    BIGINT NOT NULL,       -- from 1, without a gap
  occurred_at BIGINT NOT NULL,
  event       TEXT NOT NULL,
  account_id  BYTEA,                 -- whom it is about; no foreign key: the trail outlives the account
  actor_id    BYTEA,                 -- who did it, when that is somebody else
  session_id  BYTEA,
  reason      TEXT NOT NULL,
  detail      TEXT NOT NULL,
  email       TEXT NOT NULL,         -- as configured: nothing, a keyed hash, or plain
  address     TEXT NOT NULL,
  user_agent  TEXT NOT NULL,
  request_id  TEXT NOT NULL,
  hash        BYTEA NOT NULL,
  PRIMARY KEY (chain, sequence)
);
CREATE INDEX audit_events_by_time ON audit_events (occurred_at);

-- The end of each chain.
CREATE TABLE audit_chains (
  id       BIGINT PRIMARY KEY,
  sequence BIGINT NOT NULL,
  hash     BYTEA NOT NULL
);

-- The ends of all chains at a time, signed: what was there then cannot be cut off unseen.
CREATE TABLE audit_checkpoints (
  id        BYTEA PRIMARY KEY,
  made_at   BIGINT NOT NULL,
  heads     TEXT NOT NULL,           -- JSON
  signature BYTEA NOT NULL
);
CREATE INDEX audit_checkpoints_by_time ON audit_checkpoints (made_at);
