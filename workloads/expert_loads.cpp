#include "workloads/expert_loads.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>
#include <utility>

#include "workloads/block_loads.hpp"
#include "workloads/inference.hpp"
#include "workloads/training.hpp"

namespace moesim::workloads {
namespace {

using schedulers::ExpertPlacement;

// On how many nodes an expert-parallel group is, equally many ranks on each and node by node; else they count as one.
std::int64_t nodes_of_group(const Layout& layout, std::int64_t gpus_per_node) {
  const std::vector<RankId> members = layout.members(graph::Dimension::Ep, 0);
  std::map<std::int64_t, std::int64_t> on_node;
  for (const RankId member : members)
    ++on_node[member.value() / gpus_per_node];
  const std::int64_t first = on_node.begin()->second;
  const bool is_even = std::ranges::all_of(on_node, [&](const auto& node) { return node.second == first; });
  return is_even ? static_cast<std::int64_t>(on_node.size()) : 1;
}

// Modules for multi-token prediction route as the last layer where a trace is replayed, which has no more.
std::int64_t layer_of_router(const Job& job, std::int64_t layer) {
  return job.moe.load.routing.type == RoutingType::Trace ? std::min(layer, job.model.num_layers - 1) : layer;
}

class Builder {
public:
  Builder(const Job& job, const Layout& layout, std::int64_t gpus_per_node, std::int64_t micro_batches)
      : job_(job), layout_(layout), moe_(*job.model.moe), options_(job.moe.load), micro_batches_(micro_batches),
        group_shape_(placement_shape(options_, moe_, job.sizes.ep, nodes_of_group(layout, gpus_per_node))),
        blocks_(result_) {
    const std::int64_t layers = job.model.num_layers + job.model.mtp_layers;
    result_.table.layers = static_cast<std::uint32_t>(layers);
    result_.table.micro_batches = static_cast<std::uint32_t>(micro_batches);
    for (std::uint32_t rank = 0; rank < layout.world_size(); ++rank)
      result_.table.position_of.push_back(layout.position_of(RankId(rank)));
    if (is_sampled())
      result_.blocks = static_cast<std::uint32_t>(job.sizes.edp());
    for (std::int64_t layer = 0; layer < layers; ++layer)
      place_experts(layer);
  }

  void add_batch(const MicroBatchShape& micro_batch) {
    double ranks = micro_batch.sequence_parallel ? static_cast<double>(micro_batch.sizes.tp) : 1;
    if (micro_batch.sizes.tp > 1 && !micro_batch.sequence_parallel) // all have the same tokens, and none travels
      ranks = static_cast<double>(job_.sizes.ep * job_.sizes.etp);
    const BlockShape shape{.batch = batch_++,
                           .ep = job_.sizes.ep,
                           .etp = job_.sizes.etp,
                           .tokens = static_cast<double>(micro_batch.tokens()) / ranks,
                           .dispatcher = job_.moe.dispatcher,
                           .may_steal = options_.balancing == Balancing::WorkStealing,
                           .leaves_idle = micro_batch.cache.has_value() && !is_sampled()};
    for (std::int64_t layer = 0; layer < result_.table.layers; ++layer)
      for (std::int64_t at = 0; at < micro_batches_; ++at)
        result_.table.spread_of.push_back(has_experts(layer) ? spread(shape, layer, at) : 0);
  }

  ExpertLoads take() {
    add_moves();
    return std::move(result_);
  }

private:
  [[nodiscard]] bool is_sampled() const { return options_.routing.counts == TokenCounts::Sampled; }
  // Modules for multi-token prediction have layers like the last one.
  [[nodiscard]] bool has_experts(std::int64_t layer) const {
    return job_.model.kind_of(std::min(layer, job_.model.num_layers - 1)).has_experts;
  }

  void place_experts(std::int64_t layer) {
    placements_.emplace_back();
    if (!has_experts(layer))
      return;
    schedulers::RebalancingPlan plan = placement_plan(options_, moe_, group_shape_, layer_of_router(job_, layer));
    placements_.back() = std::move(plan.after);
    if (plan.moves.empty())
      return;
    result_.moving_layers.push_back(layer);
    std::vector<SentWeights>& moves = moves_.emplace_back();
    for (const schedulers::ExpertMove& move : plan.moves)
      moves.push_back({move.from, move.to});
  }

  // A batch of its own: of the weights that are sent before all others.
  void add_moves() {
    if (moves_.empty())
      return;
    result_.moving_batch = batch_++;
    const BlockShape shape{.batch = result_.moving_batch, .ep = job_.sizes.ep, .etp = job_.sizes.etp};
    std::vector<std::uint32_t> spread_of(std::size_t{result_.table.layers} * result_.table.micro_batches, 0);
    for (std::size_t at = 0; at < moves_.size(); ++at) {
      spread_of[static_cast<std::size_t>(result_.moving_layers[at]) * result_.table.micro_batches] =
          add_spread({blocks_.add(moves_[at], shape)}, shape);
    }
    result_.table.spread_of.insert(result_.table.spread_of.end(), spread_of.begin(), spread_of.end());
    result_.figures.resize(result_.table.spreads.size());
  }

  // The spread of a layer and micro-batch: that of another one where experts are as well liked and placed.
  std::uint32_t spread(const BlockShape& shape, std::int64_t layer, std::int64_t micro_batch) {
    const ExpertPlacement& placement = placements_[static_cast<std::size_t>(layer)];
    const std::vector<double> inclusion = layer_inclusion(options_, moe_, layer_of_router(job_, layer), micro_batch);
    const GroupPlace where{.layer = layer, .micro_batch = micro_batch, .group = 0};
    if (is_sampled())
      return add_spread(shape, inclusion, placement, where);
    const auto [known, is_new] = known_.try_emplace({shape.batch, inclusion, placement.expert_of_slot});
    if (is_new)
      known->second = add_spread(shape, inclusion, placement, where);
    return known->second;
  }

  std::uint32_t add_spread(const BlockShape& shape, const std::vector<double>& inclusion,
                           const ExpertPlacement& placement, GroupPlace where) {
    std::vector<BlockEntries> entries;
    SpreadFigures figures;
    figures.routed.assign(static_cast<std::size_t>(moe_.num_experts), 0);
    figures.dropped = figures.routed;
    for (; where.group < result_.blocks; ++where.group) {
      const GroupLoad load =
          group_load(options_, moe_, where, placement, inclusion, {shape.ep * shape.etp, shape.tokens});
      entries.push_back(blocks_.add(load, shape));
      count(load, figures);
    }
    result_.figures.push_back(std::move(figures));
    return add_spread(entries, shape);
  }

  // Of all blocks, or of one that all are like.
  std::uint32_t add_spread(const std::vector<BlockEntries>& entries, const BlockShape& shape) {
    graph::TokenSpread spread;
    for (std::uint32_t position = 0; position < layout_.position_count(); ++position) {
      const Coordinates at = layout_.coordinates(layout_.rank_of(0, position));
      const BlockEntries& of_block = entries[static_cast<std::size_t>(at.edp) % entries.size()];
      const auto member = static_cast<std::size_t>(at.ep * shape.etp + at.etp);
      spread.load_of.push_back(of_block.loads[member]);
      spread.matrix_of.push_back(of_block.matrices[member]);
      if (!of_block.weights.empty())
        spread.weights_of.push_back(of_block.weights[member]);
    }
    result_.table.spreads.push_back(std::move(spread));
    return static_cast<std::uint32_t>(result_.table.spreads.size() - 1);
  }

  static void count(const GroupLoad& load, SpreadFigures& figures) {
    const auto copies = [](std::int64_t parts) { return static_cast<double>(parts) / parts_per_copy; };
    for (std::size_t expert = 0; expert < load.routed.size(); ++expert) {
      figures.routed[expert] += copies(load.routed[expert]);
      figures.dropped[expert] += copies(load.dropped[expert]);
    }
    for (const std::int64_t parts : load.received())
      figures.ranks.push_back(copies(parts));
    figures.moved += copies(load.rerouted);
    for (const schedulers::StolenTokens& theft : load.stolen)
      figures.moved += copies(theft.tokens);
  }

  const Job& job_;
  const Layout& layout_;
  const MoeSpec& moe_;
  const LoadOptions& options_;
  std::int64_t micro_batches_;
  schedulers::PlacementShape group_shape_;
  ExpertLoads result_;
  BlockLoads blocks_;
  std::vector<ExpertPlacement> placements_;     // of each layer
  std::vector<std::vector<SentWeights>> moves_; // of each moving layer
  std::uint32_t batch_ = 0;
  std::map<std::tuple<std::uint32_t, std::vector<double>, std::vector<std::int64_t>>, std::uint32_t> known_;
};

} // namespace

ExpertLoads expert_loads(const TrainingJob& job, const Layout& layout, std::int64_t gpus_per_node) {
  if (!job.model.moe || is_even(job.moe.load))
    return {};
  Builder builder(job, layout, gpus_per_node, job.training.micro_batches(job.sizes));
  builder.add_batch(job.micro_batch());
  return builder.take();
}

ExpertLoads expert_loads(const InferenceJob& job, const Layout& layout, std::int64_t gpus_per_node) {
  if (!job.model.moe || is_even(job.moe.load))
    return {};
  Builder builder(job, layout, gpus_per_node, job.inference.micro_batches(job.sizes));
  builder.add_batch(job.layer_batch(1));
  if (job.inference.output_length > 1)
    builder.add_batch(job.layer_batch(2));
  return builder.take();
}

} // namespace moesim::workloads
