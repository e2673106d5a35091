// KEYWARD_KEEPS_AN_ADMIN: the condition of every statement that could take the last admin away (Z3).
//
// An admin who counts holds `admin` and is not disabled. True when the account $1 is none of them, or another
// one is left. It is part of the statement that deletes, disables or demotes, and write transactions are one
// after the other (SQLite) or serializable (PostgreSQL): of two admins who demote each other at the same
// moment, one is refused.
#pragma once

#define KEYWARD_KEEPS_AN_ADMIN                                                                         \
  "(EXISTS (SELECT 1 FROM accounts self WHERE self.id = $1 AND self.disabled) "                        \
  "OR NOT EXISTS (SELECT 1 FROM account_roles own WHERE own.account_id = $1 AND own.role = 'admin') "  \
  "OR EXISTS (SELECT 1 FROM account_roles other JOIN accounts holder ON holder.id = other.account_id " \
  "WHERE other.role = 'admin' AND other.account_id <> $1 AND NOT holder.disabled))"
