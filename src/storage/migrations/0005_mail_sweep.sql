-- What the sweep looks for: contents of mails that have expired.

CREATE INDEX outgoing_mails_by_expiry ON outgoing_mails (expires_at) WHERE content_sealed IS NOT NULL;
