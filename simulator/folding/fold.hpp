// Finds ranks that do the same at the same time, so that one of each class is simulated for all (README.md says why the
// result is exact).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "platforms/cluster.hpp"
#include "simulator/cost/cost_table.hpp"
#include "simulator/graph/program.hpp"
#include "workloads/layout.hpp"

namespace moesim::folding {

// How many classes there are once ranks are told apart by this attribute, and by those before it.
struct Split {
  std::string attribute; // "pipeline stage", "GPU speed", ...
  std::uint32_t classes = 0;

  bool operator==(const Split&) const = default;
};

struct Fold {
  graph::Membership membership;              // of the classes
  std::vector<std::uint32_t> class_of_trunk; // which trunks above the job are alike, as cost_table() wants it
  std::vector<Split> splits; // the attributes that tell ranks apart, in the order in which they were tried
};

// The coarsest classes that colour refinement finds. Every rank is by itself where routing over uplinks makes them
// differ, or where ranks send over links of others that relay (Rails::Apart). Throws InternalError when the partition
// that it came to is not one of ranks that behave alike.
[[nodiscard]] Fold fold(const graph::Programs& programs, const workloads::Layout& layout,
                        const platforms::Cluster& cluster, const cost::NetworkOptions& options = {});

// One line per attribute that tells ranks apart, then one per class: what `moesim dump classes` prints.
[[nodiscard]] std::string describe(const Fold& fold);

// Every rank by itself.
[[nodiscard]] Fold unfolded(const workloads::Layout& layout, const platforms::Cluster& cluster);

} // namespace moesim::folding
