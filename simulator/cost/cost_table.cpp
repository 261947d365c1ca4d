#include "simulator/cost/cost_table.hpp"

#include <array>
#include <limits>
#include <map>

#include "simulator/base/check.hpp"
#include "simulator/cost/communication.hpp"

namespace moesim::cost {
namespace {

constexpr std::uint32_t unknown = std::numeric_limits<std::uint32_t>::max();

// Where a link of the cluster stands among the links of a job on its first `ranks` GPUs: those of these GPUs, and then
// the trunks.
std::uint32_t link_of_job(std::uint32_t link, std::uint32_t ranks, const platforms::Cluster& cluster) {
  const std::uint32_t unused = (static_cast<std::uint32_t>(cluster.gpu_count()) - ranks) * platforms::links_per_gpu;
  return link < ranks * platforms::links_per_gpu ? link : link - unused;
}

// In that order.
std::vector<execution::Link> links_of_job(std::uint32_t ranks, const platforms::Cluster& cluster) {
  std::vector<execution::Link> links;
  const auto add = [&](std::uint32_t link) {
    links.push_back({platforms::link_name(cluster, link), platforms::link_bandwidth(cluster, link)});
  };
  for (std::uint32_t link = 0; link < ranks * platforms::links_per_gpu; ++link)
    add(link);
  if (cluster.has_leaves())
    for (std::int64_t leaf = 0; leaf <= cluster.leaf_of(ranks - 1); ++leaf)
      for (const platforms::Trunk trunk : {platforms::Trunk::Up, platforms::Trunk::Down})
        add(platforms::trunk_of(cluster, leaf, trunk));
  return links;
}

// Assigns each task its cost, working out each one once: kernels by work and GPU speed, communication by work and
// group.
class CostTable {
public:
  CostTable(const graph::TaskGraph& graph, const platforms::Cluster& cluster)
      : graph_(graph), cluster_(cluster), communications_(graph.groups().size() * graph.works().size(), unknown) {
    for (std::uint32_t gpu = 0; gpu < graph.rank_count(); ++gpu)
      speeds_.push_back(platforms::gpu_speed(cluster, gpu));
  }

  execution::Costs run() {
    costs_.of_task.reserve(graph_.task_count());
    for (const graph::Task& task : graph_.tasks())
      costs_.of_task.push_back(task.kind == graph::Kind::Compute ? duration(task) : communication_index(task));
    costs_.links = links_of_job(graph_.rank_count(), cluster_);
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
          communication(task.kind, graph_.work(task).bytes, graph_.members(task), cluster_));
      for (execution::Flow& flow : costs_.communications.back().flows)
        for (execution::Crossing& crossing : flow.route)
          crossing.link = link_of_job(crossing.link, graph_.rank_count(), cluster_);
      kinds_.push_back(task.kind);
    }
    MOESIM_CHECK(kinds_[index] == task.kind, "tasks that share a work are of one kind");
    return index;
  }

  const graph::TaskGraph& graph_;
  const platforms::Cluster& cluster_;
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

execution::Costs cost_table(const graph::TaskGraph& graph, const platforms::Cluster& cluster) {
  MOESIM_CHECK(graph.rank_count() <= cluster.gpu_count(), "the job fits the cluster");
  return CostTable(graph, cluster).run();
}

} // namespace moesim::cost
