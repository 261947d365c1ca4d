#include "simulator/screen/pass_order.hpp"

#include "schedulers/pipeline_schedule.hpp"
#include "simulator/base/check.hpp"
#include "simulator/screen/memo.hpp"

namespace moesim::screen {
namespace {

using schedulers::PassKind;
using schedulers::PipelineOrder;
using schedulers::PipelinePass;

// A forward waits for that of the stage before; a backward for that of the stage after, the last stage's own follows
// its forward in its order.
std::vector<OrderedPass> ordered(const PipelineOrder& order, std::size_t micro_batches) {
  const std::size_t stages = order.size();
  std::vector<std::size_t> next(stages, 0);
  std::vector<std::size_t> backwards(stages, 0);
  std::vector<bool> forward_done(stages * micro_batches, false);
  std::vector<bool> backward_done(stages * micro_batches, false);
  std::vector<OrderedPass> result;
  const auto runs = [&](std::size_t stage) {
    const PipelinePass& pass = order[stage][next[stage]];
    const std::size_t slot = static_cast<std::size_t>(pass.micro_batch) * stages + stage;
    const bool is_forward = pass.kind == PassKind::Forward;
    if (is_forward ? stage > 0 && !forward_done[slot - 1] : stage + 1 < stages && !backward_done[slot + 1])
      return false;
    (is_forward ? forward_done : backward_done)[slot] = true;
    const bool is_end = is_forward ? pass.micro_batch == 0 : ++backwards[stage] == micro_batches;
    result.push_back({static_cast<std::uint32_t>(slot), static_cast<std::uint32_t>(stage),
                      is_forward ? Pass::Forward : Pass::Backward, is_end});
    ++next[stage];
    return true;
  };
  for (std::size_t done = 0; done < 2 * stages * micro_batches; done = result.size()) {
    for (std::size_t stage = 0; stage < stages; ++stage)
      while (next[stage] < order[stage].size() && runs(stage)) {
      }
    MOESIM_CHECK(result.size() > done, "the passes of a schedule do not wait for each other in a circle");
  }
  return result;
}

} // namespace

const std::vector<OrderedPass>& PassOrders::of(std::string_view schedule, std::int64_t stages,
                                               std::int64_t micro_batches) {
  const schedulers::PipelineSchedule& found = schedulers::find_schedule(schedule);
  return kept(orders_, {found.name, stages, micro_batches}, [&] {
    return ordered(found.order({.stages = stages, .micro_batches = micro_batches}),
                   static_cast<std::size_t>(micro_batches));
  });
}

std::size_t PassOrders::Hash::operator()(const Key& key) const {
  return hash_of({std::hash<std::string_view>()(key.schedule), static_cast<std::uint64_t>(key.stages),
                  static_cast<std::uint64_t>(key.micro_batches)});
}

} // namespace moesim::screen
