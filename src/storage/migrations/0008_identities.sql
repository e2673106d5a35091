-- expand: people who log in with a provider of identities (OpenID Connect, OAuth 2.0).

CREATE TABLE identities (
  provider      TEXT NOT NULL,               -- its name in the configuration …
  issuer        TEXT NOT NULL,               -- … and who that was: another one under the same name is somebody else
  subject       TEXT NOT NULL,               -- the provider's id of the person; an address of mail never is one
  account_id    BYTEA NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
  email         TEXT NOT NULL,               -- as the provider said last, for people to see; '': none
  connected_at  BIGINT NOT NULL,
  last_login_at BIGINT,
  PRIMARY KEY (provider, issuer, subject)
);
CREATE UNIQUE INDEX identities_by_account ON identities (account_id, provider, issuer);

-- Logins at a provider that have come back: each comes back once.
CREATE TABLE used_logins (
  state_hash BYTEA PRIMARY KEY,
  expires_at BIGINT NOT NULL
);
CREATE INDEX used_logins_by_expiry ON used_logins (expires_at);

-- What an application exchanges for what came of a login at a provider.
CREATE TABLE handover_codes (
  code_hash      BYTEA PRIMARY KEY,
  purpose        TEXT NOT NULL,              -- login: a session; connect: an identity, for the session that asked
  account_id     BYTEA NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
  session_id     BYTEA,                      -- connect: the one that asked; login: the one that came of it
  provider       TEXT NOT NULL,
  issuer         TEXT NOT NULL,
  subject        TEXT NOT NULL,
  email          TEXT NOT NULL,
  code_challenge TEXT NOT NULL,              -- RFC 7636, S256; '': none
  user_agent     TEXT NOT NULL,              -- of the browser that logged in
  address        TEXT NOT NULL,
  created_at     BIGINT NOT NULL,
  expires_at     BIGINT NOT NULL,
  used_at        BIGINT
);
CREATE INDEX handover_codes_by_account ON handover_codes (account_id, provider);
CREATE INDEX handover_codes_by_expiry ON handover_codes (expires_at);
