// The network of a job whose ranks are folded: links of GPUs that are alike become one, and so do trunks.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "platforms/links.hpp"
#include "simulator/execution/executor.hpp"
#include "simulator/graph/folding.hpp"

namespace moesim::cost {

class FoldedNetwork {
public:
  // `class_of_trunk` says which of the trunks above the job are alike (platforms::trunks_above), numbered in the order
  // of their first ones. The arguments outlive the network.
  FoldedNetwork(const graph::Folding& folding, const std::vector<std::uint32_t>& class_of_trunk,
                const platforms::Cluster& cluster);

  // The links of the first rank of each class, then both directions of the first trunk of each class.
  [[nodiscard]] std::vector<execution::Link> links() const;
  // Of every link of the job (GPU by GPU, then trunk by trunk): its place in links().
  [[nodiscard]] std::vector<std::uint32_t> class_of_link() const;

  // The same communication over links(), where one flow stands for all that are alike: those of ranks of a class, and
  // over trunks those of all groups that run it at once. The links of its flows are the cluster's.
  [[nodiscard]] execution::Communication folded(execution::Communication communication);

private:
  [[nodiscard]] std::uint32_t class_of(std::uint32_t link) const;
  [[nodiscard]] bool is_trunk(std::uint32_t link) const { return link >= first_trunk_; }
  // Of each class of trunks that the flows of a communication cross: the trunk with most of their bytes. Trunks of a
  // class carry the same over all communications that run at once, but not of a single one.
  [[nodiscard]] std::map<std::uint32_t, std::uint32_t> fullest_trunks(const std::vector<execution::Flow>& flows) const;
  // Flows that happen at once.
  [[nodiscard]] std::vector<execution::Flow> folded(const std::vector<execution::Flow>& flows);
  // How many ranks of the class of `gpu` share a trunk with it.
  std::size_t sharers(std::uint32_t gpu, std::uint32_t trunk_link);

  using SiteAndClass = std::pair<std::int64_t, std::uint32_t>;

  const graph::Folding& folding_;
  const std::vector<std::uint32_t>& class_of_trunk_;
  const platforms::Cluster& cluster_;
  std::uint32_t links_per_gpu_;
  std::uint32_t first_trunk_;                                  // of the cluster
  std::vector<std::uint32_t> trunks_;                          // above the job, of the cluster
  std::map<platforms::Tier, std::vector<SiteAndClass>> below_; // of every rank, sorted; made when asked for
};

} // namespace moesim::cost
