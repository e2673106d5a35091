// keyward audit verify | tail
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <fstream>
#include <thread>

#include "app/commands/command.hpp"
#include "domain/audit/audit_reader.hpp"

namespace keyward::app {

namespace json = boost::json;

namespace {

/// The checkpoints that somebody kept: a file of log lines, of which others are passed over.
Result<std::vector<domain::AuditCheckpoint>> read_checkpoints(const std::filesystem::path& path) {
  std::vector<domain::AuditCheckpoint> checkpoints;
  if (path.empty()) return checkpoints;
  std::ifstream file{path};
  if (!file) return fail(ErrorCode::not_found, "Cannot read " + path.string());
  for (std::string line; std::getline(file, line);) {
    if (line.find("\"audit_checkpoint\"") == std::string::npos) continue;
    auto checkpoint = domain::parse_checkpoint_line(line);
    if (!checkpoint) return fail_from(checkpoint);
    checkpoints.push_back(std::move(*checkpoint));
  }
  if (checkpoints.empty())
    return fail(ErrorCode::invalid_input, path.string() + " has no audit_checkpoint line");
  return checkpoints;
}

domain::SecurityEvent to_event(const domain::AuditRow& row) {
  return {.name = row.event,
          .account_id = row.account_id,
          .actor_id = row.actor_id,
          .session_id = row.session_id,
          .address = row.address,
          .user_agent = row.user_agent,
          .request_id = row.request_id,
          .reason = row.reason,
          .detail = row.detail,
          .email = row.email};
}

void print(const CommonFlags& flags, const domain::AuditRow& row) {
  if (flags.json) {
    fmt::print("{}\n", to_json_line(to_event(row), row.occurred_at));
    return;
  }
  std::string words;
  for (const auto& text : {row.reason, row.detail, row.email, row.address}) {
    // As in the log: what a client sent cannot move the cursor or start a line.
    const auto quoted = to_log_json(text);
    if (!text.empty()) words += "  " + quoted.substr(1, quoted.size() - 2);
  }
  fmt::print("{}  {:<30}  {}{}\n", to_rfc3339(row.occurred_at), row.event,
             row.account_id ? row.account_id->to_string() : std::string(36, ' '), words);
}

}  // namespace

int audit_verify(const CommonFlags& flags, const std::filesystem::path& saved_checkpoints) {
  const auto saved = read_checkpoints(saved_checkpoints);
  if (!saved) return complain(saved.error().message);
  const auto config = load_config_or_complain(flags);
  if (!config) return exit_failed;
  const auto core = Core::open(*config);
  if (!core) return complain(core.error().message);
  const domain::ChainKey chain_key{*(*core)->master_key};
  const auto& checkpoint_key = *(*core)->checkpoint_key;
  const auto report = (*core)->database->blocking_read([&](storage::Transaction& transaction) {
    return domain::verify_audit(transaction, chain_key, checkpoint_key, *saved);
  });
  if (flags.json) {
    fmt::print("{}\n", json::serialize(json::object{
                           {"valid", !report.broken},
                           {"broken", report.broken ? json::value(*report.broken) : json::value(nullptr)},
                           {"rows", report.rows},
                           {"checkpoints", report.checkpoints},
                           {"checkpoint_key", checkpoint_key.public_key()}}));
  } else if (report.broken) {
    complain("the audit trail is broken: " + *report.broken);
  } else {
    fmt::print("The audit trail is whole: {} rows, {} checkpoints.\n", report.rows, report.checkpoints);
  }
  return report.broken ? exit_failed : exit_done;
}

int audit_tail(const CommonFlags& flags, std::int64_t limit, bool follow) {
  const auto core = open_core_or_complain(flags);
  if (!core) return exit_failed;
  auto rows = core->database->blocking_read([&](storage::Transaction& transaction) {
    return domain::list_audit_events(transaction, {}, std::nullopt, limit);
  });
  std::ranges::reverse(rows);
  domain::AuditPosition last;
  while (true) {
    for (const auto& row : rows) {
      print(flags, row);
      last = domain::AuditPosition::of(row);
    }
    std::fflush(stdout);
    if (!follow) return exit_done;
    std::this_thread::sleep_for(std::chrono::seconds{1});
    rows = core->database->blocking_read([&](storage::Transaction& transaction) {
      return domain::list_audit_events_after(transaction, last, limit);
    });
  }
}

}  // namespace keyward::app
