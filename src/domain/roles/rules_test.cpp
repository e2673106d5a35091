#include "domain/roles/rules.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "base/limits.hpp"

namespace keyward::domain {
namespace {

PermissionSet make_set(std::initializer_list<std::string_view> names) {
  PermissionSet set;
  for (const auto name : names) set.add(name);
  return set;
}

TEST(Permissions, a_name_out_of_the_catalogue_means_nothing) {
  auto set = make_set({"users:fly", "", "users:", "USERS:READ", "users:read "});
  EXPECT_TRUE(set.empty());
  EXPECT_FALSE(PermissionSet::everything().contains("users:fly"));
  set.add("users:read");
  EXPECT_TRUE(set.contains("users:read"));
  EXPECT_EQ(set.names(), std::vector<std::string>{"users:read"});
}

TEST(Permissions, the_catalogue_is_sorted_and_without_duplicates) {
  EXPECT_TRUE(std::ranges::is_sorted(all_permissions, std::ranges::less_equal{}, &Permission::name));
  for (const auto& permission : all_permissions) EXPECT_FALSE(permission.meaning.empty());
}

TEST(Permissions, Z3_all_of_the_catalogue_is_less_than_everything) {
  PermissionSet all;
  for (const auto& permission : all_permissions) all.add(permission.name);
  EXPECT_TRUE(PermissionSet::everything().includes(all));
  EXPECT_FALSE(all.includes(PermissionSet::everything()));
  EXPECT_EQ(PermissionSet::everything().names().size(), all_permissions.size());
  EXPECT_FALSE(check_may_grant(all, role_admin, PermissionSet::everything()));
  EXPECT_FALSE(check_may_change_account(all, PermissionSet::everything()));
}

TEST(RoleRules, names) {
  for (const auto* good : {"a", "0", "support", "support-2_x", "2nd-line"})
    EXPECT_TRUE(is_role_name(good)) << good;
  for (const auto* bad : {"", "-a", "_a", "A", "a b", "a.b", "a/b", "ä", "a\n"})
    EXPECT_FALSE(is_role_name(bad)) << bad;
  EXPECT_TRUE(is_role_name(std::string(limits::role_name_max_bytes, 'a')));
  EXPECT_FALSE(is_role_name(std::string(limits::role_name_max_bytes + 1, 'a')));
}

TEST(RoleRules, roles_are_compared_whatever_their_order) {
  const auto change = compare_roles({"user", "a", "b"}, {"c", "b", "c", "user"});
  EXPECT_EQ(change.added, std::vector<std::string>{"c"});
  EXPECT_EQ(change.removed, std::vector<std::string>{"a"});
  EXPECT_EQ(change.details(), (std::vector<std::string>{"roles +c", "roles -a"}));
  EXPECT_TRUE(compare_roles({"b", "a"}, {"a", "b", "a"}).empty());
}

/// Roles, accounts and what the rules let them do to each other.
class Graph {
 public:
  explicit Graph(unsigned seed) : random_(seed) {
    roles_[std::string{role_admin}] = PermissionSet::everything();
    roles_[std::string{role_user}] = {};
    for (int i = 0; i < 6; ++i) roles_["r" + std::to_string(i)] = any_permissions();
    for (auto& account : accounts_) account = any_roles();
    accounts_[0] = {std::string{role_admin}};
  }

  [[nodiscard]] PermissionSet rights(std::size_t account) const {
    PermissionSet set;
    for (const auto& role : accounts_.at(account)) set.add(roles_.at(role));
    return set;
  }
  [[nodiscard]] std::vector<PermissionSet> all_rights() const {
    std::vector<PermissionSet> all;
    for (std::size_t i = 0; i < accounts_.size(); ++i) all.push_back(rights(i));
    return all;
  }
  std::size_t any_account() { return random_() % accounts_.size(); }

  /// As AdminUsers::change does; whether it was allowed.
  bool grant(std::size_t actor, std::size_t subject) {
    const auto own = rights(actor);
    const auto wanted = any_roles();
    const auto change =
        compare_roles({accounts_[subject].begin(), accounts_[subject].end()}, {wanted.begin(), wanted.end()});
    bool allowed = check_has(own, "roles:grant") && check_may_change_account(own, rights(subject));
    for (const auto& role : change.added) allowed = allowed && check_may_grant(own, role, roles_.at(role));
    if (allowed) accounts_[subject] = wanted;
    return allowed;
  }
  /// As Roles::put does.
  bool write_role(std::size_t actor) {
    auto& role = roles_.at("r" + std::to_string(random_() % 6));
    const auto wanted = any_permissions();
    const auto own = rights(actor);
    const bool allowed = check_has(own, "roles:write") && check_may_write_role(own, role, wanted);
    if (allowed) role = wanted;
    return allowed;
  }

 private:
  PermissionSet any_permissions() {
    PermissionSet set;
    for (const auto& permission : all_permissions) {
      if (random_() % 3 == 0) set.add(permission.name);
    }
    return set;
  }
  std::set<std::string> any_roles() {
    std::set<std::string> some;
    for (const auto& [name, ignored] : roles_) {
      if (random_() % 4 == 0) some.insert(name);
    }
    return some;
  }

  std::mt19937 random_;
  std::map<std::string, PermissionSet> roles_;
  std::array<std::set<std::string>, 8> accounts_;
};

TEST(RoleRules, Z3_in_no_graph_of_roles_does_anybody_give_what_they_lack) {
  int granted = 0;
  int refused = 0;
  for (unsigned seed = 0; seed < 400; ++seed) {
    Graph graph{seed};
    for (int step = 0; step < 200; ++step) {
      const auto actor = graph.any_account();
      const auto subject = graph.any_account();
      const bool grants = step % 2 == 0;
      const auto before = graph.all_rights();
      const bool allowed = grants ? graph.grant(actor, subject) : graph.write_role(actor);
      const auto after = graph.all_rights();
      (allowed ? granted : refused) += 1;
      // Nobody has raised themselves,
      ASSERT_TRUE(before[actor].includes(after[actor])) << seed << ' ' << step;
      for (std::size_t i = 0; i < before.size(); ++i) {
        // whoever gained something gained what the actor had,
        auto known = before[i];
        known.add(before[actor]);
        ASSERT_TRUE(known.includes(after[i])) << seed << ' ' << step;
        // and an account that may do more than the actor was not touched, but through a role that it shares.
        if (grants && !before[actor].includes(before[i]))
          ASSERT_EQ(before[i], after[i]) << seed << ' ' << step;
        if (!allowed) ASSERT_EQ(before[i], after[i]);
      }
    }
  }
  EXPECT_GT(granted, 1000);
  EXPECT_GT(refused, 1000);
}

TEST(RoleRules, Z3_a_gang_without_an_admin_never_gets_more_than_it_had_together) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    Graph graph{seed};
    PermissionSet together;
    std::vector<std::size_t> gang;
    for (std::size_t i = 1; i < graph.all_rights().size(); ++i) {
      if (graph.rights(i) == PermissionSet::everything()) continue;
      gang.push_back(i);
      together.add(graph.rights(i));
    }
    for (int step = 0; step < 300 && !gang.empty(); ++step) {
      const auto actor = gang[graph.any_account() % gang.size()];
      (void)(step % 2 == 0 ? graph.grant(actor, graph.any_account()) : graph.write_role(actor));
      for (const auto member : gang)
        ASSERT_TRUE(together.includes(graph.rights(member))) << seed << ' ' << step;
    }
  }
}

}  // namespace
}  // namespace keyward::domain
