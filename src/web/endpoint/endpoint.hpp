// Everything that a feature's header needs to declare its endpoints.
#pragma once

#include <boost/describe/class.hpp>

#include "web/endpoint/access.hpp"
#include "web/endpoint/answer.hpp"
#include "web/endpoint/checks.hpp"
#include "web/endpoint/extract.hpp"
#include "web/endpoint/field.hpp"
