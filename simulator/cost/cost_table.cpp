#include "simulator/cost/cost_table.hpp"

#include <array>
#include <limits>
#include <map>
#include <numeric>

#include "platforms/links.hpp"
#include "simulator/base/check.hpp"
#include "simulator/cost/communication.hpp"
#include "simulator/cost/folded_network.hpp"

namespace moesim::cost {
namespace {

constexpr std::uint32_t unknown = std::numeric_limits<std::uint32_t>::max();

execution::Multiprocessors multiprocessors(const platforms::CommunicationKernels& kernels) {
  execution::Multiprocessors processors{.all = static_cast<std::uint32_t>(kernels.multiprocessors)};
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

// Assigns each task its cost, working out each one once: kernels by work and GPU speed, communication by work and
// group.
class CostTable {
public:
  CostTable(const graph::TaskGraph& graph, const std::vector<std::uint32_t>& class_of_trunk,
            const platforms::Cluster& cluster)
      : graph_(graph), cluster_(cluster), network_(graph.folding(), class_of_trunk, cluster),
        communications_(graph.groups().size() * graph.works().size(), unknown) {
    for (const RankId rank : graph.folding().representative)
      speeds_.push_back(platforms::gpu_speed(cluster, rank.value()));
  }

  execution::Costs run() {
    costs_.of_task.reserve(graph_.task_count());
    for (const graph::Task& task : graph_.tasks())
      costs_.of_task.push_back(task.kind == graph::Kind::Compute ? duration(task) : communication_index(task));
    costs_.links = network_.links();
    costs_.class_of_link = network_.class_of_link();
    costs_.multiprocessors = multiprocessors(cluster_.gpu.communication);
    return std::move(costs_);
  }

private:
  std::uint32_t duration(const graph::Task& task) {
    if (kernels_.size() <= task.work)
      kernels_.resize(task.work + 1);
    const double speed = speeds_[task.place];
    const auto next = static_cast<std::uint32_t>(costs_.durations.size());
    const auto [entry, is_new] = kernels_[task.work].try_emplace(speed, next);
    if (is_new) {
      Seconds time;
      for (const Operator& op : graph_.work(task).operators)
        time += platforms::time_of(op, cluster_.gpu);
      costs_.durations.push_back(time / speed);
    }
    return entry->second;
  }

  std::uint32_t communication_index(const graph::Task& task) {
    std::uint32_t& index = communications_[task.place * graph_.works().size() + task.work];
    if (index == unknown) {
      index = static_cast<std::uint32_t>(costs_.communications.size());
      costs_.communications.push_back(
          network_.folded(communication(task.kind, graph_.work(task).bytes, graph_.ranks(task), cluster_)));
      kinds_.push_back(task.kind);
    }
    MOESIM_CHECK(kinds_[index] == task.kind, "tasks that share a work are of one kind");
    return index;
  }

  const graph::TaskGraph& graph_;
  const platforms::Cluster& cluster_;
  FoldedNetwork network_;
  std::vector<double> speeds_;
  std::vector<std::map<double, std::uint32_t>> kernels_; // [work]: speed to index
  std::vector<std::uint32_t> communications_;            // [group * works + work]
  std::vector<graph::Kind> kinds_;                       // of each communication
  execution::Costs costs_;
};

} // namespace

execution::Communication communication(graph::Kind kind, Bytes size, std::span<const RankId> members,
                                       const platforms::Cluster& cluster) {
  MOESIM_CHECK(kind != graph::Kind::Compute, "kernels do not communicate");
  if (members.size() < 2 || size == Bytes(0))
    return {};
  if (kind == graph::Kind::SendRecv)
    return send_recv(size, members[0], members[1], cluster);
  if (kind == graph::Kind::AllToAll)
    return direct_all_to_all(size, members, cluster);
  if (kind == graph::Kind::RingExchange)
    return ring_exchange(size, members, cluster);
  return ring(kind, size, members, cluster);
}

std::span<const Algorithm> algorithms() {
  static constexpr std::array<Algorithm, 6> all{{
      {graph::Kind::AllReduce, "ring over all rails: 2(n-1)/n of the size from each rank, 2(n-1) steps"},
      {graph::Kind::AllGather, "ring over all rails: (n-1)/n of the size from each rank, n-1 steps"},
      {graph::Kind::ReduceScatter, "ring over all rails: (n-1)/n of the size from each rank, n-1 steps"},
      {graph::Kind::AllToAll, "direct: an n-th of the size from each rank to each other, one step"},
      {graph::Kind::SendRecv, "one message, over NVLink inside a node and from NIC to NIC otherwise"},
      {graph::Kind::RingExchange, "one message from each rank to the next, all at once"},
  }};
  return all;
}

execution::Costs cost_table(const graph::TaskGraph& graph, const std::vector<std::uint32_t>& class_of_trunk,
                            const platforms::Cluster& cluster) {
  MOESIM_CHECK(graph.folding().class_of.size() <= static_cast<std::size_t>(cluster.gpu_count()),
               "the job fits the cluster");
  return CostTable(graph, class_of_trunk, cluster).run();
}

execution::Costs cost_table(const graph::TaskGraph& graph, const platforms::Cluster& cluster) {
  return cost_table(graph, each_trunk(graph.folding().class_of.size(), cluster), cluster);
}

std::vector<std::uint32_t> each_trunk(std::size_t ranks, const platforms::Cluster& cluster) {
  std::vector<std::uint32_t> trunks(trunks_above(cluster, static_cast<std::uint32_t>(ranks)).size());
  std::iota(trunks.begin(), trunks.end(), 0U);
  return trunks;
}

} // namespace moesim::cost
