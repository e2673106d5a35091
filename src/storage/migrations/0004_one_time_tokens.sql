-- What mails carry to prove that somebody reads them, and what is done after an answer so that the answer tells nothing.

CREATE TABLE one_time_tokens (
  id               BYTEA PRIMARY KEY,
  account_id       BYTEA NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
  purpose          TEXT NOT NULL,            -- verify_email, reset_password, change_email, undo_email_change
  email            TEXT NOT NULL,            -- the address that it is about, as typed …
  email_normalized TEXT NOT NULL,            -- … and as compared
  token_hash       BYTEA NOT NULL UNIQUE,
  transaction_hash BYTEA UNIQUE,             -- of the call that asked; its code counts with it alone
  code_hash        BYTEA,
  code_tries       BIGINT NOT NULL DEFAULT 0,
  created_at       BIGINT NOT NULL,
  expires_at       BIGINT NOT NULL,
  code_expires_at  BIGINT NOT NULL
);
CREATE INDEX one_time_tokens_by_account ON one_time_tokens (account_id, created_at);
-- A newer one takes the place of the older; only undoing stays possible step by step.
CREATE UNIQUE INDEX one_time_tokens_newest ON one_time_tokens (account_id, purpose) WHERE purpose <> 'undo_email_change';
CREATE INDEX one_time_tokens_by_email ON one_time_tokens (email_normalized);
CREATE INDEX one_time_tokens_by_expiry ON one_time_tokens (expires_at);

-- Calls whose outcome is nobody's business: the row is the same for everybody, the work comes after the answer.
CREATE TABLE deferred_requests (
  id               BYTEA PRIMARY KEY,
  kind             TEXT NOT NULL,            -- register, resend_verification, forgot_password
  email            TEXT NOT NULL,
  transaction_hash BYTEA NOT NULL,
  locale           TEXT NOT NULL,
  address          TEXT NOT NULL,            -- of the client, for the events
  user_agent       TEXT NOT NULL,
  request_id       TEXT NOT NULL,
  account_id       BYTEA,                    -- register: the account to be made
  full_name        TEXT,
  password_hash    TEXT,
  due_at           BIGINT NOT NULL,
  expires_at       BIGINT NOT NULL
);
CREATE INDEX deferred_requests_by_due ON deferred_requests (due_at);

-- How many mails an account was sent lately.
CREATE INDEX outgoing_mails_by_account ON outgoing_mails (account_id, kind, created_at);
