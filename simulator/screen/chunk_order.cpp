#include "simulator/screen/chunk_order.hpp"

#include <optional>

#include "simulator/base/check.hpp"
#include "simulator/screen/memo.hpp"

namespace moesim::screen {
namespace {

using schedulers::ChunkPlace;
using schedulers::Chunks;
using schedulers::PassKind;
using schedulers::PipelineOrder;
using schedulers::PipelinePass;

class Ordering {
public:
  Ordering(const PipelineOrder& order, const Chunks& chunks, std::int64_t micro_batches)
      : order_(order), chunks_(chunks), micro_batches_(micro_batches), next_(order.size(), 0) {
    const auto slots = static_cast<std::size_t>(chunks.stages * chunks.chunks * micro_batches);
    forward_done_.assign(slots, false);
    backward_done_.assign(slots, false);
  }

  std::vector<ChunkPass> passes() {
    std::size_t all = 0;
    for (const std::vector<PipelinePass>& of_stage : order_)
      all += of_stage.size();
    while (result_.size() < all) {
      const std::size_t before = result_.size();
      for (std::size_t stage = 0; stage < order_.size(); ++stage)
        while (next_[stage] < order_[stage].size() && runs(stage))
          ++next_[stage];
      MOESIM_CHECK(result_.size() > before, "the passes of a schedule do not wait for each other in a circle");
    }
    return std::move(result_);
  }

private:
  [[nodiscard]] std::uint32_t slot(ChunkPlace at, std::int32_t micro_batch) const {
    return static_cast<std::uint32_t>((at.stage * chunks_.chunks + at.chunk) * micro_batches_ + micro_batch);
  }

  // The next pass of the stage, unless what it waits for has not run. A backward at the model's end follows its
  // forward.
  bool runs(std::size_t stage) {
    const PipelinePass& pass = order_[stage][next_[stage]];
    const ChunkPlace at{static_cast<std::int64_t>(stage), pass.chunk};
    const bool is_forward = pass.kind == PassKind::Forward;
    const std::optional<ChunkPlace> from = is_forward ? chunks_.before(at) : chunks_.after(at);
    const std::uint32_t own = slot(at, pass.micro_batch);
    ChunkPass found{.slot = own,
                    .stage = static_cast<std::uint32_t>(stage),
                    .place = static_cast<std::uint32_t>(at.stage * chunks_.chunks + at.chunk),
                    .kind = pass.kind};
    if (pass.kind != PassKind::BackwardWeight) {
      std::vector<bool>& done = is_forward ? forward_done_ : backward_done_;
      if (from && !done[slot(*from, pass.micro_batch)])
        return false;
      done[own] = true;
      if (const std::optional<ChunkPlace> to = is_forward ? chunks_.after(at) : chunks_.before(at)) {
        found.to = slot(*to, pass.micro_batch);
        found.hop = hop(at, *to);
      }
    }
    result_.push_back(found);
    return true;
  }

  [[nodiscard]] ChunkPass::Hop hop(ChunkPlace from, ChunkPlace to) const {
    if (from.stage == to.stage)
      return ChunkPass::Hop::Stays;
    return (from.stage + 1) % chunks_.stages == to.stage ? ChunkPass::Hop::ToNext : ChunkPass::Hop::ToPrevious;
  }

  const PipelineOrder& order_;
  const Chunks& chunks_;
  std::int64_t micro_batches_;
  std::vector<std::size_t> next_;
  std::vector<bool> forward_done_, backward_done_; // by slot
  std::vector<ChunkPass> result_;
};

} // namespace

const std::vector<ChunkPass>& ChunkOrders::of(std::string_view schedule, const Chunks& chunks,
                                              std::int64_t micro_batches) {
  const schedulers::PipelineSchedule& found = schedulers::find_schedule(schedule);
  return kept(orders_, {found.name, chunks.stages, chunks.chunks, micro_batches}, [&] {
    const PipelineOrder order =
        found.order({.stages = chunks.stages, .micro_batches = micro_batches, .chunks = chunks.chunks});
    return Ordering(order, chunks, micro_batches).passes();
  });
}

} // namespace moesim::screen
