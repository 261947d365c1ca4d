#include "simulator/folding/fold.hpp"

#include <algorithm>
#include <set>
#include <unordered_map>
#include <utility>

#include "simulator/base/check.hpp"
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

// Colour refinement (1-dimensional Weisfeiler-Leman): two positions are alike only when, in each dimension, their
// groups have equally many members of each class; until nothing changes.
Classes refined(Classes classes, const std::vector<Groups>& dimensions) {
  for (std::uint32_t before = 0; before != count_of(classes);) {
    before = count_of(classes);
    Signatures signatures(classes.size(), 0);
    for (const Groups& groups : dimensions)
      for (const std::vector<std::uint32_t>& group : groups) {
        std::uint64_t members = 0;
        for (const std::uint32_t position : group)
          members += mixed(1, classes[position]); // in whatever order
        for (const std::uint32_t position : group)
          signatures[position] = mixed(signatures[position], members);
      }
    classes = split(classes, signatures);
  }
  return classes;
}

// Refinement compares hashes. This compares the groups themselves: wherever positions are of one class, so are their
// groups, member by member.
void prove(const Classes& classes, const std::vector<Groups>& dimensions) {
  for (const Groups& groups : dimensions) {
    std::vector<Classes> members_by_class(count_of(classes));
    for (const std::vector<std::uint32_t>& group : groups) {
      Classes members;
      for (const std::uint32_t position : group)
        members.push_back(classes[position]);
      std::ranges::sort(members);
      for (const std::uint32_t position : group) {
        Classes& expected = members_by_class[classes[position]];
        if (expected.empty())
          expected = members;
        MOESIM_CHECK(expected == members, "folded ranks are in groups of the same kind");
      }
    }
  }
}

} // namespace

Fold fold(const graph::Programs& programs, const workloads::Layout& layout, const platforms::Cluster& cluster) {
  const std::vector<graph::Dimension> dimensions = dimensions_of(programs);
  std::vector<Groups> groups;
  for (const graph::Dimension dimension : dimensions)
    groups.push_back(layout.position_groups(dimension));
  const auto stages = static_cast<std::uint32_t>(layout.sizes().pp);
  Classes classes(layout.position_count(), 0);
  Fold result;
  if (stages > 1)
    result.splits.push_back({"pipeline stage", stages});
  const auto tell_apart = [&](const char* attribute, const Signatures& signatures) {
    const std::uint32_t before = count_of(classes);
    classes = refined(split(classes, signatures), groups);
    if (count_of(classes) > before)
      result.splits.push_back({attribute, count_of(classes) * stages});
  };
  tell_apart("place in the node", place_signatures(programs, layout, cluster));
  tell_apart("GPU speed", speed_signatures(layout, cluster));
  tell_apart("link bandwidth", link_signatures(layout, cluster));
  prove(classes, groups);
  result.membership = layout.membership(classes, dimensions);
  return result;
}

Fold unfolded(const workloads::Layout& layout) {
  return {layout.membership(), {}};
}

} // namespace moesim::folding
