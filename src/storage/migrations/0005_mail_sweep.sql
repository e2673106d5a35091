-- What the sweep looks for (contents of mails that have expired), and the mails that go with an account.

CREATE INDEX outgoing_mails_by_expiry ON outgoing_mails (expires_at) WHERE content_sealed IS NOT NULL;
CREATE INDEX outgoing_mails_by_account ON outgoing_mails (account_id);
