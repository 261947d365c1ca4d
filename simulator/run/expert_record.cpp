#include "simulator/run/expert_record.hpp"

#include <algorithm>
#include <numeric>

namespace moesim::run {
namespace {

// Micro-batches of equally many tokens, and the tokens of all of them in all replicas.
struct Batch {
  double tokens = 0;
  double micro_batches = 0; // run by each replica, every decode step one of them
};

std::vector<Batch> batches_of(const workloads::TrainingJob& job) {
  return {{job.training.tokens(), static_cast<double>(job.training.micro_batches(job.sizes))}};
}

std::vector<Batch> batches_of(const workloads::InferenceJob& job) {
  const auto sequences = static_cast<double>(job.inference.batch_size);
  const auto micro_batches = static_cast<double>(job.inference.micro_batches(job.sizes));
  const auto steps = static_cast<double>(job.inference.output_length - 1);
  std::vector<Batch> batches{{sequences * static_cast<double>(job.inference.prompt_length), micro_batches}};
  if (steps > 0)
    batches.push_back({sequences * steps, micro_batches * steps});
  return batches;
}

class Tally {
public:
  Tally(const workloads::Job& job, const workloads::ExpertLoads& loads)
      : job_(job), loads_(loads), experts_(static_cast<std::size_t>(job.model.moe->num_experts)) {
    result_.experts = experts_;
    result_.ranks = loads.blocks * static_cast<std::size_t>(job.sizes.ep);
  }

  record::ExpertLoad of(const std::vector<Batch>& batches) {
    for (std::int64_t layer = 0; layer < job_.model.num_layers; ++layer) {
      if (!job_.model.kind_of(layer).has_experts)
        continue;
      result_.layers.push_back(static_cast<std::int32_t>(layer));
      result_.tokens.resize(result_.tokens.size() + experts_, 0);
      result_.dropped.resize(result_.tokens.size(), 0);
      for (std::size_t batch = 0; batch < batches.size(); ++batch)
        if (loads_.are_even())
          add_evenly(batches[batch], layer, batch);
        else
          add(batches[batch], layer, batch);
    }
    return std::move(result_);
  }

private:
  [[nodiscard]] double copies_of(const Batch& batch) const {
    return batch.tokens * static_cast<double>(job_.model.moe->experts_per_token);
  }

  void add_evenly(const Batch& batch, std::int64_t layer, std::size_t at) {
    const double copies = copies_of(batch);
    for (std::size_t expert = result_.tokens.size() - experts_; expert < result_.tokens.size(); ++expert)
      result_.tokens[expert] += copies / static_cast<double>(experts_);
    const double groups = static_cast<double>(job_.sizes.edp()) * batch.micro_batches;
    add_ranks(layer, -1, at, std::vector<double>(result_.ranks, copies / groups / static_cast<double>(job_.sizes.ep)));
  }

  void add(const Batch& batch, std::int64_t layer, std::size_t at) {
    const graph::TokenLoads& table = loads_.table;
    std::vector<std::uint32_t> spreads;
    for (std::uint32_t micro_batch = 0; micro_batch < table.micro_batches; ++micro_batch)
      spreads.push_back(table.spread(static_cast<std::uint32_t>(at), static_cast<std::int32_t>(layer),
                                     static_cast<std::int32_t>(micro_batch)));
    double routed = 0;
    for (const std::uint32_t spread : spreads)
      routed += std::accumulate(loads_.figures[spread].routed.begin(), loads_.figures[spread].routed.end(), 0.0);
    const double scale = copies_of(batch) / routed;
    const std::size_t first = result_.tokens.size() - experts_;
    for (const std::uint32_t spread : spreads) {
      const workloads::SpreadFigures& figures = loads_.figures[spread];
      for (std::size_t expert = 0; expert < experts_; ++expert) {
        result_.tokens[first + expert] += scale * figures.routed[expert];
        result_.dropped[first + expert] += scale * figures.dropped[expert];
      }
      result_.moved += scale * figures.moved;
    }
    const bool are_alike = std::ranges::count(spreads, spreads.front()) == std::ssize(spreads);
    for (std::size_t micro_batch = 0; micro_batch < (are_alike ? 1 : spreads.size()); ++micro_batch)
      add_ranks(layer, are_alike ? -1 : static_cast<std::int32_t>(micro_batch), at,
                loads_.figures[spreads[micro_batch]].ranks);
  }

  void add_ranks(std::int64_t layer, std::int32_t micro_batch, std::size_t batch, const std::vector<double>& tokens) {
    result_.rank_layer.push_back(static_cast<std::int32_t>(layer));
    result_.rank_micro_batch.push_back(micro_batch);
    result_.rank_step.push_back(static_cast<std::int32_t>(batch));
    result_.rank_tokens.insert(result_.rank_tokens.end(), tokens.begin(), tokens.end());
  }

  const workloads::Job& job_;
  const workloads::ExpertLoads& loads_;
  std::size_t experts_;
  record::ExpertLoad result_;
};

} // namespace

record::ExpertLoad expert_record(const scenario::Scenario& scenario, const workloads::ExpertLoads& loads) {
  if (!scenario.job().model.moe)
    return {};
  return std::visit([&](const auto& job) { return Tally(job, loads).of(batches_of(job)); }, scenario.work);
}

} // namespace moesim::run
