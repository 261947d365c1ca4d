#include "analysis/pass_lanes.hpp"

#include <algorithm>

namespace moesim::analysis {
namespace {

// A pass runs once, but for the decode steps of a micro-batch, which are many.
bool is_same_pass(const PassBlock& a, const PassBlock& b) {
  return a.kind == b.kind && a.micro_batch == b.micro_batch && a.chunk == b.chunk && a.kind != BlockKind::Decode &&
         a.kind != BlockKind::Optimizer;
}

// By start.
std::vector<PassBlock> whole_passes(const std::vector<PassBlock>& turns) {
  std::vector<PassBlock> passes;
  std::size_t last = 0; // the pass that had the last turn, and the one before
  std::size_t before = 0;
  for (const PassBlock& turn : turns) {
    if (passes.size() > 1 && is_same_pass(passes[before], turn)) {
      passes[before].end = turn.end;
      std::swap(last, before);
      continue;
    }
    passes.push_back(turn);
    before = last;
    last = passes.size() - 1;
  }
  return passes;
}

} // namespace

std::array<std::vector<PassBlock>, 2> pass_lanes(const record::RunRecord& run, std::uint32_t rank) {
  std::array<std::vector<PassBlock>, 2> lanes;
  for (const PassBlock& pass : whole_passes(pass_blocks(run, rank))) {
    const bool overlaps = !lanes[0].empty() && pass.start < lanes[0].back().end;
    lanes[overlaps ? 1 : 0].push_back(pass);
  }
  return lanes;
}

} // namespace moesim::analysis
