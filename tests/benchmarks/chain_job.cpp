#include "tests/benchmarks/chain_job.hpp"

#include <utility>
#include <vector>

namespace {

using namespace moesim;

class JobBuilder {
public:
  explicit JobBuilder(const ChainShape& shape) : shape_(shape), last_(shape.gpus), computed_(shape.gpus) {
    parts_.works = {{}};
    parts_.names = {"task"};
    parts_.rank_count = shape.gpus;
    for (std::uint32_t i = 0; i < ChainShape::duration_classes; ++i)
      costs_.durations.emplace_back(ChainShape::duration(i));
    for (std::uint32_t gpu = 0; gpu < shape.gpus; ++gpu) // links 4 * gpu + {NVLink up, down, NIC up, down}
      for (const double capacity : {ChainShape::nvlink_bytes_per_s, ChainShape::nvlink_bytes_per_s,
                                    ChainShape::nic_bytes_per_s, ChainShape::nic_bytes_per_s})
        costs_.links.push_back({"link", BytesPerSecond(capacity)});
    for (std::uint32_t segment : {0U, 1U})
      for (std::uint32_t first = 0; first < shape.gpus; first += ChainShape::group_size(segment))
        add_group(segment, first);
  }

  ChainJob build() && {
    for (std::uint32_t segment = 0; segment < shape_.segments; ++segment) {
      for (std::uint32_t gpu = 0; gpu < shape_.gpus; ++gpu)
        while (computed_[gpu] < shape_.computes_before(segment))
          compute(gpu);
      for (std::uint32_t first = 0; first < shape_.gpus; first += ChainShape::group_size(segment))
        communicate(segment, first);
    }
    return {graph::TaskGraph(std::move(parts_)), std::move(costs_)};
  }

private:
  void add_group(std::uint32_t segment, std::uint32_t first) {
    const std::uint32_t size = ChainShape::group_size(segment);
    const std::uint32_t up = ChainShape::is_expert(segment) ? 2 : 0;
    std::vector<RankId> members;
    execution::Communication communication;
    for (std::uint32_t i = 0; i < size; ++i) {
      members.emplace_back(first + i);
      communication.flows.push_back(
          {{{4 * (first + i) + up}, {4 * (first + (i + 1) % size) + up + 1}}, Bytes(ChainShape::flow_bytes(segment))});
    }
    parts_.groups.push_back(std::move(members));
    costs_.communications.push_back(std::move(communication));
  }

  void compute(std::uint32_t gpu) {
    graph::Task task;
    task.place = gpu;
    add(task, ChainShape::duration_class(gpu, computed_[gpu]++), gpu, 1);
  }

  void communicate(std::uint32_t segment, std::uint32_t first) {
    graph::Task task;
    task.kind = graph::Kind::AllGather;
    const std::uint32_t size = ChainShape::group_size(segment);
    task.place = (ChainShape::is_expert(segment) ? shape_.gpus / ChainShape::tensor_group : 0) + first / size;
    add(task, task.place, first, size);
  }

  // A task that follows the last one of each of `count` GPUs.
  void add(const graph::Task& task, std::uint32_t cost, std::uint32_t first_gpu, std::uint32_t count) {
    const auto index = static_cast<std::uint32_t>(parts_.tasks.size());
    parts_.tasks.push_back(task);
    costs_.of_task.push_back(cost);
    for (std::uint32_t gpu = first_gpu; gpu < first_gpu + count; ++gpu) {
      if (last_[gpu] > 0)
        parts_.edges.emplace_back(last_[gpu] - 1, index);
      last_[gpu] = index + 1;
    }
  }

  ChainShape shape_;
  graph::TaskGraph::Parts parts_;
  execution::Costs costs_;
  std::vector<std::uint32_t> last_; // per GPU: 1 + its last task
  std::vector<std::uint32_t> computed_;
};

} // namespace

ChainJob chain_job(const ChainShape& shape) {
  return JobBuilder(shape).build();
}
