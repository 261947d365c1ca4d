#include "simulator/record/sweep_table.hpp"

#include <cmath>
#include <fstream>
#include <limits>

#include <gtest/gtest.h>

#include "simulator/record/result_file.hpp"
#include "tests/record/temporary_folder.hpp"

namespace moesim::record {
namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();

SweepTable sample() {
  SweepTable table;
  table.name = "two points";
  table.scenario = {"a.yaml", "b.yaml"};
  table.status = {"done", "invalid"};
  table.reason = {"", "tp: 3 is \"odd\", use 4"};
  table.fields = {"parallel.tp", "training.overlap"};
  table.settings = {{"2", "3"}, {"{pp: true, dp: true}", ""}};
  table.figures = {"iteration_time_s", "fits"};
  table.values = {{0.1, none}, {1, none}};
  return table;
}

TEST(SweepTable, AsCsv) {
  EXPECT_EQ(to_csv(sample()), "point,scenario,parallel.tp,training.overlap,status,reason,iteration_time_s,fits\n"
                              "0,a.yaml,2,\"{pp: true, dp: true}\",done,,0.1,1\n"
                              "1,b.yaml,3,,invalid,\"tp: 3 is \"\"odd\"\", use 4\",,\n");
}

TEST(SweepTable, ComesBackFromItsFile) {
  const testing::TemporaryFolder folder;
  const SweepTable table = sample();
  write(table, folder / "sweep.h5");
  SweepTable back = read_sweep_table(folder / "sweep.h5");
  ASSERT_EQ(back.values.size(), 2U);
  for (std::vector<double>& values : back.values) { // NaN is not equal to itself
    EXPECT_TRUE(std::isnan(values[1]));
    values[1] = 0;
  }
  SweepTable expected = table;
  expected.values = {{0.1, 0}, {1, 0}};
  EXPECT_EQ(back, expected);
}

TEST(SweepTable, RefusesOtherFiles) {
  const testing::TemporaryFolder folder;
  std::ofstream(folder / "text.h5") << "no HDF5";
  EXPECT_THROW((void)read_sweep_table(folder / "text.h5"), ResultFileError);
  EXPECT_THROW((void)read_sweep_table(folder / "missing.h5"), ResultFileError);
}

TEST(SweepTable, UnitsFollowTheNamesOfFigures) {
  EXPECT_EQ(figure_unit("iteration_time_s"), "s");
  EXPECT_EQ(figure_unit("tokens_per_s"), "tokens/s");
  EXPECT_EQ(figure_unit("output_tokens_per_s"), "tokens/s");
  EXPECT_EQ(figure_unit("tokens_per_s_per_gpu"), "tokens/s");
  EXPECT_EQ(figure_unit("model_tflops_per_gpu"), "TFLOP/s");
  EXPECT_EQ(figure_unit("peak_memory_bytes"), "bytes");
  EXPECT_EQ(figure_unit("mfu"), "1");
}

} // namespace
} // namespace moesim::record
