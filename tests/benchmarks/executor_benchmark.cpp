// What moesim's executor costs over bare SimGrid: the same job as a task graph, and as simgrid_floor, in turn on the
// same machine; prints the best CPU time of each and their ratio. SimGrid runs one simulation per process, so each is a
// child process.
//
//   executor_benchmark [--gpus 512] [--execs 589824] [--comms 589824] [--repeat 3]
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <limits>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "simulator/execution/ideal_executor.hpp"
#include "simulator/execution/simgrid_executor.hpp"
#include "tests/benchmarks/chain_shape.hpp"

namespace {

using namespace moesim;

struct Job {
  graph::TaskGraph graph;
  execution::Costs costs;
};

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

  Job build() && {
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

class CountingSink : public execution::RunSink {
public:
  void task_ran(TaskId, Seconds, Seconds) override { ++tasks; }
  void flow_ran(const execution::Flow&, Seconds, Seconds) override { ++flows; }
  std::size_t tasks = 0;
  std::size_t flows = 0;
};

struct Measured {
  double seconds = std::numeric_limits<double>::infinity();
  double simulated = 0;
};

// Runs `body`, which writes "seconds simulated" to `out`, in a child process.
template <class Body>
Measured in_child(Body&& body) {
  int ends[2];
  if (pipe(ends) != 0)
    throw std::runtime_error("a child process failed");
  std::fflush(stdout);
  if (const pid_t child = fork(); child == 0) {
    FILE* out = fdopen(ends[1], "w");
    body(out);
    std::fclose(out);
    _exit(0);
  }
  close(ends[1]);
  FILE* in = fdopen(ends[0], "r");
  Measured measured;
  if (std::fscanf(in, "%lf %lf", &measured.seconds, &measured.simulated) != 2)
    throw std::runtime_error("a child process failed");
  std::fclose(in);
  wait(nullptr);
  return measured;
}

Measured run_floor(const std::string& command) {
  FILE* in = popen(command.c_str(), "r");
  Measured measured;
  if (in == nullptr || std::fscanf(in, "execs %*s comms %*s seconds %lf activities_per_s %*s simulated %lf",
                                   &measured.seconds, &measured.simulated) != 2)
    throw std::runtime_error(command + " does not run");
  pclose(in);
  return measured;
}

Measured run_executor(execution::Executor& executor, const Job& job) {
  return in_child([&](FILE* out) {
    CountingSink sink;
    const std::clock_t begin = std::clock();
    const Seconds makespan = executor.run(job.graph, job.costs, sink, {});
    const double seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
    std::fprintf(out, "%.6f %.17g\n", seconds, makespan.value());
  });
}

void keep_best(Measured& best, const Measured& measured) {
  if (measured.seconds < best.seconds)
    best = measured;
}

} // namespace

int main(int argc, char** argv) {
  std::map<std::string, std::string> options{
      {"--gpus", "512"}, {"--execs", "589824"}, {"--comms", "589824"}, {"--repeat", "3"}};
  for (int i = 1; i + 1 < argc; i += 2)
    options[argv[i]] = argv[i + 1];
  const ChainShape shape = ChainShape::of(static_cast<std::uint32_t>(std::stoul(options["--gpus"])),
                                          std::stoull(options["--execs"]), std::stoull(options["--comms"]));
  const Job job = JobBuilder(shape).build();
  const std::string program = argv[0];
  const std::string floor_command = program.substr(0, program.rfind('/') + 1) + "simgrid_floor --gpus " +
                                    options["--gpus"] + " --execs " + options["--execs"] + " --comms " +
                                    options["--comms"] + " 2>/dev/null --computes ";
  execution::SimGridExecutor fluid_executor(execution::Network::Fluid);
  execution::SimGridExecutor analytic_executor(execution::Network::Analytic);
  execution::IdealExecutor ideal_executor;
  Measured floor, timer_floor, fluid, analytic, ideal;
  for (int i = 0; i < std::stoi(options["--repeat"]); ++i) {
    keep_best(floor, run_floor(floor_command + "exec"));
    keep_best(timer_floor, run_floor(floor_command + "timer"));
    keep_best(fluid, run_executor(fluid_executor, job));
    keep_best(analytic, run_executor(analytic_executor, job));
    keep_best(ideal, run_executor(ideal_executor, job));
  }
  const double activities = static_cast<double>(shape.computes() + shape.flows());
  std::printf("%u GPUs, %zu compute tasks, %zu flows, best of %s\n", shape.gpus, shape.computes(), shape.flows(),
              options["--repeat"].c_str());
  const auto row = [&](const char* name, const Measured& measured) {
    std::printf("%-22s %7.3f s %11.0f activities/s %6.2f x floor, simulated %.9f s\n", name, measured.seconds,
                activities / measured.seconds, measured.seconds / floor.seconds, measured.simulated);
  };
  row("floor (Exec, Comm)", floor);
  row("floor (timer, Comm)", timer_floor);
  row("executor, fluid", fluid);
  row("executor, analytic", analytic);
  row("executor, ideal", ideal);
  if (std::abs(fluid.simulated - floor.simulated) > 1e-9 * floor.simulated) {
    std::fprintf(stderr, "the executor and the floor did not run the same job\n");
    return 1;
  }
  return 0;
}
