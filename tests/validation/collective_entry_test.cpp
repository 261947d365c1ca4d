// Collectives that were measured alone.
#include <gtest/gtest.h>

#include "simulator/run/lone_collective.hpp"
#include "simulator/validation/collective_entry.hpp"
#include "simulator/validation/system.hpp"
#include "tests/validation/entry_text.hpp"

namespace moesim::validation {
namespace {

const Vocabulary vocabulary = read_vocabulary();

// What `moesim collective` says.
Seconds alone(graph::Kind kind, double size, std::uint32_t ranks, const platforms::Cluster& cluster) {
  return run::times_alone({.kind = kind, .group = ranks, .sizes = {Bytes(size)}, .fidelity = cost::Fidelity::Analytic},
                          cluster)
      .at(0)
      .time;
}

TEST(CollectiveEntry, RowsArePredictedInTheirOwnUnits) {
  const Entry entry =
      entry_of("2 nodes x 8 H100", "  config: {collective: all_reduce, library: NCCL, num_gpus: 16, num_nodes: 2}\n"
                                   "  measured:\n"
                                   "    columns: [size_bytes, oop_time_us, busbw_GBps]\n"
                                   "    points: [[1048576, 200.0, 9.8], [1024, 30, 0.1]]\n");
  const Question question = collective_question(entry, vocabulary);
  ASSERT_EQ(question.measurements.size(), 2U); // of a time and a bandwidth the time
  EXPECT_EQ(question.measurements[0].id, "it#0");
  EXPECT_EQ(question.measurements[0].quantity, "oop_time_us");
  EXPECT_EQ(question.measurements[0].value, 200.0);
  EXPECT_EQ(question.measurements[0].labels.size_class, "1 MiB and more");
  EXPECT_EQ(question.measurements[1].labels.size_class, "below 1 MiB");
  const platforms::Cluster cluster = cluster_of(system_of(entry, 16, vocabulary));
  const Answer answer = question.answer();
  EXPECT_NEAR(answer.predictions[0].value, alone(graph::Kind::AllReduce, 1048576, 16, cluster).value() * 1e6, 1e-6);
  EXPECT_NEAR(answer.predictions[1].value, alone(graph::Kind::AllReduce, 1024, 16, cluster).value() * 1e6, 1e-6);
}

// busbw = size / time x 2 (n - 1) / n: NVIDIA/nccl-tests, doc/PERFORMANCE.md.
TEST(CollectiveEntry, BandwidthsAreBusBandwidths) {
  const Entry entry = entry_of(
      "8x H100",
      "  config: {collective: all_reduce, library: NCCL, num_gpus: null, num_nodes: 1, extra: {size_bytes: 1000000}}\n"
      "  measured: {columns: [num_gpus, busbw_GBps], points: [[4, 300], [8, 400], [6, 0.0]]}\n");
  const Question question = collective_question(entry, vocabulary);
  ASSERT_EQ(question.measurements.size(), 2U);
  ASSERT_EQ(question.left_out.size(), 1U); // 0 is what was rounded away
  EXPECT_EQ(question.left_out[0].id, "it#2");
  EXPECT_EQ(question.left_out[0].reason, "busbw_GBps is printed as 0.0");
  const platforms::Cluster cluster = cluster_of(system_of(entry, 8, vocabulary));
  const Seconds time = alone(graph::Kind::AllReduce, 1e6, 4, cluster);
  EXPECT_NEAR(question.answer().predictions[0].value, 1e6 / time.value() * 2 * 3 / 4 / 1e9, 1e-9);
}

// Of 8 experts on 4 places 2 drawn: both in one place with probability 1/7, so that a token goes to 2 - 1/7 of them.
TEST(CollectiveEntry, TokensGoToAsManyPlacesAsTheirExpertsAreOn) {
  EXPECT_NEAR(places_of_token(4, 8, 2), 2 - 1.0 / 7, 1e-12);
  EXPECT_NEAR(places_of_token(8, 8, 3), 3, 1e-12);
  EXPECT_NEAR(places_of_token(1, 8, 3), 1, 1e-12);
  EXPECT_NEAR(places_of_token(2, 8, 5), 2, 1e-12); // five of them are not on one of two
}

std::string reason(const std::string& config) {
  try {
    static_cast<void>(collective_question(
        entry_of("8x H100", "  config: {" + config + "}\n  measured: {columns: [time_us], points: [[10.0]]}\n"),
        vocabulary));
  } catch (const Unpredictable& error) {
    return error.what();
  }
  return "";
}

TEST(CollectiveEntry, SaysWhatCannotBePredicted) {
  EXPECT_EQ(reason("collective: sing, num_gpus: 8"), "no rule knows which collective 'sing' is");
  EXPECT_EQ(reason("collective: all_reduce, num_gpus: 8"), "size_bytes is not given");
  EXPECT_EQ(reason("collective: all_reduce, size_bytes: 8"), "num_gpus is not given");
  EXPECT_EQ(reason("collective: all_reduce, size_bytes: 8, num_gpus: 1"), "1 ranks are no group");
  EXPECT_EQ(reason("collective: moe_dispatch, num_gpus: 8, topk: 2"), "hidden_size is not given");
}

} // namespace
} // namespace moesim::validation
