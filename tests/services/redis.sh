#!/usr/bin/env bash
# A throw-away Redis (or Valkey) for the tests: redis.sh serve FOLDER [OPTION]…
#
# Serves, in the foreground, on a Unix socket FOLDER/redis.sock and on no port, keeping nothing on disk. Options go to the
# server as they are: --port 0 is overridden by a later --port. It ends with the process that started it, however that
# ends. KEYWARD_TEST_REDIS_SERVER names another program than redis-server.
set -euo pipefail

if [[ ${1:-} != serve || ! -d ${2:-} ]]; then
  echo "usage: redis.sh serve FOLDER [OPTION]..." >&2
  exit 2
fi
folder=$(realpath "$2")
shift 2
program=${KEYWARD_TEST_REDIS_SERVER:-redis-server}
if ! command -v "$program" >/dev/null; then
  echo "redis.sh: no $program here; install it (./dev setup)" >&2
  exit 1
fi
exec setpriv --pdeathsig KILL "$program" --dir "$folder" --port 0 --unixsocket "$folder/redis.sock" --save '' --appendonly no \
  --daemonize no --logfile "$folder/redis.log" "$@"
