// The key set: what a resource server verifies access tokens with.
//
// GET /.well-known/jwks.json -> 200 a JWK Set (RFC 7517 §5), public members only (J4); 304 when If-None-Match
// has its ETag A new key stands here for longer than the answer's max-age before it signs, so a cached copy
// always suffices.
#pragma once

#include "domain/keys/key_ring.hpp"
#include "web/endpoint/endpoint.hpp"

namespace keyward::features {

struct Jwks {
  domain::KeyRing& keys;

  Task<Result<web::Response>> key_set(web::Public, web::RawRequest request);
};

}  // namespace keyward::features
