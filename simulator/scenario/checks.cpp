#include "simulator/scenario/checks.hpp"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "simulator/base/divisors.hpp"
#include "simulator/base/format.hpp"
#include "workloads/iteration_size.hpp"
#include "workloads/pipeline_layout.hpp"
#include "workloads/rank_parameters.hpp"

namespace moesim::scenario {
namespace {

// Notes a problem when `degree` (field `key` of `at`) does not divide `whole`.
void must_divide(config::MapReader& at, std::string_view key, std::int64_t degree, std::int64_t whole,
                 std::string_view what) {
  if (whole % degree != 0)
    at.problem(
        key, fmt::format("{} does not divide the {} {}; use {}", degree, whole, what, nearest_divisors(whole, degree)));
}

void check_expert_precision(const Scenario& scenario, Sections at) {
  if (scenario.is_training())
    return;
  const auto precision = scenario.inference_job().inference.expert_precision;
  if (precision && !scenario.inference_job().model.moe)
    at.work.problem("expert_precision", "the model has no experts; leave it out");
  if (precision && !scenario.cluster.gpu.peak[static_cast<std::size_t>(*precision)])
    at.work.problem("expert_precision",
                    fmt::format("the GPU {} has no {} peak; use another precision or give "
                                "platform.gpu.peak.{}",
                                scenario.cluster.gpu.name, name_of(*precision), name_of(*precision)));
}

// Products in FP8 still leave attention and the head to BF16.
void check_precision(const Scenario& scenario, Sections at) {
  const Precision precision = scenario.precision();
  for (const Precision needed : {precision, precision_outside_products(precision)})
    if (!scenario.cluster.gpu.peak[static_cast<std::size_t>(needed)])
      return at.work.problem("precision", fmt::format("the GPU {} has no {} peak; use another precision or give "
                                                      "platform.gpu.peak.{}",
                                                      scenario.cluster.gpu.name, name_of(needed), name_of(needed)));
}

// Without a spine ranks reach other rails over the GPUs of their own node; one that no rank runs on passes nothing on.
void check_relays(const Scenario& scenario, Sections at) {
  const std::int64_t world = scenario.job().sizes.world();
  const std::int64_t node = scenario.cluster.gpus_per_node;
  if (scenario.cluster.fabric.rails == platforms::Rails::Apart && world > node && world % node != 0)
    at.parallel.problem("",
                        fmt::format("{} ranks leave {} GPUs of node {} idle, over which the others of the node would "
                                    "reach other rails; on a rail-only fabric, expected a multiple of {}, such as "
                                    "{} or {}",
                                    world, node - world % node, world / node, node, world / node * node,
                                    (world / node + 1) * node));
}

} // namespace

void check_world(const Scenario& scenario, Sections at) {
  const workloads::ParallelSizes& sizes = scenario.job().sizes;
  const std::int64_t gpus = scenario.cluster.gpu_count();
  if (sizes.world() > gpus)
    at.parallel.problem(
        "", fmt::format("tp x cp x dp x pp = {} x {} x {} x {} = {} ranks, but the cluster has {} GPUs; "
                        "lower a degree or raise platform.nodes to {}",
                        sizes.tp, sizes.cp, sizes.dp, sizes.pp, sizes.world(), gpus,
                        (sizes.world() + scenario.cluster.gpus_per_node - 1) / scenario.cluster.gpus_per_node));
  else if (sizes.world() > most_ranks)
    at.parallel.problem(
        "", fmt::format("{} ranks are more than one run takes; expected at most {}", sizes.world(), most_ranks));
  check_relays(scenario, at);
  for (const auto& [field, message] : workloads::Layout::problems(sizes, scenario.rank_order))
    at.parallel.problem(field, message);
  check_precision(scenario, at);
  check_expert_precision(scenario, at);
}

namespace {

// Stages (with chunks, virtual stages) are equal unless the scenario lists them. The first has the embedding and the
// last the head; others need layers.
void check_stages(const workloads::Job& job, config::MapReader& parallel) {
  const std::int64_t layers = job.model.num_layers;
  const std::int64_t wanted = job.chunks().virtual_stages();
  const std::string name = wanted == job.sizes.pp ? "pp" : "pp x vpp";
  const std::vector<std::int64_t>& listed = job.layers_per_stage;
  if (listed.empty() && layers % wanted != 0)
    return parallel.problem("pp", fmt::format("{}{} does not divide the {} layers; use {}, or list layers_per_stage",
                                              wanted == job.sizes.pp ? "" : name + " = ", wanted, layers,
                                              nearest_divisors(layers, wanted)));
  const auto stages = static_cast<std::int64_t>(listed.size());
  const std::string_view key = parallel.has("layout") ? "layout" : "layers_per_stage";
  if (stages != 0 && stages != wanted)
    parallel.problem(key, fmt::format("{} {} stages, but {} is {}; {} as many", key == "layout" ? "has" : "lists",
                                      stages, name, wanted, key == "layout" ? "write" : "list"));
  for (std::int64_t stage = 1; stage + 1 < stages; ++stage)
    if (listed[static_cast<std::size_t>(stage)] == 0)
      parallel.problem(key,
                       fmt::format("stage {} holds nothing; only the first and the last may have 0 layers", stage));
  const std::int64_t sum = std::accumulate(listed.begin(), listed.end(), std::int64_t{0});
  if (stages == wanted && sum != layers)
    parallel.problem(key, fmt::format("the stages hold {} layers, but the model has {}; both must agree", sum, layers));
  if (key != "layout")
    return;
  const std::int64_t mtp_layers = workloads::read_pipeline_layout(parallel.text_or(key, "")).mtp_layers;
  if (mtp_layers != job.model.mtp_layers)
    parallel.problem(
        key, fmt::format("has {} m, but mtp_num_layers is {}; both must agree", mtp_layers, job.model.mtp_layers));
}

} // namespace

namespace {

// Each context-parallel rank has two slices of a sequence, one near its start and one near its end, so that all have
// equally much to attend to (Megatron Core); or all of it, for some of the heads.
void check_context(const workloads::TrainingJob& job, Sections at) {
  const std::int64_t cp = job.sizes.cp;
  if (cp == 1)
    return;
  if (job.training.seq_length % (2 * cp) != 0)
    at.parallel.problem(
        "cp", fmt::format("seq_length {} is not a multiple of 2 x cp = {}, and ranks have two slices "
                          "of a sequence each; use {}",
                          job.training.seq_length, 2 * cp,
                          job.training.seq_length % 2 == 0 ? nearest_divisors(job.training.seq_length / 2, cp) : "1"));
  const std::int64_t heads = job.model.num_heads / std::max<std::int64_t>(1, job.sizes.tp);
  if (job.training.cp_comm_type == workloads::CpCommType::A2a) {
    must_divide(at.parallel, "cp", cp, heads, "attention heads of a rank, which cp_comm_type a2a splits");
    // Transformer Engine asserts it of both (context_parallel.py). Latents are expanded to keys of every head.
    const std::int64_t kv_heads = std::max<std::int64_t>(1, job.model.num_kv_heads / job.sizes.tp);
    if (!job.model.mla && heads % cp == 0)
      must_divide(at.parallel, "cp", cp, kv_heads, "key-value heads of a rank, which cp_comm_type a2a splits, too");
  }
  if (job.training.attention_backend == workloads::AttentionBackend::Unfused)
    at.parallel.problem("cp", "context parallelism needs attention_backend: flash (as in Megatron Core); use 1");
}

// Without sequence parallelism the ranks of a tensor-parallel group have the same tokens, and each tells by itself
// which of them its experts take: in a forward pass, where these ranks have all experts among them.
void check_replicated_tokens(const Scenario& scenario, config::MapReader& parallel) {
  const workloads::Job& job = scenario.job();
  if (!job.model.moe || job.sizes.tp == 1 || job.sequence_parallel)
    return;
  if (scenario.is_training())
    parallel.problem("sequence_parallel", "experts behind tensor parallelism need it (as in Megatron Core); use true");
  else if (job.sizes.ep * job.sizes.etp != job.sizes.tp)
    parallel.problem(
        "sequence_parallel",
        fmt::format("without it tokens do not travel, and the tp = {} ranks that have them need all experts "
                    "among them; use true, or ep x etp = {} instead of {}",
                    job.sizes.tp, job.sizes.tp, job.sizes.ep * job.sizes.etp));
}

void check_experts(const workloads::Job& job, config::MapReader& parallel) {
  if (!job.model.moe) {
    for (const auto& [key, degree] : {std::pair("ep", job.sizes.ep), std::pair("etp", job.sizes.etp)})
      if (degree > 1)
        parallel.problem(key, fmt::format("{} ranks for experts, but the model has none; use 1", degree));
    return;
  }
  const workloads::MoeSpec& moe = *job.model.moe;
  must_divide(parallel, "tp", job.sizes.tp, moe.shared_intermediate_size, "columns of the shared experts");
  must_divide(parallel, "ep", job.sizes.ep, moe.num_experts, "experts");
  must_divide(parallel, "etp", job.sizes.etp, moe.intermediate_size, "columns of an expert");
}

} // namespace

void check_model_splits(const Scenario& scenario, Sections at) {
  const workloads::Job& job = scenario.job();
  const workloads::ModelSpec& model = job.model;
  must_divide(at.parallel, "tp", job.sizes.tp, model.num_heads, "attention heads");
  if (model.num_kv_heads % job.sizes.tp != 0 && job.sizes.tp % model.num_kv_heads != 0)
    at.parallel.problem("tp",
                        fmt::format("{} key-value heads cannot be spread over {} ranks; one must divide the other",
                                    model.num_kv_heads, job.sizes.tp));
  if (model.layers_with_experts() < model.num_layers)
    must_divide(at.parallel, "tp", job.sizes.tp, model.intermediate_size, "columns of the MLP");
  if (scenario.is_training())
    check_context(scenario.training_job(), at);
  else if (job.sizes.cp > 1)
    at.parallel.problem("cp", "context parallelism is for training; use 1");
  check_stages(job, at.parallel);
  check_experts(job, at.parallel);
  check_replicated_tokens(scenario, at.parallel);
  if (scenario.is_training() && job.sequence_parallel) {
    const workloads::Training& training = scenario.training_job().training;
    const std::int64_t tokens = training.micro_batch_size * training.seq_length;
    if (const std::int64_t ranks = job.sizes.tp * job.sizes.cp; tokens % ranks != 0)
      at.parallel.problem("tp",
                          fmt::format("tp x cp = {} does not divide the {} tokens of a micro-batch, which sequence "
                                      "parallelism splits; use a product of {}",
                                      ranks, tokens, nearest_divisors(tokens, ranks)));
  }
}

void check_batch(const Scenario& scenario, Sections at) {
  const workloads::Training& training = scenario.training_job().training;
  const std::int64_t positions = scenario.job().model.learned_positions;
  if (positions > 0 && training.seq_length > positions)
    at.work.problem("seq_length", fmt::format("the model has learned {} positions; use at most as many, or give "
                                              "model.max_position_embeddings",
                                              positions));
  const std::int64_t unit = training.micro_batch_size * scenario.job().sizes.dp;
  if (training.global_batch_size % unit == 0)
    return;
  const std::int64_t below = training.global_batch_size / unit * unit;
  const std::string nearest = below == 0 ? fmt::format("{}", unit) : fmt::format("{} or {}", below, below + unit);
  at.work.problem("global_batch_size", fmt::format("{} is not a multiple of micro_batch_size x dp = {} x {} = {}; "
                                                   "use {}",
                                                   training.global_batch_size, training.micro_batch_size,
                                                   scenario.job().sizes.dp, unit, nearest));
}

// All in floating point: the integers of a job this large would overflow.
void check_amounts(const Scenario& scenario, Sections at) {
  const workloads::TrainingJob& job = scenario.training_job();
  const std::int64_t copies = job.model.moe ? job.model.moe->experts_per_token : 1;
  const Bytes activations(static_cast<double>(job.training.micro_batch_size) *
                          static_cast<double>(job.training.seq_length) * static_cast<double>(job.model.hidden_size) *
                          static_cast<double>(copies) * bytes_per_element(job.training.precision));
  if (activations > most_bytes)
    at.work.problem("seq_length",
                    fmt::format("{} x {} tokens of a micro-batch are {} at each layer, and one run takes at most "
                                "{}; use a shorter sequence or a smaller micro_batch_size",
                                job.training.micro_batch_size, job.training.seq_length, format_bytes(activations),
                                format_bytes(most_bytes)));
  for (const std::int64_t stage : {std::int64_t{0}, job.sizes.pp - 1}) {
    const workloads::RankParameters parameters = workloads::stage_parameters(job, stage);
    const Bytes gradients((parameters.dense + parameters.expert) * job.training.gradient_bytes());
    if (gradients > most_bytes)
      return at.parallel.problem("", fmt::format("the gradients of a rank are {}, and one run takes at most {}; use a "
                                                 "smaller model, or more of tp, pp and ep",
                                                 format_bytes(gradients), format_bytes(most_bytes)));
  }
}

double fewest_simulated_ranks(const Scenario& scenario) {
  const workloads::ParallelSizes& sizes = scenario.job().sizes;
  return static_cast<double>(scenario.symmetry == Symmetry::Auto ? sizes.pp : sizes.world());
}

void check_size(const Scenario& scenario, Sections at) {
  const workloads::TrainingJob& job = scenario.training_job();
  const std::int64_t micro_batches = job.training.micro_batches(job.sizes);
  const double ranks = fewest_simulated_ranks(scenario);
  // A forward and a backward of each layer at the least: what is too large by far is not built to be counted.
  const double fewest = 2 * ranks * static_cast<double>(micro_batches) * static_cast<double>(job.model.num_layers) /
                        static_cast<double>(job.sizes.pp);
  const double rows = fewest > most_rows ? fewest
                                         : static_cast<double>(workloads::row_count(job)) * ranks /
                                               static_cast<double>(job.sizes.world());
  if (rows > most_rows)
    at.work.problem("global_batch_size",
                    fmt::format("{} micro-batches on {} simulated GPUs make at least {:.1g} tasks, and one run takes "
                                "at most {:.1g}; use a smaller batch, or fewer GPUs",
                                micro_batches, ranks, rows, most_rows));
}

} // namespace moesim::scenario
