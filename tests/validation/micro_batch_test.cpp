// Which micro-batch is assumed.
#include "simulator/validation/micro_batch.hpp"

#include <fmt/ranges.h>
#include <gmock/gmock.h>

#include "simulator/pool/process_pool.hpp"
#include "simulator/validation/training_entry.hpp"
#include "tests/validation/entry_text.hpp"

namespace moesim::validation {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// What is assumed of a run of one replica and 16 sequences, in a process of its own, as SimGrid wants it.
std::string assumed(const std::string& config) {
  const Vocabulary vocabulary = read_vocabulary();
  const Question question =
      training_question(entry_of("DGX H100",
                                 "  config: {task: pretrain, model: tiny, num_gpus: 2, precision: BF16, "
                                 "global_batch_size: 16, tensor_model_parallel_size: 2, " +
                                     config + "}\n  measured: {step_time_s: 2.0}\n",
                                 "README of Megatron-Core r0.8.0"),
                        Aliases(MOESIM_TEST_DIR "/aliases.yaml"), vocabulary);
  const std::vector<pool::Work> works{
      [&] { return fmt::format("{}", fmt::join(question.answer().assumptions, "; ")); }};
  return pool::run_all(works).at(0).value;
}

// Without a pipeline all sequences at once where memory allows, and a part of longer ones.
TEST(MicroBatch, WhatIsLeftOpenIsTheLargestThatFits) {
  EXPECT_THAT(assumed("pipeline_model_parallel_size: 1, seq_length: 1024"),
              HasSubstr("micro_batch_size: 16, the largest that fits into memory"));
  EXPECT_THAT(assumed("pipeline_model_parallel_size: 1, seq_length: 65536"),
              HasSubstr("micro_batch_size: 4, the largest that fits into memory"));
}

TEST(MicroBatch, NothingIsAssumedOfWhatTheEntrySays) {
  EXPECT_THAT(assumed("pipeline_model_parallel_size: 1, seq_length: 1024, micro_batch_size: 2"),
              Not(HasSubstr("micro_batch_size")));
}

} // namespace
} // namespace moesim::validation
