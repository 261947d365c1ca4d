// `moesim experts`: a picture of a result file, and what it refuses.
#include <gmock/gmock.h>

#include "tests/cli/command.hpp"

namespace moesim::testing {
namespace {

using ::testing::HasSubstr;

TEST(Experts, DrawsLayersAndRanks) {
  const Workplace place;
  place.write("small.yaml", small_scenario());
  ASSERT_EQ(place.run({"run", "small.yaml", "-o", "run.h5"}).status, 0);
  const Outcome outcome = place.run({"experts", "run.h5", "-o", "out.svg"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.out, "wrote out.svg\n");
  const std::string picture = read_all(place.path() / "out.svg");
  EXPECT_THAT(picture, HasSubstr("Tokens of each of 4 experts, by layer"));
  EXPECT_THAT(picture, HasSubstr("layer 1"));
  EXPECT_THAT(picture, HasSubstr("work of each of 2 ranks"));
}

TEST(Experts, RefusesDenseModelsAndOtherFormats) {
  const Workplace place;
  place.write("small.yaml", small_scenario());
  ASSERT_EQ(place.run({"run", "small.yaml", "-o", "run.h5"}).status, 0);
  const Outcome format = place.run({"experts", "run.h5", "-o", "out.png"});
  EXPECT_EQ(format.status, 2);
  EXPECT_THAT(format.err, HasSubstr("'out.png' does not end in .svg"));

  place.write("dense.yaml", small_scenario({{"model_type: mixtral", "model_type: llama"},
                                            {"  num_local_experts: 4\n", ""},
                                            {"  num_experts_per_tok: 2\n", ""},
                                            {", ep: 2", ""}}));
  ASSERT_EQ(place.run({"run", "dense.yaml", "-o", "dense.h5"}).status, 0);
  const Outcome dense = place.run({"experts", "dense.h5", "-o", "out.svg"});
  EXPECT_EQ(dense.status, 2);
  EXPECT_EQ(dense.err, "dense.h5:1:1: the model of this run has no experts; expected a run of one that has\n");
}

} // namespace
} // namespace moesim::testing
