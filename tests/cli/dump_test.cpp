// `moesim dump`: whole texts.
#include <algorithm>

#include <gtest/gtest.h>

#include "tests/cli/command.hpp"
#include "tests/cli/golden.hpp"

namespace moesim::testing {
namespace {

// Dumps twice, so that a difference between two runs shows, too.
std::string dump(const std::string& what) {
  const Workplace place;
  place.write("small.yaml", small_scenario());
  const Outcome first = place.run({"dump", what, "small.yaml"});
  const Outcome second = place.run({"dump", what, "small.yaml"});
  EXPECT_EQ(first.status, 0);
  EXPECT_EQ(first.err, "");
  EXPECT_EQ(first.out, second.out);
  return first.out;
}

std::size_t line_count(std::string_view text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

TEST(Dump, Graph) {
  const std::string graph = dump("graph");
  // One line per task, numbered from 0 in order.
  std::size_t from = 0;
  for (std::size_t task = 0; task < line_count(graph); ++task) {
    EXPECT_EQ(graph.compare(from, std::to_string(task).size() + 1, std::to_string(task) + " "), 0) << task;
    from = graph.find('\n', from) + 1;
  }
  expect_golden_text("small.graph.txt", graph);
}

TEST(Dump, Layout) {
  expect_golden_text("small.layout.txt", dump("layout"));
}

TEST(Dump, Classes) {
  EXPECT_EQ(dump("classes"), "split by pipeline stage: 2 classes\n"
                             "class 0 stage=0 ranks=4 representative=0\n"
                             "class 1 stage=1 ranks=4 representative=4\n");
  const Workplace place;
  place.write("small.yaml", small_scenario());
  const Outcome off = place.run({"dump", "classes", "small.yaml", "--set", "simulation.symmetry=off"});
  EXPECT_EQ(line_count(off.out), 8U);
}

TEST(Dump, Schedule) {
  expect_golden_text("small.schedule.txt", dump("schedule"));
}

// 2 layers, 2 micro-batches of 256 tokens, 4 experts, of which a token meets 2.
TEST(Dump, Routing) {
  const std::string csv = dump("routing");
  EXPECT_EQ(csv.substr(0, csv.find("\n0,0,0,3")), "iteration,layer,micro_batch,expert,tokens\n"
                                                  "0,0,0,0,128\n0,0,0,1,128\n0,0,0,2,128");
  EXPECT_EQ(line_count(csv), 1U + 2 * 2 * 4);
}

// What is stored, as a table or as HDF5, is replayed.
TEST(Dump, RoutingIsATrace) {
  const Workplace place;
  place.write("small.yaml", small_scenario());
  const std::string zipf = "moe={routing: {type: zipf, exponent: 1, drift: 0.3, sampled: true}, iteration: 2}";
  const std::string wanted = place.run({"dump", "routing", "small.yaml", "--set", zipf}).out;
  EXPECT_EQ(line_count(wanted), 1U + 3 * 2 * 2 * 4);
  for (const std::string file : {"loads.csv", "loads.h5"}) {
    const Outcome stored = place.run({"dump", "routing", "small.yaml", "--set", zipf, "-o", file});
    EXPECT_EQ(stored.out, "wrote " + file + "\n") << stored.err;
    const std::string trace = "moe={routing: {type: trace, file: " + file + "}, iteration: 2}";
    EXPECT_EQ(place.run({"dump", "routing", "small.yaml", "--set", trace}).out, wanted) << file;
  }
  EXPECT_EQ(read_all(place.path() / "loads.csv"), wanted);
  const Outcome other = place.run({"dump", "routing", "small.yaml", "-o", "loads.txt"});
  EXPECT_EQ(other.status, 2);
  EXPECT_NE(other.err.find("'loads.txt' ends neither in .csv nor in .h5"), std::string::npos) << other.err;
}

TEST(Dump, Platform) {
  expect_golden_text("small.platform.txt", dump("platform"));
}

TEST(Dump, HeedsSet) {
  const Workplace place;
  place.write("small.yaml", small_scenario());
  const Outcome outcome = place.run({"dump", "schedule", "small.yaml", "--set", "training.global_batch_size=6"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.out, "stage 0: F0 F1 B0 F2 B1 B2\nstage 1: F0 B0 F1 B1 F2 B2\n");
}

// Both nodes in one leaf: 8 NICs of 45.75 GB/s over 2.
TEST(Dump, PlatformShowsTheTrunksAfterTheGpus) {
  const Workplace place;
  place.write("small.yaml", small_scenario());
  const std::string fabric = "platform.fabric={type: fat-tree, nodes_per_leaf: 2, oversubscription: 2}";
  const Outcome outcome = place.run({"dump", "platform", "small.yaml", "--set", fabric});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_TRUE(outcome.out.starts_with("cluster dgx-h100 nodes=2 gpus_per_node=4 fabric=fat-tree nodes_per_leaf=2 "
                                      "oversubscription=2 collective_latency="))
      << outcome.out;
  EXPECT_TRUE(outcome.out.ends_with("node1.nic3.down bandwidth=48 GB/s\nleaf0 nodes=0-1\n"
                                    "leaf0.up bandwidth=192 GB/s\nleaf0.down bandwidth=192 GB/s\n"))
      << outcome.out;
}

TEST(Dump, DrawsThePlatform) {
  const Workplace place;
  place.write("small.yaml", small_scenario());
  const Outcome outcome = place.run({"dump", "platform", "small.yaml", "-o", "platform.svg"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "");
  const std::string picture = read_all(place.path() / "platform.svg");
  EXPECT_TRUE(picture.starts_with("<?xml")) << picture.substr(0, 100);
  EXPECT_NE(picture.find("dgx-h100: 2 nodes of 4"), std::string::npos);
}

TEST(Dump, DrawsPlatformsOnlyAndAsSvgOnly) {
  const Workplace place;
  place.write("small.yaml", small_scenario());
  const Outcome layout = place.run({"dump", "layout", "small.yaml", "-o", "layout.svg"});
  EXPECT_EQ(layout.status, 2);
  EXPECT_NE(layout.err.find("draws a platform or stores routing; layout is only printed"), std::string::npos)
      << layout.err;
  const Outcome png = place.run({"dump", "platform", "small.yaml", "-o", "platform.png"});
  EXPECT_EQ(png.status, 2);
  EXPECT_NE(png.err.find("'platform.png' does not end in .svg"), std::string::npos) << png.err;
}

} // namespace
} // namespace moesim::testing
