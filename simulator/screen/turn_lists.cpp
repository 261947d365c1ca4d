#include "simulator/screen/turn_lists.hpp"

#include <algorithm>
#include <array>

#include "simulator/screen/memo.hpp"

namespace moesim::screen {

using schedulers::PipelinePass;

const TurnLists& TurnListTable::of(const workloads::StageShape& stage) {
  const workloads::Recompute& recompute = stage.job.training.recompute;
  const Key key{stage.layers, recompute.is_full() ? recompute.num_layers : 0, recompute.method, stage.is_first,
                stage.is_last};
  return kept(lists_, key, [&] {
    const std::vector<workloads::Unit> units = workloads::units_of(
        stage, std::array{PipelinePass{schedulers::PassKind::Forward}, PipelinePass{schedulers::PassKind::Backward}});
    const auto backward = 1 + std::ranges::find(units, true, &workloads::Unit::closes_pass);
    return TurnLists{{units.begin(), backward}, {backward, units.end()}};
  });
}

std::size_t TurnListTable::Hash::operator()(const Key& key) const {
  return hash_of({static_cast<std::uint64_t>(key.layers), static_cast<std::uint64_t>(key.recomputed_layers),
                  static_cast<std::uint64_t>(key.method) * 4 + (key.is_first ? 2 : 0) + (key.is_last ? 1 : 0)});
}

} // namespace moesim::screen
