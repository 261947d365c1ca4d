// The passes of all chunks of all stages in an order in which each comes after those that it waits for: like
// pass_order.hpp, of any schedule.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <map>
#include <string_view>
#include <vector>

#include "schedulers/pipeline_schedule.hpp"

namespace moesim::screen {

struct ChunkPass {
  static constexpr std::uint32_t nowhere = std::numeric_limits<std::uint32_t>::max();
  enum class Hop : std::uint8_t { Stays, ToNext, ToPrevious }; // to another stage, or another chunk of its own

  std::uint32_t slot = 0;     // of its chunk and micro-batch
  std::uint32_t to = nowhere; // the slot whose pass of the same direction waits for what it sends
  std::uint32_t stage = 0;
  std::uint32_t place = 0; // stage x chunks + chunk
  schedulers::PassKind kind = schedulers::PassKind::Forward;
  Hop hop = Hop::Stays;
};

// Of a schedule that the sizes alone decide, for equally many stages, chunks and micro-batches; made once.
class ChunkOrders {
public:
  [[nodiscard]] const std::vector<ChunkPass>& of(std::string_view schedule, const schedulers::Chunks& chunks,
                                                 std::int64_t micro_batches);

private:
  struct Key {
    std::string_view schedule; // in the table of schedules
    std::int64_t stages;
    std::int64_t chunks;
    std::int64_t micro_batches;
    auto operator<=>(const Key&) const = default;
  };

  std::map<Key, std::vector<ChunkPass>> orders_;
};

} // namespace moesim::screen
