-- The outbox: mails that wait to be sent, written in the transaction of what they tell of.

CREATE TABLE outgoing_mails (
  id             BYTEA PRIMARY KEY,
  kind           TEXT NOT NULL,            -- the template: verify_email, …
  locale         TEXT NOT NULL,
  account_id     BYTEA,                    -- whom it is about; no foreign key: it is sent also when the account is gone
  recipient      TEXT NOT NULL,
  message_id     TEXT NOT NULL,            -- the same at every attempt
  content_sealed BYTEA,                    -- what the template is filled with, under the master key; NULL when it is over
  created_at     BIGINT NOT NULL,
  expires_at     BIGINT NOT NULL,          -- not sent any more from then on
  state          TEXT NOT NULL,            -- waiting, sent, failed, expired
  due_at         BIGINT,                   -- when it may be taken next (also the end of a lease); NULL when it is over
  lease          BYTEA,                    -- of the attempt that has it, or had it last
  attempts       BIGINT NOT NULL,
  finished_at    BIGINT,
  last_error     TEXT
);

CREATE INDEX outgoing_mails_by_due ON outgoing_mails (due_at);
CREATE INDEX outgoing_mails_by_finish ON outgoing_mails (finished_at);
