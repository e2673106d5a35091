// Who the client is behind proxies (web/client_address, web/forwarded), and addresses and networks
// (text/ip_address).
//
// Each line is a header, the last byte says which one counts. Must hold: without a trusted proxy the answer
// is the peer; it is always an address in its one spelling; what the client wrote to the left of a proxy that
// is not ours has no say; an address and a network print back as they were read.
#include "web/client_address.hpp"

#include "fuzz.hpp"
#include "web/forwarded.hpp"

namespace keyward::fuzz {
namespace {

constexpr std::string_view peer = "10.0.0.1";

void check_address(std::string_view text) {
  if (const auto address = text::IpAddress::parse(text)) {
    const std::string written = address->to_text();
    const auto again = text::IpAddress::parse(written);
    must_hold(again == address, "an address prints back as itself");
    must_hold(again->to_text() == written, "in one spelling");
    must_hold(address->prefix(0) == text::IpAddress{}, "no bits are left of no prefix");
    must_hold(address->prefix(text::IpAddress::size_bits) == *address, "all bits are left of all");
    if (const auto network = text::IpNetwork::parse(written)) {
      must_hold(network->contains(*address) && !network->is_everybody(), "an address is a network of one");
    }
  }
  if (const auto network = text::IpNetwork::parse(text)) {
    must_hold(!network->is_everybody() || network->contains(text::IpAddress::parse("203.0.113.7").value()) ||
                  network->contains(text::IpAddress::parse("2001:db8::1").value()),
              "everybody is somebody");
  } else {
    must_hold(is_sentence(network.error().message) || !is_sentence(text), "a refusal is a sentence");
  }
}

bool is_address(std::string_view text) {
  const auto address = text::IpAddress::parse(text);
  return address && address->to_text() == text;
}

}  // namespace

KEYWARD_FUZZ_TARGET(client_address) {
  static const auto ours = web::TrustedProxies::parse("10.0.0.0/8, 2001:db8::/32").value();
  Input given{input};
  const auto which = given.flag() ? web::ProxyHeader::forwarded : web::ProxyHeader::x_forwarded_for;
  const std::string_view name = which == web::ProxyHeader::forwarded ? "Forwarded" : "X-Forwarded-For";
  std::vector<web::Header> headers;
  while (!given.empty()) {
    const std::string_view line = given.line();
    check_address(line);
    (void)web::TrustedProxies::parse(line);
    if (const auto nodes = web::read_forwarded(line, 4))
      must_hold(nodes->size() <= 4, "there are no more than asked for");
    headers.push_back({name, line});
  }
  must_hold(web::client_address(peer, headers, {}, which) == peer, "without a trusted proxy it is the peer");
  must_hold(web::client_address("192.0.2.9", headers, ours, which) == "192.0.2.9",
            "nobody else's word counts");
  const std::string client = web::client_address(peer, headers, ours, which);
  must_hold(is_address(client), "it is an address");

  // Our proxy adds the address that it saw: whatever stood there before, that is the client.
  headers.push_back({name, which == web::ProxyHeader::forwarded ? "for=192.0.2.7" : "192.0.2.7"});
  must_hold(web::client_address(peer, headers, ours, which) == "192.0.2.7",
            "what our proxy writes counts first");
  must_hold(web::names_a_client(headers), "a proxy names a client");
}

}  // namespace keyward::fuzz
