#include "app/mail_sweep.hpp"

#include <string>

#include "base/log.hpp"
#include "domain/outbox/outgoing_mails.hpp"
#include "mail/eml_files.hpp"
#include "runtime/pause.hpp"

namespace keyward::app {

namespace {

constexpr auto work = domain::LeasedWork::mail_sweep;

Task<void> sweep_rows(Sweeping use) {
  while (true) {
    const auto stale = [use, now = use.clock->now()](storage::Transaction& transaction) {
      return domain::has_stale_mails(transaction, now) && !use.leases->is_held_by_another(transaction, work);
    };
    if (!co_await use.database->read(stale)) co_return;
    co_await use.database->write([use, now = use.clock->now()](storage::Transaction& transaction) {
      if (use.leases->take(transaction, work)) domain::sweep_mails(transaction, now);
    });
    co_await pause(limits::session_sweep_pause);
  }
}

/// In a read closure: its thread may block, and a file that is gone does not mind being deleted again.
Task<std::size_t> sweep_files(storage::Database* database, const Clock* clock, std::filesystem::path folder) {
  co_return co_await database->read(
      [folder = std::move(folder), now = clock->now()](storage::Transaction& transaction) {
        return mail::blocking_delete_eml_files(
            folder, [&](const Uuid& id) { return domain::is_mail_expired(transaction, id, now); });
      });
}

}  // namespace

Task<void> sweep_mails_now_and_then(Sweeping sweeping, std::filesystem::path eml_folder) {
  while (true) {
    try {
      // Files before rows: what is known of them must not be forgotten first.
      const auto files = co_await sweep_files(sweeping.database, sweeping.clock, eml_folder);
      if (files != 0) log(LogLevel::info, "mail_files_removed", {{"count", std::to_string(files)}});
      co_await sweep_rows(sweeping);
    } catch (const std::exception& exception) {
      log(LogLevel::error, "mail_sweep_failed", {{"reason", exception.what()}});
    }
    co_await pause(sweeping.next_pause());
  }
}

}  // namespace keyward::app
