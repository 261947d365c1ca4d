#include "simulator/record/routing_file.hpp"

#include <fstream>

#include <gmock/gmock.h>

#include "simulator/record/result_file.hpp"
#include "tests/record/sample_record.hpp"
#include "tests/record/temporary_folder.hpp"

namespace moesim::record {
namespace {

using workloads::RoutingTrace;

RoutingTrace sample_trace() {
  return {.iterations = {0, 0, 1, 1},
          .layers = {3, 4, 3, 4},
          .micro_batches = {0, 0, 0, 0},
          .experts = 3,
          .tokens = {1, 2.5, 0, 1e9, 5, 6, 7, 8, 0.125, 0, 0, 9}};
}

TEST(RoutingFile, ComesBack) {
  const testing::TemporaryFolder folder;
  write(sample_trace(), folder / "loads.h5");
  EXPECT_EQ(read_routing_trace(folder / "loads.h5"), sample_trace());
}

TEST(RoutingFile, IsReadInOrder) {
  const testing::TemporaryFolder folder;
  RoutingTrace trace = sample_trace();
  trace.iterations = {1, 1, 0, 0};
  write(trace, folder / "loads.h5");
  const RoutingTrace back = read_routing_trace(folder / "loads.h5");
  EXPECT_EQ(back.iterations, sample_trace().iterations);
  EXPECT_THAT(back.tokens, ::testing::ElementsAre(7, 8, 0.125, 0, 0, 9, 1, 2.5, 0, 1e9, 5, 6));
}

TEST(RoutingFile, RefusesOtherFiles) {
  const testing::TemporaryFolder folder;
  std::ofstream(folder / "text.h5") << "no HDF5";
  EXPECT_THROW((void)read_routing_trace(folder / "text.h5"), ResultFileError);
  EXPECT_THROW((void)read_routing_trace(folder / "missing.h5"), ResultFileError);
  write(testing::sample_record(), folder / "run.h5");
  EXPECT_THROW((void)read_routing_trace(folder / "run.h5"), ResultFileError);
}

TEST(RoutingFile, RefusesColumnsOfDifferentLength) {
  const testing::TemporaryFolder folder;
  RoutingTrace trace = sample_trace();
  trace.iterations.pop_back();
  write(trace, folder / "loads.h5");
  EXPECT_THROW((void)read_routing_trace(folder / "loads.h5"), ResultFileError);
}

} // namespace
} // namespace moesim::record
