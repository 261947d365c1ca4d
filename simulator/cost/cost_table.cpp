#include "simulator/cost/cost_table.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <optional>
#include <unordered_map>
#include <utility>

#include "platforms/links.hpp"
#include "simulator/base/check.hpp"
#include "simulator/cost/communication.hpp"
#include "simulator/cost/folded_network.hpp"

namespace moesim::cost {
namespace {

// A GPU whose multiprocessors nobody counts has one, of which no communication takes anything.
execution::Multiprocessors multiprocessors(const platforms::Gpu& gpu) {
  const platforms::CommunicationKernels& kernels = gpu.communication;
  execution::Multiprocessors processors{.all =
                                            static_cast<std::uint32_t>(std::max<std::int64_t>(1, gpu.multiprocessors))};
  const auto takes = [&](graph::Stream stream, std::int64_t taken) {
    processors.taken[static_cast<std::size_t>(stream)] = static_cast<std::uint32_t>(taken);
  };
  takes(graph::Stream::Tp, kernels.tp);
  takes(graph::Stream::Cp, kernels.cp);
  takes(graph::Stream::Ep, kernels.ep);
  takes(graph::Stream::Dp, kernels.dp);
  for (const graph::Stream stream :
       {graph::Stream::PpSendNext, graph::Stream::PpSendPrev, graph::Stream::PpRecvNext, graph::Stream::PpRecvPrev})
    takes(stream, kernels.pp);
  return processors;
}

// Assigns each task its cost, working out each one once: kernels by work, communication by work and group.
class CostTable {
public:
  CostTable(const graph::TaskGraph& graph, const std::vector<std::uint32_t>& class_of_trunk,
            const platforms::Cluster& cluster, const NetworkOptions& options, const LaunchTimes& launch)
      : graph_(graph), cluster_(cluster), options_(options), launch_(launch),
        network_(graph.folding(), class_of_trunk, cluster), communications_(graph.works().size()) {
    for (const RankId rank : graph.folding().representative)
      speeds_.push_back(platforms::gpu_speed(cluster, rank.value()));
    leads_.resize(graph.rank_count());
    phases_.resize(graph.rank_count(), graph::Phase::Forward);
  }

  execution::Costs run() {
    costs_.of_task.reserve(graph_.task_count());
    for (const graph::Task& task : graph_.tasks())
      costs_.of_task.push_back(task.kind == graph::Kind::Compute ? duration(task) : communication_index(task));
    costs_.links = network_.links();
    costs_.class_of_link = network_.class_of_link();
    costs_.multiprocessors = multiprocessors(cluster_.gpu);
    return std::move(costs_);
  }

private:
  std::uint32_t duration(const graph::Task& task) {
    if (kernels_.size() <= task.work) {
      kernels_.resize(task.work + 1);
      durations_.resize(task.work + 1);
    }
    std::optional<KernelTimes>& kernels = kernels_[task.work];
    if (!kernels)
      kernels = kernel_times(graph_.work(task).operators, cluster_.gpu, launch_);
    const double speed = speeds_[task.place];
    Seconds& lead = leads_[task.place];
    if (std::exchange(phases_[task.place], task.phase) != task.phase && launch_.waits_for_passes)
      lead = Seconds();
    const bool ends_iteration = task.phase == graph::Phase::Optimizer;
    const Seconds taken = kernels->at(speed, lead) + (ends_iteration ? launch_.step : Seconds());
    lead = kernels->lead_after(speed, lead);
    const auto [entry, is_new] =
        durations_[task.work].try_emplace(taken, static_cast<std::uint32_t>(costs_.durations.size()));
    if (is_new)
      costs_.durations.push_back(taken);
    return entry->second;
  }

  // A stage's tasks come in the order of its program, so that what its ranks launch does, too. Their hosts wait for the
  // counts of tokens that a forward dispatch sends, and for transfers between stages.
  void wait_for_gpu(const graph::Task& task) {
    const bool counts_tokens = task.phase == graph::Phase::Forward && task.stream == graph::Stream::Ep &&
                               graph_.names()[task.name] == "dispatch";
    if (counts_tokens || task.kind == graph::Kind::SendRecv)
      for (const RankId rank : graph_.members(task))
        leads_[rank.value()] = Seconds();
  }

  std::uint32_t communication_index(const graph::Task& task) {
    wait_for_gpu(task);
    const auto next = static_cast<std::uint32_t>(costs_.communications.size());
    const auto [entry, is_new] = communications_[task.work].try_emplace(task.place, next);
    const std::uint32_t index = entry->second;
    if (is_new) {
      const graph::Work& work = graph_.work(task);
      costs_.communications.push_back(network_.folded(
          communication(call_of(task.kind, task.stream, work.bytes, work.routing, options_, work.tokens),
                        graph_.ranks(task), cluster_)));
      uses_.emplace_back(task.kind, task.stream);
    }
    MOESIM_CHECK(uses_[index].first == task.kind && options_of(uses_[index].second) == options_of(task.stream),
                 "tasks that share a work are of one kind");
    return index;
  }

  [[nodiscard]] const StreamOptions& options_of(graph::Stream stream) const {
    return options_[static_cast<std::size_t>(stream)];
  }

  const graph::TaskGraph& graph_;
  const platforms::Cluster& cluster_;
  const NetworkOptions& options_;
  const LaunchTimes& launch_;
  FoldedNetwork network_;
  std::vector<double> speeds_;
  std::vector<Seconds> leads_;                                                   // [rank]: of its host
  std::vector<graph::Phase> phases_;                                             // of the task before, by rank
  std::vector<std::optional<KernelTimes>> kernels_;                              // [work]
  std::vector<std::map<Seconds, std::uint32_t>> durations_;                      // [work]: to index
  std::vector<std::unordered_map<std::uint32_t, std::uint32_t>> communications_; // [work]: group to index
  std::vector<std::pair<graph::Kind, graph::Stream>> uses_;                      // the first of each communication
  execution::Costs costs_;
};

} // namespace

NetworkOptions same_for_all(Fidelity fidelity) {
  NetworkOptions options;
  options.fill({.fidelity = fidelity});
  options[static_cast<std::size_t>(graph::Stream::Compute)] = {}; // communicates nothing
  return options;
}

Call call_of(graph::Kind kind, graph::Stream stream, Bytes size, const graph::TokenRouting& routing,
             const NetworkOptions& options, const graph::TokenTraffic& tokens) {
  const StreamOptions& how = options[static_cast<std::size_t>(stream)];
  return {.kind = kind,
          .size = size,
          .routing = routing,
          .tokens = tokens,
          .algorithm = does(how.algorithm, kind) ? how.algorithm : Algorithm::Auto,
          .fidelity = how.fidelity};
}

execution::Costs cost_table(const graph::TaskGraph& graph, const std::vector<std::uint32_t>& class_of_trunk,
                            const platforms::Cluster& cluster, const NetworkOptions& options,
                            const LaunchTimes& launch) {
  MOESIM_CHECK(graph.folding().class_of.size() <= static_cast<std::size_t>(cluster.gpu_count()),
               "the job fits the cluster");
  return CostTable(graph, class_of_trunk, cluster, options, launch).run();
}

execution::Costs cost_table(const graph::TaskGraph& graph, const platforms::Cluster& cluster,
                            const NetworkOptions& options, const LaunchTimes& launch) {
  return cost_table(graph, each_trunk(graph.folding().class_of.size(), cluster), cluster, options, launch);
}

std::vector<std::uint32_t> each_trunk(std::size_t ranks, const platforms::Cluster& cluster) {
  std::vector<std::uint32_t> trunks(trunks_above(cluster, static_cast<std::uint32_t>(ranks)).size());
  std::iota(trunks.begin(), trunks.end(), 0U);
  return trunks;
}

} // namespace moesim::cost
