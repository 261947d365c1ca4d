#include "simulator/claims/field.hpp"

#include <array>

namespace moesim::claims {

std::span<const FieldWords> fields() {
  constexpr Unit plain{"", 1};
  constexpr Unit gigabytes_per_s{"GB/s", 1e9};
  static constexpr std::array words{
      FieldWords{Field::Gpus, "gpus", plain, "ranks of the job"},
      FieldWords{Field::Tp, "tp", plain, "degree of tensor parallelism"},
      FieldWords{Field::Cp, "cp", plain, "degree of context parallelism"},
      FieldWords{Field::Pp, "pp", plain, "pipeline stages"},
      FieldWords{Field::Ep, "ep", plain, "degree of expert parallelism"},
      FieldWords{Field::Etp, "etp", plain, "degree of tensor parallelism inside an expert"},
      FieldWords{Field::Dp, "dp", plain, "replicas of attention and dense parts"},
      FieldWords{Field::Edp, "edp", plain, "replicas of each expert"},
      FieldWords{Field::Layers, "layers", plain, "of the model"},
      FieldWords{Field::Heads, "heads", plain, "query heads of a layer"},
      FieldWords{Field::HeadDim, "head_dim", plain, "size of a head"},
      FieldWords{Field::HiddenSize, "hidden_size", plain, "size of a token"},
      FieldWords{Field::ExpertSize, "expert_size", plain, "intermediate size of an expert"},
      FieldWords{Field::Experts, "experts", plain, "routed experts of a layer; 0 without"},
      FieldWords{Field::ExpertsPerToken, "experts_per_token", plain, "top-k; 0 without experts"},
      FieldWords{Field::VocabSize, "vocab_size", plain, "entries of the vocabulary"},
      FieldWords{Field::Parameters, "parameters", plain, "of the model, counted from its dimensions"},
      FieldWords{Field::ActiveParameters, "active_parameters", plain, "that one token meets"},
      FieldWords{Field::BatchSize, "batch_size", plain, "sequences of an iteration or a batch, over all GPUs"},
      FieldWords{Field::MicroBatchSize, "micro_batch_size", plain, "sequences of a forward pass"},
      FieldWords{Field::MicroBatches, "micro_batches", plain, "of a replica"},
      FieldWords{Field::SeqLength, "seq_length", plain, "tokens of a sequence, or of a prompt"},
      FieldWords{Field::FlopsPerToken,
                 "flops_per_token",
                 {"GFLOP", 1e9},
                 "matrix products, forward and backward in training; of a prompt and its outputs forward"},
      FieldWords{Field::ElementSize, "element_size", {"B", 1}, "bytes of a weight"},
      FieldWords{Field::GpuFlops, "gpu_flops", {"TFLOP/s", 1e12}, "peak of a GPU at the scenario's precision"},
      FieldWords{Field::GpuBandwidth, "gpu_bandwidth", gigabytes_per_s, "of a GPU's memory, data sheet"},
      FieldWords{Field::GpuMemory, "gpu_memory", {"GB", 1e9}, "of a GPU, data sheet"},
      FieldWords{Field::NvlinkBandwidth, "nvlink_bandwidth", gigabytes_per_s, "of a GPU, per direction"},
      FieldWords{Field::NicBandwidth, "nic_bandwidth", gigabytes_per_s, "of a NIC, per direction"},
  };
  return words;
}

} // namespace moesim::claims
