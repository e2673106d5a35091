// PeerCounts: how many connections each client address has open at a port, on all loops, and what they hold
// (H2).
//
// Threat: one machine that takes every place there is, with connections that send nothing. Answer: a place is
// counted for the socket's peer, IPv6 for the /64 that one subscriber has (RFC 6177), and one address has so
// many at most. Not limited is who speaks for many: trusted proxies, and this machine at its usual address
// (127.0.0.1, ::1), where a proxy stands that nobody listed. Every other address of 127.0.0.0/8 is like any.
// Its connections share what they may hold in memory (Loop::may_hold), so that it cannot take all of that
// either. Asked at accept only, so one mutex serves all loops; an ordered map, so that addresses chosen to
// meet in a hash table gain nothing.
#pragma once

#include <atomic>
#include <boost/asio/ip/address.hpp>
#include <cstddef>
#include <map>
#include <optional>
#include <utility>

#include "base/mutex.hpp"
#include "runtime/task.hpp"
#include "text/ip_address.hpp"
#include "web/client_address.hpp"

namespace keyward::web::engine {

class PeerCounts {
  struct Peer {
    std::size_t open = 0;
    std::atomic<std::size_t> held_bytes = 0;
  };

 public:
  /// Gives the place back at its end. Empty for who is not counted.
  class Place {
   public:
    Place() = default;
    Place(PeerCounts& counts, const text::IpAddress& peer, Peer& shared)
        : counts_(&counts), peer_(peer), shared_(&shared) {}
    Place(Place&& other) noexcept
        : counts_(std::exchange(other.counts_, nullptr)), peer_(other.peer_), shared_(other.shared_) {}
    Place& operator=(Place&& other) noexcept {
      std::swap(counts_, other.counts_);
      std::swap(peer_, other.peer_);
      std::swap(shared_, other.shared_);
      return *this;
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() {
      if (counts_ != nullptr) counts_->leave(peer_);
    }

    /// Of all connections of this address; none for who is not counted.
    [[nodiscard]] std::atomic<std::size_t>* held_bytes() const {
      return counts_ == nullptr ? nullptr : &shared_->held_bytes;
    }

   private:
    PeerCounts* counts_ = nullptr;
    text::IpAddress peer_;
    Peer* shared_ = nullptr;  // stands as long as the place
  };

  /// `trusted` must outlive this.
  explicit PeerCounts(const TrustedProxies& trusted) : trusted_(trusted) {}

  /// A place for the peer, and how many it has with this one; 0: it is not counted.
  std::pair<Place, std::size_t> enter(const asio::ip::address& peer);

 private:
  void leave(const text::IpAddress& peer);

  const TrustedProxies& trusted_;
  Mutex mutex_;
  std::map<text::IpAddress, Peer> open_ KEYWARD_GUARDED_BY(mutex_);
};

}  // namespace keyward::web::engine
