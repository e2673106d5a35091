// Why something that a provider sent was refused: jose's words and those of a relying party, one family.
// Events name the word, so each check has its own.
#pragma once

#include "protocol/jose/refusal.hpp"

namespace keyward::protocol::oidc {

using jose::Checked;
using jose::Reason;
using jose::Refusal;
using jose::refuse;
using jose::to_word;

}  // namespace keyward::protocol::oidc

namespace keyward::protocol::oauth2 {

using jose::Checked;
using jose::Reason;
using jose::Refusal;
using jose::refuse;
using jose::to_word;

}  // namespace keyward::protocol::oauth2
