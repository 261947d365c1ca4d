#include "simulator/search/space.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "schedulers/pipeline_schedule.hpp"
#include "simulator/base/divisors.hpp"

namespace moesim::search {

using scenario::Scenario;
using schedulers::ChunkPlacement;
using workloads::ParallelSizes;

namespace {

// Of two copies of the model each has one chunk a stage.
std::int64_t vpp_of(const schedulers::PipelineSchedule& schedule) {
  return schedule.placement == ChunkPlacement::Bidirectional ? 1 : schedule.chunks;
}

// Equally many layers in each virtual stage, or the first ones have one more; empty where all are equal.
std::vector<std::int64_t> spread(std::int64_t layers, std::int64_t stages) {
  if (layers % stages == 0)
    return {};
  std::vector<std::int64_t> each(static_cast<std::size_t>(stages), layers / stages);
  std::fill_n(each.begin(), layers % stages, layers / stages + 1);
  return each;
}

bool divides(std::int64_t part, std::int64_t whole) {
  return whole % part == 0;
}

template <class Value>
bool contains(const std::vector<Value>& values, const Value& value) {
  return std::ranges::find(values, value) != values.end();
}

} // namespace

// Layouts of which the checks of variants say the same.
struct Space::Kind {
  std::int64_t pp = 1;
  std::int64_t micro_batches = 1;
  bool has_tp = false;
  bool has_ep = false;
  bool has_replicas = false;
  auto operator<=>(const Kind&) const = default;
};

struct Space::Effect {
  std::uint32_t schedule = 0;
  std::int64_t vpp = 0;
  std::uint32_t recompute = 0;
  std::uint32_t sharding = 0;
  std::array<bool, 4> switches{}; // of overlap
  int expert = 0;
  auto operator<=>(const Effect&) const = default;
};

Space::Space(Subject subject, Axes axes) : subject_(std::move(subject)), axes_(std::move(axes)) {
  list_variants();
  list_layouts();
}

void Space::list_variants() {
  const Scenario& scenario = subject_.scenario;
  if (!scenario.is_training()) {
    for (std::uint32_t overlap = 0; overlap < axes_.two_batch.size(); ++overlap)
      variants_.push_back({.overlap = overlap});
    return;
  }
  const auto add = [&](std::uint32_t schedule, std::int64_t vpp) {
    for (std::uint32_t recompute = 0; recompute < axes_.recompute.size(); ++recompute)
      for (std::uint32_t sharding = 0; sharding < axes_.sharding.size(); ++sharding)
        for (std::uint32_t overlap = 0; overlap < axes_.overlap.size(); ++overlap)
          variants_.push_back({schedule, vpp, recompute, sharding, overlap});
  };
  for (std::uint32_t at = 0; at < axes_.schedule.size(); ++at) {
    const schedulers::PipelineSchedule& schedule = schedulers::find_schedule(axes_.schedule[at]);
    if (const std::int64_t vpp = vpp_of(schedule); vpp > 0) {
      if (axes_.vpp.empty() || contains(axes_.vpp, vpp))
        add(at, vpp);
      continue;
    }
    if (axes_.vpp.empty())
      for (std::int64_t vpp = 2; vpp <= std::min(scenario.job().model.num_layers, schedulers::most_chunks); vpp *= 2)
        add(at, vpp);
    for (const std::int64_t vpp : axes_.vpp)
      add(at, vpp);
  }
}

void Space::list_layouts() {
  Scenario scenario = subject_.scenario;
  KindNumbers kinds;
  for (const std::int64_t tp : axes_.tp)
    for (const std::int64_t cp : axes_.cp)
      for (const std::int64_t pp : axes_.pp) {
        if (!divides(tp * cp * pp, subject_.gpus) || pp > scenario.job().model.num_layers)
          continue;
        const std::int64_t dp = subject_.gpus / (tp * cp * pp);
        if (!axes_.dp.empty() && !contains(axes_.dp, dp))
          continue;
        for (const std::int64_t ep : axes_.ep)
          for (const std::int64_t etp : axes_.etp)
            if (divides(ep * etp, tp * cp * dp))
              add_layouts({.tp = tp, .cp = cp, .pp = pp, .ep = ep, .etp = etp, .dp = dp}, scenario, kinds);
      }
}

void Space::add_layouts(const ParallelSizes& sizes, Scenario& scenario, KindNumbers& kinds) {
  for (const std::int64_t batch : axes_.batch_size) {
    if (!divides(sizes.dp, batch))
      continue;
    const std::int64_t of_replica = batch / sizes.dp;
    for (const std::int64_t micro_batch :
         axes_.micro_batch_size.empty() ? divisors(of_replica) : axes_.micro_batch_size) {
      if (!divides(micro_batch, of_replica))
        continue;
      Layout layout{sizes, batch, micro_batch};
      set_layout(layout, scenario);
      if (!scenario::is_consistent(scenario))
        continue;
      const auto [known, is_new] =
          kinds.try_emplace(kind_of(layout), static_cast<std::uint32_t>(variants_of_kind_.size()));
      layout.kind = known->second;
      if (is_new)
        variants_of_kind_.push_back(variants_of(known->first, scenario));
      if (!variants_of(layout).empty())
        layouts_.push_back(layout);
    }
  }
}

std::size_t Space::candidate_count() const {
  std::size_t count = 0;
  for (const Layout& layout : layouts_)
    count += variants_of(layout).size();
  return count;
}

void Space::set_layout(const Layout& layout, Scenario& scenario) const {
  workloads::Job& job = scenario.job();
  job.sizes = layout.sizes;
  job.sequence_parallel = layout.sizes.tp > 1 && (scenario.is_training() || job.model.moe);
  spread_layers(job);
  if (!scenario.is_training()) {
    scenario.inference_job().inference.batch_size = layout.batch_size;
    scenario.inference_job().inference.micro_batch_size = layout.micro_batch_size;
    scenario.inference_job().inference.overlaps_two_batches = false; // which not every micro-batch can be
    return;
  }
  workloads::Training& training = scenario.training_job().training;
  training.global_batch_size = layout.batch_size;
  training.micro_batch_size = layout.micro_batch_size;
  training.schedule = "1f1b";
  training.order.reset();
  training.max_in_flight = 0;
  training.recompute = {};
  training.sharding = workloads::Sharding::Zero1;
  training.overlap = {};
  job.placement = ChunkPlacement::Loop;
}

void Space::set_variant(std::uint32_t number, Scenario& scenario) const {
  const Variant& variant = variants_[number];
  workloads::Job& job = scenario.job();
  if (scenario.is_training()) {
    workloads::Training& training = scenario.training_job().training;
    training.schedule = axes_.schedule[variant.schedule];
    training.recompute = axes_.recompute[variant.recompute].value;
    training.sharding = axes_.sharding[variant.sharding].value;
    training.overlap = axes_.overlap[variant.overlap].value;
    job.placement = schedulers::find_schedule(training.schedule).placement;
    job.sizes.vpp = variant.vpp;
  } else {
    scenario.inference_job().inference.overlaps_two_batches = axes_.two_batch[variant.overlap] == "true";
  }
  spread_layers(job);
}

void Space::spread_layers(workloads::Job& job) const {
  const std::int64_t stages = job.chunks().virtual_stages();
  const std::vector<std::int64_t>& listed = subject_.scenario.job().layers_per_stage;
  job.layers_per_stage =
      static_cast<std::int64_t>(listed.size()) == stages ? listed : spread(job.model.num_layers, stages);
}

std::vector<std::string> Space::own_assignments(Candidate candidate) const {
  Scenario scenario = subject_.scenario;
  const Layout& layout = layout_of(candidate);
  const Variant& variant = variant_of(candidate);
  set_layout(layout, scenario);
  set_variant(candidate.variant, scenario);
  const ParallelSizes& sizes = scenario.job().sizes;
  std::string parallel = fmt::format("tp: {}, cp: {}, pp: {}, vpp: {}, ep: {}, etp: {}, dp: {}", sizes.tp, sizes.cp,
                                     sizes.pp, sizes.vpp, sizes.ep, sizes.etp, sizes.dp);
  if (!scenario.job().layers_per_stage.empty())
    parallel += fmt::format(", layers_per_stage: [{}]", fmt::join(scenario.job().layers_per_stage, ", "));
  if (scenario.rank_order != workloads::default_rank_order)
    parallel += fmt::format(", order: {}", scenario.rank_order);
  if (!scenario.is_training())
    return {fmt::format("parallel={{{}}}", parallel), fmt::format("inference.batch_size={}", layout.batch_size),
            fmt::format("inference.micro_batch_size={}", layout.micro_batch_size),
            fmt::format("inference.overlap={{two_batch: {}}}", axes_.two_batch[variant.overlap])};
  if (const auto type = scenario.training_job().training.cp_comm_type; type != workloads::CpCommType::P2p)
    parallel += fmt::format(", cp_comm_type: {}", name_of(type));
  return {fmt::format("parallel={{{}}}", parallel),
          fmt::format("training.global_batch_size={}", layout.batch_size),
          fmt::format("training.micro_batch_size={}", layout.micro_batch_size),
          fmt::format("training.schedule={}", axes_.schedule[variant.schedule]),
          fmt::format("training.recompute={}", axes_.recompute[variant.recompute].text),
          fmt::format("training.sharding={}", axes_.sharding[variant.sharding].text),
          fmt::format("training.overlap={}", axes_.overlap[variant.overlap].text)};
}

std::vector<std::string> Space::assignments(Candidate candidate) const {
  std::vector<std::string> all = subject_.assignments;
  const std::vector<std::string> own = own_assignments(candidate);
  all.insert(all.end(), own.begin(), own.end());
  return all;
}

Space::Kind Space::kind_of(const Layout& layout) {
  const ParallelSizes& sizes = layout.sizes;
  return {.pp = sizes.pp,
          .micro_batches = layout.batch_size / (layout.micro_batch_size * sizes.dp),
          .has_tp = sizes.tp > 1,
          .has_ep = sizes.ep > 1,
          .has_replicas = sizes.dp * sizes.cp > 1 || sizes.edp() > 1};
}

std::vector<std::uint32_t> Space::variants_of(const Kind& kind, Scenario& scenario) const {
  std::set<Effect> seen;
  std::vector<std::uint32_t> variants;
  for (std::uint32_t number = 0; number < variants_.size(); ++number) {
    const Effect effect = effect_of(variants_[number], kind);
    if (seen.contains(effect))
      continue;
    set_variant(number, scenario);
    if (scenario.job().chunks().virtual_stages() > scenario.job().model.num_layers || !is_consistent(scenario))
      continue;
    seen.insert(effect);
    variants.push_back(number);
  }
  return variants;
}

// What is left of a variant without what makes no difference: schedules of one stage, overlap of what is not sent, and
// sharding among nobody.
Space::Effect Space::effect_of(const Variant& variant, const Kind& kind) const {
  Effect effect{.schedule = kind.pp > 1 ? variant.schedule : 0,
                .vpp = kind.pp > 1 ? variant.vpp : 0,
                .recompute = variant.recompute,
                .sharding = kind.has_replicas ? variant.sharding : 0};
  if (!subject_.scenario.is_training()) {
    effect.expert = kind.has_ep && axes_.two_batch[variant.overlap] == "true" ? 1 : 0;
    return effect;
  }
  const workloads::Overlap& overlap = axes_.overlap[variant.overlap].value;
  effect.switches = {kind.has_replicas && overlap.grad_reduce, kind.has_replicas && overlap.param_gather,
                     kind.pp > 1 && overlap.pp, kind.has_tp && overlap.tp};
  effect.expert = kind.has_ep ? static_cast<int>(overlap.expert) : 0;
  return effect;
}

} // namespace moesim::search
