#!/usr/bin/env bash
# A throw-away PostgreSQL for the tests: postgres.sh serve FOLDER [SETTING]…
#
# Serves, in the foreground, the cluster in FOLDER (made there when it is empty) on a Unix socket in FOLDER and on no
# port: postgres://postgres@/postgres?host=FOLDER. It ends with the process that started it, however that ends.
# fsync is off: what a killed server has written is still with the kernel, and nobody pulls the plug here.
set -euo pipefail

if [[ ${1:-} != serve || ! -d ${2:-} ]]; then
  echo "usage: postgres.sh serve FOLDER [SETTING]…" >&2
  exit 2
fi
folder=$(realpath "$2")
shift 2

programs=
for version in 18 17 16 15; do
  if [[ -x /usr/lib/postgresql/$version/bin/initdb ]]; then
    programs=/usr/lib/postgresql/$version/bin
    break
  fi
done
if [[ -z $programs ]]; then
  programs=$(dirname "$(command -v initdb || { echo "postgres.sh: no PostgreSQL here; install it (./dev setup)" >&2; exit 1; })")
fi

as_owner=(setpriv)
if ((EUID == 0)); then  # PostgreSQL does not run as root
  chown postgres "$folder"
  as_owner=(setpriv --reuid=postgres --regid=postgres --init-groups)
fi
cd "$folder"

if [[ ! -s cluster/PG_VERSION ]]; then
  # Text sorts as people sort it, not by bytes: what relies on the order of bytes shows here.
  "${as_owner[@]}" --no-new-privs "$programs/initdb" --pgdata cluster --username postgres --encoding UTF8 --locale C.UTF-8 \
    --locale-provider icu --icu-locale en-US --auth trust --no-sync >initdb.log 2>&1 || { cat initdb.log >&2; exit 1; }
  printf '%s\n' 'local all needs_password scram-sha-256' 'local all all trust' 'local replication all trust' \
    'hostssl all all 127.0.0.1/32 trust' >cluster/pg_hba.conf
fi
exec "${as_owner[@]}" --pdeathsig INT "$programs/postgres" -D cluster -c listen_addresses= -c "unix_socket_directories=$folder" \
  -c max_connections=200 -c superuser_reserved_connections=3 -c shared_buffers=64MB -c fsync=off -c full_page_writes=off \
  -c max_wal_size=256MB -c logging_collector=off -c log_min_messages=fatal "$@" >>server.log 2>&1
