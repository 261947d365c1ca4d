// The passes of all stages in an order in which each comes after those that it waits for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "simulator/base/operator.hpp"

namespace moesim::screen {

struct OrderedPass {
  std::uint32_t slot = 0; // micro-batch x stages + stage
  std::uint32_t stage = 0;
  Pass pass = Pass::Forward;
  bool is_end = false; // a forward: the stage's first of the first micro-batch; a backward: its last one
};

// Of a schedule, for equally many stages and micro-batches; made once.
class PassOrders {
public:
  [[nodiscard]] const std::vector<OrderedPass>& of(std::string_view schedule, std::int64_t stages,
                                                   std::int64_t micro_batches);

private:
  struct Key {
    std::string_view schedule; // in the table of schedules
    std::int64_t stages;
    std::int64_t micro_batches;
    bool operator==(const Key&) const = default;
  };
  struct Hash {
    std::size_t operator()(const Key& key) const;
  };

  std::unordered_map<Key, std::vector<OrderedPass>, Hash> orders_;
};

} // namespace moesim::screen
