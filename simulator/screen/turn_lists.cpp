#include "simulator/screen/turn_lists.hpp"

#include "simulator/screen/memo.hpp"

namespace moesim::screen {

const TurnLists& TurnListTable::of(const workloads::StageShape& stage) {
  const workloads::Recompute& recompute = stage.job.training.recompute;
  const Key key{stage.layers, recompute.is_full() ? recompute.num_layers : 0, recompute.method, stage.is_first,
                stage.is_last};
  return kept(lists_, key, [&] {
    return TurnLists{workloads::units_of_pass(stage, schedulers::PassKind::Forward),
                     workloads::units_of_pass(stage, schedulers::PassKind::Backward)};
  });
}

std::size_t TurnListTable::Hash::operator()(const Key& key) const {
  return hash_of({static_cast<std::uint64_t>(key.layers), static_cast<std::uint64_t>(key.recomputed_layers),
                  static_cast<std::uint64_t>(key.method) * 4 + (key.is_first ? 2 : 0) + (key.is_last ? 1 : 0)});
}

} // namespace moesim::screen
