// libpq, loaded when PostgreSQL is first used: its functions under their own names, for the rest of this
// folder.
//
// They hide the ones that the header declares, which are not linked. libpq and what it is linked to
// (Kerberos, LDAP, GnuTLS) are 17 libraries, 3 MB of an idle process that a server on SQLite has no use for.
#pragma once

#include <libpq-fe.h>

#include "base/shared_library.hpp"

namespace keyward::storage::postgres {

inline const SharedLibrary& libpq() {
  static const SharedLibrary library{libraries::pq};
  return library;
}

// NOLINTBEGIN(*macro-usage,*macro-parentheses,readability-identifier-naming): a name, which is libpq's
#define KEYWARD_LIBPQ(name) \
  inline constinit const LoadedFunction<decltype(::name), libpq> name { #name }
KEYWARD_LIBPQ(PQclear);
KEYWARD_LIBPQ(PQcmdStatus);
KEYWARD_LIBPQ(PQcmdTuples);
KEYWARD_LIBPQ(PQconnectdbParams);
KEYWARD_LIBPQ(PQconninfoFree);
KEYWARD_LIBPQ(PQconninfoParse);
KEYWARD_LIBPQ(PQconsumeInput);
KEYWARD_LIBPQ(PQdb);
KEYWARD_LIBPQ(PQerrorMessage);
KEYWARD_LIBPQ(PQfinish);
KEYWARD_LIBPQ(PQflush);
KEYWARD_LIBPQ(PQfname);
KEYWARD_LIBPQ(PQfreemem);
KEYWARD_LIBPQ(PQftype);
KEYWARD_LIBPQ(PQgetResult);
KEYWARD_LIBPQ(PQgetisnull);
KEYWARD_LIBPQ(PQgetlength);
KEYWARD_LIBPQ(PQgetvalue);
KEYWARD_LIBPQ(PQhost);
KEYWARD_LIBPQ(PQisBusy);
KEYWARD_LIBPQ(PQnfields);
KEYWARD_LIBPQ(PQnparams);
KEYWARD_LIBPQ(PQntuples);
KEYWARD_LIBPQ(PQparameterStatus);
KEYWARD_LIBPQ(PQparamtype);
KEYWARD_LIBPQ(PQport);
KEYWARD_LIBPQ(PQresultErrorField);
KEYWARD_LIBPQ(PQresultStatus);
KEYWARD_LIBPQ(PQsendDescribePrepared);
KEYWARD_LIBPQ(PQsendPrepare);
KEYWARD_LIBPQ(PQsendQuery);
KEYWARD_LIBPQ(PQsendQueryPrepared);
KEYWARD_LIBPQ(PQserverVersion);
KEYWARD_LIBPQ(PQsetNoticeProcessor);
KEYWARD_LIBPQ(PQsetnonblocking);
KEYWARD_LIBPQ(PQsocket);
KEYWARD_LIBPQ(PQstatus);
KEYWARD_LIBPQ(PQtransactionStatus);
#undef KEYWARD_LIBPQ
// NOLINTEND(*macro-usage,*macro-parentheses,readability-identifier-naming)

}  // namespace keyward::storage::postgres
