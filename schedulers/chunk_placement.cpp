#include "schedulers/chunk_placement.hpp"

#include <array>
#include <cstddef>

namespace moesim::schedulers {
namespace {

// Whether micro-batches go through the chunk from the first stage to the last.
bool goes_up(const Chunks& chunks, std::int64_t chunk) {
  return chunks.placement == ChunkPlacement::Loop || chunk % 2 == 0;
}

// The place that is `direction` (1 or -1) virtual stages away.
std::optional<ChunkPlace> neighbour(const Chunks& chunks, ChunkPlace at, std::int64_t direction) {
  const std::int64_t stage = at.stage + (goes_up(chunks, at.chunk) ? direction : -direction);
  if (stage >= 0 && stage < chunks.stages)
    return ChunkPlace{stage, at.chunk};
  const std::int64_t chunk = at.chunk + direction;
  if (chunks.placement == ChunkPlacement::Bidirectional || chunk < 0 || chunk >= chunks.chunks)
    return {};
  if (chunks.placement == ChunkPlacement::V) // turns where it is
    return ChunkPlace{at.stage, chunk};
  return ChunkPlace{direction > 0 ? 0 : chunks.stages - 1, chunk};
}

} // namespace

std::string_view name_of(ChunkPlacement placement) {
  constexpr std::array<std::string_view, 3> names{"loop", "v", "bidirectional"};
  return names[static_cast<std::size_t>(placement)];
}

std::int64_t Chunks::virtual_stages() const {
  return placement == ChunkPlacement::Bidirectional ? stages : stages * chunks;
}

std::int64_t Chunks::virtual_stage(ChunkPlace at) const {
  const std::int64_t along = goes_up(*this, at.chunk) ? at.stage : stages - 1 - at.stage;
  return placement == ChunkPlacement::Bidirectional ? along : at.chunk * stages + along;
}

std::optional<ChunkPlace> Chunks::before(ChunkPlace at) const {
  return neighbour(*this, at, -1);
}

std::optional<ChunkPlace> Chunks::after(ChunkPlace at) const {
  return neighbour(*this, at, 1);
}

bool Chunks::runs(std::int64_t chunk, std::int64_t micro_batch, std::int64_t micro_batches) const {
  return placement != ChunkPlacement::Bidirectional || (chunk == 0) == (micro_batch < micro_batches / 2);
}

double Chunks::share() const {
  return placement == ChunkPlacement::Bidirectional ? 1 : 1 / static_cast<double>(chunks);
}

} // namespace moesim::schedulers
