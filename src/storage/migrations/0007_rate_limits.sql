-- expand: attempts at passwords, counted for all nodes together. A row is of no use once its window is over.

CREATE TABLE rate_limits (
  limit_name    TEXT NOT NULL,
  key           BYTEA NOT NULL,              -- a keyed hash of what is counted by
  window_number BIGINT NOT NULL,
  version       BIGINT NOT NULL,             -- changes of this window
  generation    BIGINT NOT NULL,             -- times that it was cleared
  counted       BIGINT NOT NULL,
  unsettled     BIGINT NOT NULL,             -- of these
  refusal_told  BOOLEAN NOT NULL,
  window_ends   BIGINT NOT NULL,
  PRIMARY KEY (limit_name, key)
);
CREATE INDEX rate_limits_by_end ON rate_limits (window_ends);
