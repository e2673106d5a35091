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
  reserves_email   BOOLEAN NOT NULL,         -- nobody else gets the address while this lives
  session_id       BYTEA,                    -- change_email: the one that asked
  created_at       BIGINT NOT NULL,
  expires_at       BIGINT NOT NULL
);
CREATE INDEX one_time_tokens_by_account ON one_time_tokens (account_id, created_at);
-- A newer one takes the place of the older; only undoing stays possible step by step.
CREATE UNIQUE INDEX one_time_tokens_newest ON one_time_tokens (account_id, purpose) WHERE purpose <> 'undo_email_change';
CREATE INDEX one_time_tokens_by_email ON one_time_tokens (email_normalized);
CREATE INDEX one_time_tokens_by_expiry ON one_time_tokens (expires_at);

-- What a code counts with: one for each call that may cause a mail, whether or not it does.
CREATE TABLE code_transactions (
  transaction_hash BYTEA PRIMARY KEY,
  tries            BIGINT NOT NULL,
  expires_at       BIGINT NOT NULL
);
CREATE INDEX code_transactions_by_expiry ON code_transactions (expires_at);

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

-- How many mails somebody was sent lately: by a keyed hash of the address, which outlives the account.
ALTER TABLE outgoing_mails ADD COLUMN recipient_key BYTEA;
CREATE INDEX outgoing_mails_by_recipient ON outgoing_mails (recipient_key, kind, created_at);

-- Where a session began; where it was last used follows its refreshes.
ALTER TABLE sessions ADD COLUMN login_user_agent TEXT;
ALTER TABLE sessions ADD COLUMN login_address TEXT;
