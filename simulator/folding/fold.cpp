#include "simulator/folding/fold.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "platforms/links.hpp"
#include "simulator/base/check.hpp"
#include "simulator/base/mixed.hpp"
#include "simulator/cost/cost_table.hpp"
#include "simulator/folding/exchanges.hpp"
#include "simulator/folding/signatures.hpp"

namespace moesim::folding {
namespace {

using Classes = std::vector<std::uint32_t>; // of each position, numbered in the order of their first positions
using Groups = std::vector<std::vector<std::uint32_t>>;

// The dimensions in whose groups one rank can delay another.
std::vector<graph::Dimension> dimensions_of(const graph::Programs& programs) {
  std::set<graph::Dimension> dimensions;
  for (const graph::Program& program : programs.stages)
    for (const graph::Step& step : program.steps())
      if (step.task.kind != graph::Kind::Compute && step.task.kind != graph::Kind::SendRecv)
        dimensions.insert(step.over);
  return {dimensions.begin(), dimensions.end()};
}

// Positions of one class stay together where their signatures are equal.
Classes split(const Classes& classes, const Signatures& signatures) {
  std::unordered_map<std::uint64_t, std::uint32_t> numbers;
  Classes result;
  result.reserve(classes.size());
  for (std::size_t position = 0; position < classes.size(); ++position) {
    const std::uint64_t key = mixed(classes[position], signatures[position]);
    result.push_back(numbers.try_emplace(key, static_cast<std::uint32_t>(numbers.size())).first->second);
  }
  return result;
}

std::uint32_t count_of(const Classes& classes) {
  return *std::ranges::max_element(classes) + 1;
}

// Through what one rank can delay another: groups, trunks, and what they send each other.
struct Coupling {
  std::vector<Groups> dimensions;
  std::vector<std::vector<TrunkUser>> users_of_trunk;
  std::vector<Exchange> exchanges;
};

// Of trunks that are told apart by `trunks`, by who uses them.
Signatures user_signatures(const Classes& classes, const Coupling& coupling, const Signatures& trunks) {
  Signatures signatures = trunks;
  for (std::size_t trunk = 0; trunk < coupling.users_of_trunk.size(); ++trunk)
    for (const TrunkUser& user : coupling.users_of_trunk[trunk])
      signatures[trunk] += mixed(user.stage, classes[user.position]); // in whatever order
  return signatures;
}

// Colour refinement (1-dimensional Weisfeiler-Leman): two positions are alike only when, in each dimension, their
// groups have equally many members of each class, and so have, in each stage, the trunks that they use, and they
// exchange the same with equally many of each class; until nothing changes.
Classes refined(Classes classes, const Coupling& coupling, const Signatures& trunks) {
  for (std::uint32_t before = 0; before != count_of(classes);) {
    before = count_of(classes);
    Signatures signatures(classes.size(), 0);
    for (const Groups& groups : coupling.dimensions)
      for (const std::vector<std::uint32_t>& group : groups) {
        std::uint64_t members = 0;
        for (const std::uint32_t position : group)
          members += mixed(1, classes[position]); // in whatever order
        for (const std::uint32_t position : group)
          signatures[position] = mixed(signatures[position], members);
      }
    for (const Exchange& flow : coupling.exchanges) { // in whatever order
      signatures[flow.from] += mixed(mixed(flow.label, 0), classes[flow.to]);
      signatures[flow.to] += mixed(mixed(flow.label, 1), classes[flow.from]);
    }
    const Signatures by_users = user_signatures(classes, coupling, trunks);
    for (std::size_t trunk = 0; trunk < by_users.size(); ++trunk)
      for (const TrunkUser& user : coupling.users_of_trunk[trunk])
        signatures[user.position] += mixed(user.stage, by_users[trunk]); // in whatever order
    classes = split(classes, signatures);
  }
  return classes;
}

// Refinement compares hashes. This compares what it found, member by member: wherever positions are of one class, so
// are their groups, and the trunks that they use.
class Proof {
public:
  explicit Proof(const Classes& classes) : classes_(classes) {}

  void expect_groups_alike(const Groups& groups) {
    std::map<Classes, std::uint32_t> kinds;         // of groups, by the classes of their members
    std::map<std::uint32_t, std::uint32_t> kind_of; // class: of its groups
    for (const std::vector<std::uint32_t>& group : groups) {
      Classes members;
      for (const std::uint32_t position : group)
        members.push_back(classes_[position]);
      std::ranges::sort(members);
      const auto kind = kinds.try_emplace(members, static_cast<std::uint32_t>(kinds.size())).first->second;
      for (const std::uint32_t member : members)
        MOESIM_CHECK(kind_of.try_emplace(member, kind).first->second == kind,
                     "folded ranks are in groups of the same kind");
    }
  }

  void expect_works_alike(const graph::Programs& programs, const workloads::Layout& layout) {
    std::map<std::uint32_t, std::uint32_t> first; // position of each class
    for (std::uint32_t position = 0; position < classes_.size(); ++position)
      first.try_emplace(classes_[position], position);
    for (const graph::Program& program : programs.stages)
      for (const graph::Step& step : steps_by_load(program, programs))
        for (std::uint32_t position = 0; position < classes_.size(); ++position)
          MOESIM_CHECK(programs.work_on(layout.rank_of(0, position), step) ==
                           programs.work_on(layout.rank_of(0, first[classes_[position]]), step),
                       "folded ranks do the same work");
  }

  void expect_trunks_alike(const std::vector<std::vector<TrunkUser>>& users_of_trunk, const Classes& class_of_trunk,
                           const std::vector<platforms::Tier>& tiers) {
    using User = std::tuple<platforms::Tier, std::uint32_t, std::uint32_t>; // above a rank of this stage and class
    std::map<std::uint32_t, std::vector<User>> users_of;                    // trunk class: who uses it
    std::map<User, std::uint32_t> trunk_of;                                 // trunk class
    for (std::size_t trunk = 0; trunk < users_of_trunk.size(); ++trunk) {
      const std::uint32_t kind = class_of_trunk[trunk];
      std::vector<User> users;
      for (const TrunkUser& user : users_of_trunk[trunk])
        users.emplace_back(tiers[trunk], user.stage, classes_[user.position]);
      std::ranges::sort(users);
      for (const User& user : users)
        MOESIM_CHECK(trunk_of.try_emplace(user, kind).first->second == kind,
                     "folded ranks are below trunks of the same kind");
      MOESIM_CHECK(users_of.try_emplace(kind, users).first->second == users,
                   "folded trunks have the same kinds of ranks");
    }
  }

  void expect_exchanges_alike(const std::vector<Exchange>& exchanges) {
    using Part = std::tuple<std::uint64_t, bool, std::uint32_t>; // label, whether it is sent, class of the partner
    std::vector<std::vector<Part>> parts(classes_.size());
    for (const Exchange& flow : exchanges) {
      parts[flow.from].emplace_back(flow.label, true, classes_[flow.to]);
      parts[flow.to].emplace_back(flow.label, false, classes_[flow.from]);
    }
    std::map<std::uint32_t, std::size_t> first; // position of each class
    for (std::size_t position = 0; position < parts.size(); ++position) {
      std::ranges::sort(parts[position]);
      const std::size_t like = first.try_emplace(classes_[position], position).first->second;
      MOESIM_CHECK(parts[position] == parts[like], "folded ranks exchange the same with the same classes");
    }
  }

private:
  const Classes& classes_;
};

std::vector<platforms::Tier> tiers_above(const workloads::Layout& layout, const platforms::Cluster& cluster) {
  std::vector<platforms::Tier> tiers;
  for (const std::uint32_t trunk : trunks_above(cluster, layout.world_size()))
    tiers.push_back(tier_of_trunk(cluster, trunk));
  return tiers;
}

} // namespace

Fold fold(const graph::Programs& programs, const workloads::Layout& layout, const platforms::Cluster& cluster,
          const cost::NetworkOptions& options) {
  if (cluster.fabric.routing != platforms::Routing::Adaptive)
    return unfolded(layout, cluster);
  const std::vector<graph::Dimension> dimensions = dimensions_of(programs);
  Places places = places_of(programs, layout, cluster, options);
  Exchanges exchanges = exchanges_of(programs, layout, cluster, options);
  if (!places.uses_own_links || !exchanges.use_own_links)
    return unfolded(layout, cluster);
  for (std::size_t trunk = 0; trunk < exchanges.users_of_trunk.size(); ++trunk) {
    const std::vector<TrunkUser>& users = exchanges.users_of_trunk[trunk];
    places.users_of_trunk[trunk].insert(places.users_of_trunk[trunk].end(), users.begin(), users.end());
  }
  Coupling coupling{{}, std::move(places.users_of_trunk), std::move(exchanges.flows)};
  for (const graph::Dimension dimension : dimensions)
    coupling.dimensions.push_back(layout.position_groups(dimension));

  const auto stages = static_cast<std::uint32_t>(layout.sizes().pp);
  Classes classes(layout.position_count(), 0);
  Fold result;
  if (stages > 1)
    result.splits.push_back({"pipeline stage", stages});
  const auto tell_apart = [&](const char* attribute, const Signatures& signatures, const Signatures& trunks) {
    const std::uint32_t before = count_of(classes);
    classes = refined(split(classes, signatures), coupling, trunks);
    if (count_of(classes) > before)
      result.splits.push_back({attribute, count_of(classes) * stages});
  };
  const Signatures alike(coupling.users_of_trunk.size(), 0);
  const Signatures trunks = trunk_signatures(layout, cluster);
  tell_apart("place in the network", places.signatures, alike);
  tell_apart("expert load", load_signatures(programs, layout, places.by_load), alike);
  tell_apart("GPU speed", speed_signatures(layout, cluster), alike);
  tell_apart("link bandwidth", link_signatures(layout, cluster), trunks);

  result.class_of_trunk = split(Classes(trunks.size(), 0), user_signatures(classes, coupling, trunks));
  Proof proof(classes);
  for (const Groups& groups : coupling.dimensions)
    proof.expect_groups_alike(groups);
  proof.expect_works_alike(programs, layout);
  proof.expect_exchanges_alike(coupling.exchanges);
  proof.expect_trunks_alike(coupling.users_of_trunk, result.class_of_trunk, tiers_above(layout, cluster));
  result.membership = layout.membership(classes, dimensions);
  return result;
}

std::string describe(const Fold& fold) {
  std::string text;
  for (const Split& split : fold.splits)
    text += fmt::format("split by {}: {} classes\n", split.attribute, split.classes);
  const graph::Folding& folding = fold.membership.folding;
  std::vector<std::size_t> stage_of(folding.size.size());
  for (std::size_t stage = 0; stage < fold.membership.stages.size(); ++stage)
    for (const RankId rank : fold.membership.stages[stage])
      stage_of[rank.value()] = stage;
  for (std::size_t at = 0; at < folding.size.size(); ++at)
    text += fmt::format("class {} stage={} ranks={} representative={}\n", at, stage_of[at], folding.size[at],
                        folding.representative[at].value());
  return text;
}

Fold unfolded(const workloads::Layout& layout, const platforms::Cluster& cluster) {
  return {layout.membership(), cost::each_trunk(layout.world_size(), cluster), {}};
}

} // namespace moesim::folding
