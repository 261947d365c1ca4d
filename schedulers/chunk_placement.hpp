// Which part of the model each chunk of each stage runs. The model is cut into virtual stages, one behind the other; a
// micro-batch goes forward through all of them, and back.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace moesim::schedulers {

inline constexpr std::int64_t most_chunks = 255; // of a stage: a timeline holds their numbers in a byte

// Loop: chunk after chunk, each over all stages, from the first to the last (Megatron-LM, arXiv 2104.04473, section
// 2.2.2). V: every other chunk goes back (Zero Bubble V, arXiv 2401.10241; DualPipeV). Bidirectional: two copies of the
// model; chunk 0 is of the one that goes from the first stage to the last, chunk 1 of the one that goes back (DualPipe,
// arXiv 2412.19437, section 3.2.1).
enum class ChunkPlacement : std::uint8_t { Loop, V, Bidirectional };

[[nodiscard]] std::string_view name_of(ChunkPlacement placement); // "loop", "v", "bidirectional"

struct ChunkPlace {
  std::int64_t stage = 0;
  std::int64_t chunk = 0;
  bool operator==(const ChunkPlace&) const = default;
};

// All chunks of a pipeline. Bidirectional: two chunks, always.
struct Chunks {
  ChunkPlacement placement = ChunkPlacement::Loop;
  std::int64_t stages = 1;
  std::int64_t chunks = 1; // of each stage

  // How many parts the model is cut into, and which of them is at a place.
  [[nodiscard]] std::int64_t virtual_stages() const;
  [[nodiscard]] std::int64_t virtual_stage(ChunkPlace at) const;
  // Where a micro-batch that runs forward at a place comes from, and where it goes; none: it is the first, the last.
  [[nodiscard]] std::optional<ChunkPlace> before(ChunkPlace at) const;
  [[nodiscard]] std::optional<ChunkPlace> after(ChunkPlace at) const;
  // Whether the chunk runs the micro-batch, of so many. Of two copies of the model each runs half of them, chunk 0 the
  // first half.
  [[nodiscard]] bool runs(std::int64_t chunk, std::int64_t micro_batch, std::int64_t micro_batches) const;
  // What a chunk takes for a micro-batch, as a share of what a stage of a pipeline without chunks would.
  [[nodiscard]] double share() const;
};

} // namespace moesim::schedulers
