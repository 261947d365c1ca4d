// Which candidates a search has: all that are valid, each once, and each what its settings say.
#include <algorithm>
#include <set>

#include <gmock/gmock.h>

#include "simulator/base/input_error.hpp"
#include "simulator/screen/screen.hpp"
#include "tests/search/searched.hpp"

namespace moesim::search {
namespace {

// Everything that can be told apart, by the scenario's own words for it.
std::set<std::string> resolved(const Space& space) {
  std::set<std::string> all;
  for (const Candidate candidate : candidates_of(space))
    all.insert(scenario::resolved_yaml(scenario::load(space.subject().file, space.assignments(candidate))));
  return all;
}

TEST(SearchSpace, EveryLayoutUsesAllGpusAndOneBatch) {
  const Searched searched;
  for (const std::int64_t gpus : {2, 4, 8, 16}) {
    const Space space = searched.space({}, gpus);
    EXPECT_FALSE(space.layouts().empty());
    for (const Layout& layout : space.layouts()) {
      EXPECT_EQ(layout.sizes.world(), gpus);
      EXPECT_EQ(layout.sizes.edp() * layout.sizes.ep * layout.sizes.etp * layout.sizes.pp, gpus);
      EXPECT_EQ(layout.batch_size % (layout.micro_batch_size * layout.sizes.dp), 0);
    }
  }
}

// Of 4 GPUs tp x cp x pp x dp is one of the ways to write 4 as a product of four factors. There are C(5, 3) = 10 of
// them, and 2 x dp x micro-batches x sequences = 8 asks nothing more of one that has a batch of 8 / dp sequences.
TEST(SearchSpace, HasEveryFactorisation) {
  const Searched searched;
  const Space space = searched.space(
      {"ep=1", "etp=1", "micro_batch_size=1", "schedule=1f1b", "recompute=none", "sharding=zero-1", "overlap={}"}, 4);
  EXPECT_EQ(space.layouts().size(), 10U);
  EXPECT_EQ(space.candidate_count(), 10U);
}

// Halves of a micro-batch that take turns in one candidate ask nothing of another.
TEST(SearchSpace, HasMicroBatchesOfOneBesideHalves) {
  const Searched searched(searched_inference);
  const Space space = searched.space({"two_batch=false,true"});
  for (const std::int64_t ep : {1, 2, 4})
    EXPECT_TRUE(std::ranges::any_of(space.layouts(), [&](const Layout& layout) {
      return layout.sizes.ep == ep && layout.micro_batch_size == 1;
    })) << ep;
}

// The same as load() accepts, found by asking it about every combination; what makes no difference is there once.
TEST(SearchSpace, HasWhatLoadAccepts) {
  const std::vector<std::string> axes{"tp=1,2",
                                      "cp=1",
                                      "pp=1,2",
                                      "ep=1,2",
                                      "etp=1",
                                      "micro_batch_size=1,2",
                                      "schedule=1f1b,dualpipe,interleaved-1f1b,zb-v",
                                      "recompute=none",
                                      "sharding=none,zero-2",
                                      "overlap={},{param_gather: true},{tp: true, expert: true}"};
  const Searched searched;
  const Space space = searched.space(axes);
  std::size_t accepted = 0;
  std::size_t without_effect = 0;
  const Axes& values = space.axes();
  for (const std::int64_t tp : values.tp)
    for (const std::int64_t pp : values.pp)
      for (const std::int64_t ep : values.ep)
        for (const std::int64_t micro_batch : values.micro_batch_size)
          for (const std::string& schedule : values.schedule)
            for (const std::int64_t vpp : {1, 2, 4})
              for (const auto& sharding : values.sharding)
                for (const auto& overlap : values.overlap) {
                  std::vector<std::string> all = space.subject().assignments;
                  const std::int64_t dp = 8 / (tp * pp);
                  all.insert(all.end(), {"parallel={tp: " + std::to_string(tp) + ", pp: " + std::to_string(pp) +
                                             ", ep: " + std::to_string(ep) + ", vpp: " + std::to_string(vpp) +
                                             ", dp: " + std::to_string(dp) + "}",
                                         "training.micro_batch_size=" + std::to_string(micro_batch),
                                         "training.schedule=" + schedule, "training.sharding=" + sharding.text,
                                         "training.overlap=" + overlap.text});
                  try {
                    static_cast<void>(scenario::load(space.subject().file, all));
                  } catch (const InputError&) {
                    continue;
                  }
                  const bool is_other_schedule = pp == 1 && schedule != "1f1b";
                  const bool overlaps_nothing = overlap.value.tp && tp == 1 && ep == 1;
                  ++(is_other_schedule || overlaps_nothing ? without_effect : accepted);
                }
  EXPECT_EQ(space.candidate_count(), accepted);
  EXPECT_GT(accepted, 50U);
  EXPECT_GT(without_effect, 0U);
}

TEST(SearchSpace, NoCandidateIsThereTwice) {
  const Searched searched;
  const Space space = searched.space({"tp=1,2", "cp=1", "micro_batch_size=1", "recompute=none", "sharding=zero-1"});
  EXPECT_EQ(resolved(space).size(), space.candidate_count());
}

// What is screened is what is simulated.
TEST(SearchSpace, SettingsLoadToTheSameJob) {
  const Searched searched;
  const Space space = searched.space({"cp=1", "etp=1", "recompute=none,full", "micro_batch_size=1,2"});
  screen::Screen screen(space.subject().scenario.cluster);
  const std::vector<Candidate> all = candidates_of(space);
  std::size_t looked_at = 0;
  for (std::size_t at = 0; at < all.size(); at += 37) {
    scenario::Scenario set = space.subject().scenario;
    space.set_layout(space.layout_of(all[at]), set);
    space.set_variant(all[at].variant, set);
    if (set.training_job().training.schedule == "zb-auto")
      continue; // ordered only when it is loaded
    const scenario::Scenario loaded = scenario::load(space.subject().file, space.assignments(all[at]));
    EXPECT_EQ(scenario::resolved_yaml(set), scenario::resolved_yaml(loaded));
    EXPECT_EQ(screen.lower_bound(set.training_job()), screen.lower_bound(loaded.training_job()));
    ++looked_at;
  }
  EXPECT_GT(looked_at, 50U);
}

// 4 layers on 3 stages: as even as they can be.
TEST(SearchSpace, SpreadsLayersThatDoNotDivide) {
  const Searched searched;
  const Space space = searched.space({"pp=3", "schedule=1f1b", "overlap={}", "recompute=none", "sharding=none"}, 12);
  ASSERT_FALSE(space.layouts().empty());
  EXPECT_THAT(space.assignments(candidates_of(space).front()),
              ::testing::Contains(::testing::HasSubstr("layers_per_stage: [2, 1, 1]")));
}

TEST(SearchSpace, HasLayoutsOfInference) {
  const Searched searched(searched_inference);
  const Space space = searched.space({});
  EXPECT_FALSE(space.layouts().empty());
  std::size_t overlapped = 0;
  for (const Candidate candidate : candidates_of(space)) {
    EXPECT_EQ(space.layout_of(candidate).sizes.cp, 1);
    overlapped += space.variant_of(candidate).overlap;
    static_cast<void>(scenario::load(space.subject().file, space.assignments(candidate)));
  }
  EXPECT_GT(overlapped, 0U);
}

} // namespace
} // namespace moesim::search
