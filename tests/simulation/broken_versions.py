"""How soon the simulator notices broken versions of the server: changes the source, builds, runs, changes it back.

    python3 tests/simulation/broken_versions.py [NAME]…    prints a line for each; docs/simulation.md has the table
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SEEDS_MAX = 500

# name: [(file, what stands there, what stands there in the broken version)]
BROKEN = {
    "commits without a sync (synchronous = OFF)": [
        ("src/storage/sqlite/connection.cpp", 'run("PRAGMA synchronous = FULL");', 'run("PRAGMA synchronous = OFF");'),
        ("src/storage/sqlite/connection.cpp", 'run_for_number("PRAGMA synchronous") != 2', 'run_for_number("PRAGMA synchronous") != 0')],
    "commits without a sync of the log (synchronous = NORMAL)": [
        ("src/storage/sqlite/connection.cpp", 'run("PRAGMA synchronous = FULL");', 'run("PRAGMA synchronous = NORMAL");'),
        ("src/storage/sqlite/connection.cpp", 'run_for_number("PRAGMA synchronous") != 2', 'run_for_number("PRAGMA synchronous") != 1')],
    "a commit that failed is answered as done": [
        ("src/storage/lane.cpp", "    failed = std::current_exception();\n  }\n  if (failed) {\n    for (auto& job : group) fail_with(*job, failed);\n    connection.reset();\n    return true;",
         "    connection.reset();\n  }\n  if (failed) {\n    return true;"),
        ("src/storage/lane.cpp", "      if (connection) connection->rollback();\n      failed = std::current_exception();",
         "      if (connection) connection->rollback();\n      if (committing) break;\n      failed = std::current_exception();")],
    "a refused closure is not rolled back": [
        ("src/storage/lane.cpp", "if (!keep) connection->rollback_to_savepoint();", ""),
        ("src/storage/lane.cpp", "        connection->rollback();\n      }\n      break;", "        connection->commit();\n      }\n      break;")],
    "a spent refresh token is taken as the newest": [
        ("src/protocol/refresh/refresh.cpp", "if (call.generation == state.generation) return use_current", "if (call.generation + 1 >= state.generation) return use_current"),
        ("src/domain/sessions/refresh.cpp", '"WHERE id = $1 AND generation = $2 AND ended_at IS NULL",\n             id, call.generation, call.now, call.binding', '"WHERE id = $1 AND generation >= $2 AND ended_at IS NULL",\n             id, call.generation, call.now, call.binding')],
    "a spent refresh token is repeated for ever": [
        ("src/protocol/refresh/refresh.cpp", "return grace.count() > 0 && state.replaced_at && now < *state.replaced_at + grace;", "return grace.count() > 0 && state.replaced_at && now.time_since_epoch().count() > 0;")],
    "an ended session is served": [
        ("src/protocol/refresh/refresh.cpp", "  if (state.ended_at) return Reason::session_ended;\n", ""),
        ("src/domain/sessions/refresh.cpp", '"WHERE id = $1 AND generation = $2 AND ended_at IS NULL",\n             id, call.generation, call.now, call.binding', '"WHERE id = $1 AND generation = $2",\n             id, call.generation, call.now, call.binding')],
    "a password change ends no session": [
        ("src/domain/sessions/sessions.cpp", "WHERE account_id = $1 AND id <> $2 AND ended_at IS \"\n      \"NULL\"", "WHERE account_id = $1 AND id <> $2 AND ended_at IS NOT \"\n      \"NULL\"")],
    "a one-time token is consumed without looking whether it is there": [
        ("src/domain/one_time_tokens/one_time_tokens.cpp", "id, to_string(purpose), now) == 1;\n}\n\nvoid revoke_tokens", "id, to_string(purpose), now) >= 0;\n}\n\nvoid revoke_tokens")],
    "an older one-time token stays good beside the new one": [
        ("src/domain/one_time_tokens/one_time_tokens.cpp", "    revoke_tokens(transaction, wanted.account_id, wanted.purpose);\n", "")],
    "tries of a code are not limited": [
        ("src/domain/one_time_tokens/one_time_tokens.cpp", "hash, limits::one_time_code_tries_max, now);", "hash, limits::one_time_code_tries_max * 1000, now);")],
    "an attempt is counted after it, not before": [
        ("src/domain/limits/limit_count.cpp", "    ++count;\n    ++version;\n    if (rule.is_settled) ++unsettled;\n    verdict.remaining = rule.quota - count;", "    ++version;\n    verdict.remaining = rule.quota - count;"),
        ("src/domain/limits/limit_count.cpp", "  if (window == of_window && unsettled > 0) {\n    --unsettled;\n    if (settlement == Settlement::given_back) --count;\n    changed = true;", "  if (window == of_window) {\n    if (settlement == Settlement::counted) ++count;\n    changed = true;")],
    "the database's count is read and not written": [
        ("src/domain/limits/database_counts.cpp", "      for (std::size_t i = 0; i < all.size(); ++i) store_at(i);", "      for (std::size_t i = 1; i < 1; ++i) store_at(i);")],
    "a mail is taken without a lease": [
        ("src/domain/outbox/outgoing_mails.cpp", "      now, lease.id, lease.until);", "      now, lease.id, now);")],
    "a mail is finished by whoever had it once": [
        ("src/domain/outbox/outgoing_mails.cpp", "          \"WHERE id = $1 AND lease = $2 AND state = 'waiting'\",\n          id, lease_id, state, now, keep, error)", "          \"WHERE id = $1 AND $2 <> '' AND state = 'waiting'\",\n          id, lease_id, state, now, keep, error)")],
    "a mail is noted as sent before it is": [
        ("src/mail/sender.cpp", "    delivery = blocking_deliver(mail, lease);", "    finish(mail, lease.id(), domain::mail_state::sent, {});\n    delivery = blocking_deliver(mail, lease);")],
    "deferred work is done and not taken out": [
        ("src/domain/deferred/deferred_requests.cpp", "DELETE FROM deferred_requests WHERE id = (SELECT id FROM deferred_requests WHERE due_at <= $1 \"\n      \"ORDER BY due_at, id LIMIT 1) RETURNING \" KEYWARD_DEFERRED_COLUMNS",
         "SELECT \" KEYWARD_DEFERRED_COLUMNS \" FROM deferred_requests WHERE due_at <= $1 \"\n      \"ORDER BY due_at, id LIMIT 1\"")],
    "a set clock ends a window, and one node's count replaces all": [
        ("src/domain/limits/limit_count.cpp", "if (window == known.window && window != 0 && version >= known.version) {", "if (window == known.window && window == 1) {")],
}


def try_version(changes):
    before = {}
    try:
        for name, old, new in changes:
            path = ROOT / name
            text = path.read_text()
            before.setdefault(path, text)
            if text.count(old) != 1:
                return f"stands {text.count(old)} times in {name}: {old!r}"
            path.write_text(text.replace(old, new))
        built = subprocess.run(["ninja", "--quiet", "-j3", "-C", "build/release", "simulation"], cwd=ROOT, capture_output=True, text=True)
        if built.returncode != 0:
            return "does not build: " + "".join(re.findall(r"error: .*\n", built.stdout)[:2])
        run = subprocess.run(["build/release/tests/simulation/simulation", "--from", "1", "--count", str(SEEDS_MAX)],
                             cwd=ROOT, capture_output=True, text=True)
        found = re.search(r"^seed \d+ fails, the (\d+)th that was tried: (.*)$", run.stdout, re.MULTILINE)
        if found:
            return f"after {found[1]} seeds: {found[2]}"
        return f"not in {SEEDS_MAX} seeds" if run.returncode == 0 else f"ended with {run.returncode}"
    finally:
        for path, text in before.items():
            path.write_text(text)


def main():
    names = sys.argv[1:] or list(BROKEN)
    for name in names:
        print(f"{name} | {try_version(BROKEN[name])}", flush=True)


if __name__ == "__main__":
    main()
