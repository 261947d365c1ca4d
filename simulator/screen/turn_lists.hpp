// The turns of a stage's parts in a forward and in a backward pass (workloads/stage_units.hpp), listed once for all
// stages that are cut alike.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "workloads/stage_units.hpp"

namespace moesim::screen {

struct TurnLists {
  std::vector<workloads::Unit> forward, backward;
};

class TurnListTable {
public:
  [[nodiscard]] const TurnLists& of(const workloads::StageShape& stage);

private:
  struct Key {
    std::int64_t layers;
    std::int64_t recomputed_layers; // Recompute::num_layers; 0 where layers are not recomputed as wholes
    workloads::Recompute::Method method;
    bool is_first, is_last;
    bool operator==(const Key&) const = default;
  };
  struct Hash {
    std::size_t operator()(const Key& key) const;
  };

  std::unordered_map<Key, TurnLists, Hash> lists_;
};

} // namespace moesim::screen
