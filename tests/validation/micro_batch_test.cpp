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

// What is assumed of a run of 16 sequences on two GPUs, in a process of its own, as SimGrid wants it.
std::string assumed(const std::string& config, const std::string& model = "tiny") {
  const Vocabulary vocabulary = read_vocabulary();
  const Question question = training_question(entry_of("DGX H100",
                                                       "  config: {task: pretrain, model: " + model +
                                                           ", num_gpus: 2, precision: BF16, global_batch_size: 16, " +
                                                           config + "}\n  measured: {step_time_s: 2.0}\n",
                                                       "README of Megatron-Core r0.8.0"),
                                              Aliases(MOESIM_TEST_DIR "/aliases.yaml"), vocabulary);
  const std::vector<pool::Work> works{
      [&] { return fmt::format("{}", fmt::join(question.answer().assumptions, "; ")); }};
  return pool::run_all(works).at(0).value;
}

// Without a pipeline all sequences at once where memory allows, and a part of longer ones.
TEST(MicroBatch, WhatIsLeftOpenIsTheLargestThatFits) {
  EXPECT_THAT(assumed("tensor_model_parallel_size: 2, pipeline_model_parallel_size: 1, seq_length: 1024"),
              HasSubstr("micro_batch_size: 16, the largest that fits into memory"));
  EXPECT_THAT(assumed("tensor_model_parallel_size: 2, pipeline_model_parallel_size: 1, seq_length: 65536"),
              HasSubstr("micro_batch_size: 4, the largest that fits into memory"));
}

TEST(MicroBatch, NothingIsAssumedOfWhatTheEntrySays) {
  EXPECT_THAT(
      assumed("tensor_model_parallel_size: 2, pipeline_model_parallel_size: 1, seq_length: 1024, micro_batch_size: 2"),
      Not(HasSubstr("micro_batch_size")));
}

// One replica of two ranks, which share each sequence, has all 16.
TEST(MicroBatch, RanksThatShareASequenceAreOneReplica) {
  for (const char* shared : {"context_parallel_size: 2", "extra: {attention_sequence_parallel_ulysses_size: 2}"})
    EXPECT_THAT(
        assumed(std::string("tensor_model_parallel_size: 1, pipeline_model_parallel_size: 1, seq_length: 1024, ") +
                shared),
        HasSubstr("micro_batch_size: 16, the largest that fits into memory"));
}

// Where degrees are searched for, too, one sequence at a time is taken, which is said.
TEST(MicroBatch, WithOpenDegreesItIsOneSequence) {
  EXPECT_THAT(
      assumed("tensor_model_parallel_size: 1, pipeline_model_parallel_size: 1, seq_length: 1024", "tiny mixture"),
      HasSubstr("micro_batch_size: 1;"));
}

} // namespace
} // namespace moesim::validation
