// Memory follows the flows under way, not the size of the graph.
#include <sys/resource.h>

#include <gtest/gtest.h>

#include "simulator/execution/simgrid_executor.hpp"
#include "tests/execution/small_job.hpp"

namespace moesim::execution {
namespace {

double peak_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return 1024.0 * static_cast<double>(usage.ru_maxrss);
}

class Forgetful : public RunSink {
public:
  void task_ran(TaskId, Seconds, Seconds) override {}
  void flow_ran(const Flow&, Seconds, Seconds) override { ++flows; }
  std::size_t flows = 0;
};

TEST(Memory, FollowsTheFlowsUnderWay) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "AddressSanitizer keeps freed memory";
#endif
  constexpr TaskIndex tasks = 200000;
  SmallJob job(2);
  job.communicate(1e-6, {over({0, 1}, Bytes(1000))});
  for (TaskIndex task = 1; task < tasks; ++task)
    job.communicate(1e-6, {over({0, 1}, Bytes(1000))}, {task - 1});
  const graph::TaskGraph graph = job.graph();
  Forgetful sink;

  const double before = peak_bytes();
  SimGridExecutor().run(graph, job.costs, sink);

  EXPECT_EQ(sink.flows, tasks);
  EXPECT_LT((peak_bytes() - before) / tasks, 150) << "bytes per task; a live SimGrid communication takes about 1500";
}

} // namespace
} // namespace moesim::execution
