// Documents: what providers publish about themselves (discovery, key sets), fetched seldom.
//
// RFC 9111 for how long, within limits of ours: a document is taken as it is for its max-age (an hour when it
// has none; half a minute at least, a day at most). After that it is still taken, and fetched anew beside
// (stale-while-revalidate, RFC 5861 §3), until it is a day old. So a provider that is away for a while stops
// nobody's login.
//
// Threats: a key that the provider has just begun to sign with, unknown here · tokens with invented key ids,
// each of which makes us ask (get_newer() asks once in half a minute for all) · a stampede on a provider that
// is away or slow (those who ask for one document at a time share one request; after a failure nobody asks
// for 5 seconds, or for half a minute when there is still a document) · a document that one provider's
// settings trust, given to another (what is kept is kept for a URL and a Trust).
#pragma once

#include <memory>
#include <string>

#include "base/clock.hpp"
#include "outbound/client.hpp"
#include "outbound/request.hpp"
#include "runtime/task.hpp"

namespace keyward::outbound {

/// The body of an answer 200 with JSON. It is not parsed yet.
using Document = std::shared_ptr<const std::string>;

class Documents {
 public:
  /// Both live longer.
  Documents(Client& client, const Clock& clock);
  Documents(const Documents&) = delete;
  Documents& operator=(const Documents&) = delete;
  ~Documents();

  /// What is here, or is fetched. A failure is that of the last try.
  Task<Fetched<Document>> get(std::string url, std::shared_ptr<const Trust> trust);
  /// For who did not find what must be in it: fetched anew, if that was not done within the last
  /// limits::outbound_refetch_interval; else, and when it fails, what is here.
  Task<Fetched<Document>> get_newer(std::string url, std::shared_ptr<const Trust> trust);

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace keyward::outbound
