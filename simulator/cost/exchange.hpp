// What each member of a group sends each other, where that is not the same for all: over which links it goes, and how
// long the fullest sender or receiver takes.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <vector>

#include "simulator/cost/all_to_all_v.hpp"
#include "simulator/cost/group.hpp"

namespace moesim::cost {

class Exchange {
public:
  // All must outlive this.
  Exchange(const Traffic& traffic, std::span<const RankId> members, const platforms::Cluster& cluster);

  [[nodiscard]] bool is_empty() const;

  // How long the member that sends or receives the most takes over whole ports; `own` counts the copy of what it keeps,
  // where it shares its node with others, as parts of what it sends there.
  [[nodiscard]] Transfer transfer(const Group& group, double own = 0) const;

  // Of each member a flow out and a flow in for each tier: they meet in its core, which is never full.
  [[nodiscard]] Flows by_side() const;
  // A flow for each pair.
  [[nodiscard]] Flows by_pair() const;

private:
  // What a member sends and receives on each side of the core of a tier.
  struct Sides {
    Bytes sent, received, kept;                              // inside its node
    std::map<platforms::Ascent, Bytes> sent_up, received_up; // over its NIC, by the way there
  };

  template <class Visit>
  void visit_pairs(Visit&& visit) const;
  [[nodiscard]] std::uint32_t gpu(std::size_t member) const { return members_[member].value(); }

  const Traffic& traffic_;
  std::span<const RankId> members_;
  const platforms::Cluster& cluster_;
  std::vector<Sides> sides_;
};

} // namespace moesim::cost
