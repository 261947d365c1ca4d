#include "simulator/claims/quantity.hpp"

#include <array>

namespace moesim::claims {

double tolerance_of(Accuracy accuracy) {
  return accuracy == Accuracy::Timing ? 0.2 : accuracy == Accuracy::Memory ? 0.1 : 0;
}

std::span<const Quantity> quantities() {
  using enum Accuracy;
  static constexpr std::array all{
      Quantity{"count", Measure::Count, NotSimulated, "of modules, experts, layers, degrees, dimensions, GPUs"},
      Quantity{"parameters", Measure::Parameters, NotSimulated, "of a model or of a part of it"},
      Quantity{"share", Measure::Share, NotSimulated, "any part of a whole"},
      Quantity{"factor", Measure::Factor, NotSimulated, "how many times as much"},
      Quantity{"time", Measure::Time, NotSimulated, "any time"},
      Quantity{"size", Measure::Size, NotSimulated, "of a message, of traffic, of a part of memory"},
      Quantity{"token_rate", Measure::TokenRate, NotSimulated, "any rate of tokens"},
      Quantity{"sequence_rate", Measure::SequenceRate, NotSimulated, "any rate of sequences"},
      Quantity{"flops", Measure::Flops, NotSimulated, "of a token, a batch, an operator"},
      Quantity{"flops_rate", Measure::FlopsRate, NotSimulated, "any rate of FLOPs"},
      Quantity{"bandwidth", Measure::Bandwidth, NotSimulated, "of memory or network, or traffic over time"},
      Quantity{"gpus", Measure::Count, Exact, "ranks of the job"},
      Quantity{"iteration_time", Measure::Time, Timing, "one training iteration, or one batch of inference"},
      Quantity{"ttft", Measure::Time, Timing, "until a sequence's first token, mean over sequences"},
      Quantity{"tpot", Measure::Time, Timing, "from one output token to the next"},
      Quantity{"compute_time", Measure::Time, Timing, "of an iteration, an average GPU computes"},
      Quantity{"communication_time", Measure::Time, Timing, "of an iteration, it communicates and does not compute"},
      Quantity{"attention_time", Measure::Time, Timing, "attention of the first stage, one micro-batch forward"},
      Quantity{"expert_time", Measure::Time, Timing, "experts of the first stage, one micro-batch forward"},
      Quantity{"routing_time", Measure::Time, Timing,
               "dispatch and combine of the first stage, one micro-batch forward"},
      Quantity{"tokens_per_s", Measure::TokenRate, Timing, "of the whole job, prompts and outputs"},
      Quantity{"tokens_per_s_per_gpu", Measure::TokenRate, Timing, "the same over its GPUs"},
      Quantity{"sequences_per_s", Measure::SequenceRate, Timing, "of the whole job"},
      Quantity{"memory", Measure::Size, Memory, "of the fullest GPU at its fullest moment"},
      Quantity{"memory_weights", Measure::Size, Memory, "of it, weights"},
      Quantity{"memory_gradients", Measure::Size, Memory, "of it, gradients"},
      Quantity{"memory_optimizer", Measure::Size, Memory, "of it, the optimizer's state"},
      Quantity{"memory_activations", Measure::Size, Memory, "of it, activations"},
      Quantity{"memory_communication", Measure::Size, Memory, "of it, buffers of communication and workspace"},
      Quantity{"memory_share", Measure::Share, Memory, "memory over the GPU's"},
      Quantity{"mfu", Measure::Share, Timing, "model FLOPs over the GPUs' peak"},
      Quantity{"recomputed_share", Measure::Share, Exact, "FLOPs that are computed again, over model FLOPs"},
      Quantity{"compute_share", Measure::Share, Timing, "of an iteration, the time that an average GPU computes"},
      Quantity{"memory_bandwidth_share", Measure::Share, Timing, "bytes that kernels move over what memory could"},
      Quantity{"bubble_share", Measure::Share, Timing, "of an iteration, the time that an average GPU waits"},
      Quantity{"communication_share", Measure::Share, Timing, "communication_time over the iteration"},
      Quantity{"communication_per_compute", Measure::Share, Timing, "communication_time over compute_time"},
      Quantity{"hidden_communication", Measure::Share, Timing, "of the time that a GPU communicates, it computes, too"},
      Quantity{"stage_imbalance", Measure::Share, Timing, "compute of the slowest stage over the mean, less 1"},
      Quantity{"expert_imbalance", Measure::Share, Exact, "tokens of the busiest expert over the mean, less 1"},
  };
  return all;
}

} // namespace moesim::claims
