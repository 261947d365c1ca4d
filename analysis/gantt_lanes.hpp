// What a timeline shows of a rank, before anyone draws it: its passes, and what it is seen doing at each moment.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/activity.hpp"
#include "simulator/record/run_record.hpp"

namespace moesim::analysis {

enum class BlockKind : std::uint8_t { Forward, Backward, Prefill, Decode, Optimizer };
inline constexpr std::size_t block_kind_count = 5;
// "forward", ..., "optimizer step".
[[nodiscard]] std::string_view name_of(BlockKind kind);
// F, B, P, D or O.
[[nodiscard]] char letter_of(BlockKind kind);

// One pass of a micro-batch through a chunk of layers, from its first compute task to its last. A pass that others
// interrupt has several blocks. Decode steps that follow each other are blocks of their own where layers tell them
// apart.
struct PassBlock {
  double start = 0; // s
  double end = 0;   // s
  BlockKind kind = BlockKind::Forward;
  std::int32_t micro_batch = -1;
  std::uint8_t chunk = 0;

  bool operator==(const PassBlock&) const = default;
};
[[nodiscard]] std::vector<PassBlock> pass_blocks(const record::RunRecord& run, std::uint32_t rank);

// A time in which a rank is seen doing one thing; neighbours differ.
struct Stretch {
  double start = 0; // s
  double end = 0;   // s
  Activity activity = Activity::Idle;

  bool operator==(const Stretch&) const = default;
};
[[nodiscard]] std::vector<Stretch> stretches(const record::RunRecord& run, std::uint32_t rank);

// `requested`, or the first rank of each pipeline stage when nothing is requested. Throws InputError when a requested
// rank is not in the job.
[[nodiscard]] std::vector<std::uint32_t> shown_ranks(const record::RunRecord& run,
                                                     std::span<const std::uint32_t> requested);

// "pp1 tp0 ep4 dp3"; cp only where there is more than one.
[[nodiscard]] std::string coordinates(const record::RankTable& ranks, std::uint32_t rank);

} // namespace moesim::analysis
