-- expand: leases of the work in the background, and moves of the whole database to another one.

-- Who does a work that one process is enough for. Times are of the database's own clock.
CREATE TABLE leases (
  name       TEXT PRIMARY KEY,      -- of the work
  holder     BYTEA NOT NULL,        -- the process
  expires_at BIGINT NOT NULL
);

-- `keyward db move`: the same id stands on both sides.
CREATE TABLE database_moves (
  id          BYTEA PRIMARY KEY,
  direction   TEXT NOT NULL,        -- out: from here; in: to here
  state       TEXT NOT NULL,        -- copying, done
  fence       BYTEA NOT NULL,       -- the process that moves: another one takes over by another fence
  peer        TEXT NOT NULL,        -- the other side, for people: without a password
  started_at  BIGINT NOT NULL,
  finished_at BIGINT
);
