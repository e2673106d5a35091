// All that a feature's header needs to declare handlers: what they take, and what they answer.
#pragma once

#include "web/endpoint/access.hpp"
#include "web/endpoint/answer.hpp"
#include "web/endpoint/checks.hpp"
#include "web/endpoint/extract.hpp"
#include "web/endpoint/field.hpp"
#include "web/endpoint/type_info.hpp"
#include "web/message.hpp"
