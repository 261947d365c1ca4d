// Every combination of options runs, or is refused with a message that names the field. What runs obeys the laws.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <numeric>
#include <optional>
#include <regex>
#include <set>

#include <gtest/gtest.h>

#include "simulator/cost/cost_table.hpp"
#include "simulator/execution/ideal_executor.hpp"
#include "simulator/run/simulate.hpp"
#include "tests/record/temporary_folder.hpp"
#include "tests/run/random_scenario.hpp"
#include "tests/workloads/test_job.hpp"
#include "workloads/kv_cache.hpp"
#include "workloads/stage_memory.hpp"

namespace moesim::run {
namespace {

using workloads::Recompute;
using workloads::TrainingJob;

constexpr std::uint64_t drawn = 2400;

// The scenario, or nothing when it is refused; `refused` then gains the fields.
std::optional<scenario::Scenario> load_or_refuse(const std::string& text, std::set<std::string>& refused) {
  const moesim::testing::TemporaryFolder folder;
  const std::filesystem::path file = folder / "scenario.yaml";
  std::ofstream(file, std::ios::binary) << text;
  try {
    return scenario::load(file, std::vector<std::string>{"simulation.symmetry=off"});
  } catch (const InputError& error) {
    static const std::regex form(R"([^:]+:\d+:\d+: [a-z_.0-9]+: .+; .+)");
    for (const Problem& problem : error.problems()) {
      EXPECT_TRUE(std::regex_match(to_string(problem), form)) << to_string(problem);
      refused.insert(problem.field);
    }
  }
  return std::nullopt;
}

// FLOPs of the forward pass of all layers for one token. Unfused attention computes all pairs, whoever sees whom.
double forward_flops_of_layers(const TrainingJob& job) {
  if (job.training.attention_backend == workloads::AttentionBackend::Flash)
    return workloads::forward_flops_of_layers(job.model, job.training.seq_length);
  workloads::ModelSpec model = job.model;
  for (workloads::LayerKind& kind : model.layer_kinds)
    kind.reach = workloads::Reach::Full;
  const auto width = static_cast<double>(model.query_width() + model.output_width());
  return workloads::forward_flops_of_layers(model, job.training.seq_length) +
         static_cast<double>((model.num_layers + model.mtp_layers) * job.training.seq_length) *
             width; // the other half of the pairs
}

// What the graph computes: layers and head once forward and twice backward, and what is recomputed, which is less than
// one more forward of the layers. Tensor ranks that share a key-value head all compute it.
void expect_flops(const TrainingJob& job, const record::RunRecord& run) {
  const double head =
      2 * static_cast<double>((1 + job.model.mtp_layers) * job.model.hidden_size * job.model.vocab_size);
  const double layers = forward_flops_of_layers(job);
  const double sum = std::accumulate(run.tasks.flops.begin(), run.tasks.flops.end(), 0.0) / job.training.tokens();
  const double once = 3 * (layers + head);
  // Of a module for multi-token prediction, the layer is recomputed, not the projection before it.
  const double again =
      layers - static_cast<double>(4 * job.model.mtp_layers * job.model.hidden_size * job.model.hidden_size);
  const Recompute& recompute = job.training.recompute;
  const bool is_shared = !job.model.mla && job.sizes.tp > job.model.num_kv_heads;
  const bool is_none = recompute.granularity == Recompute::Granularity::None;
  if (!is_shared && (is_none || (recompute.is_full() && recompute.method == Recompute::Method::Uniform))) {
    EXPECT_NEAR(sum / (is_none ? once : once + again), 1, 1e-9);
  }
  EXPECT_GE(sum, once * (1 - 1e-9));
  EXPECT_LE(sum, (once + layers) * (is_shared ? 1.5 : 1 + 1e-9));
}

// Each rank ends with what it holds throughout, and the cache: what a task takes, another gives back.
void expect_memory_at_rest(const std::vector<workloads::StageMemory>& stages, const record::RunRecord& run) {
  std::map<std::uint32_t, std::size_t> last; // row of each rank
  for (std::size_t row = 0; row < run.memory.time.size(); ++row)
    last[run.memory.rank[row]] = row;
  EXPECT_EQ(last.size(), run.ranks.size());
  for (const auto& [rank, row] : last) {
    graph::MemoryUse rest = stages[run.ranks.pp[rank]].at_rest;
    rest[graph::Memory::KvCache] = Bytes(run.memory.bytes[static_cast<std::size_t>(graph::Memory::KvCache)][row]);
    for (std::size_t category = 0; category < graph::lasting_memory_count; ++category)
      EXPECT_NEAR(run.memory.bytes[category][row], rest[static_cast<graph::Memory>(category)].value(), 1e-6) // shares
          << run.memory.categories[category] << " of rank " << rank;
  }
}

// The cache grows to what its formula says, tokens come one after the other, and the last ends the run.
void expect_tokens(const workloads::InferenceJob& job, const record::RunRecord& run) {
  const std::vector<double>& cache = run.memory.bytes[static_cast<std::size_t>(graph::Memory::KvCache)];
  EXPECT_DOUBLE_EQ(*std::ranges::max_element(cache), workloads::kv_cache_bytes(job).value());
  EXPECT_GT(run.figures.ttft, 0);
  EXPECT_LE(run.figures.ttft + run.figures.tpot * static_cast<double>(job.inference.output_length - 1),
            run.figures.makespan * (1 + 1e-9));
  EXPECT_EQ(run.figures.tpot > 0, job.inference.output_length > 1);
}

// Bytes that left are bytes that arrived, over NVLink as over the NICs and the trunks of the leaves.
void expect_sent_is_received(const record::RunRecord& run) {
  std::map<std::string, double> bytes;
  for (std::size_t link = 0; link < run.links.names.size(); ++link) {
    const std::string& name = run.links.names[link];
    const bool is_nic = name.find("nic") != std::string::npos;
    const std::string tier = name.starts_with("leaf") ? "leaf" : is_nic ? "nic" : "nvlink";
    double& sum = bytes[tier + name.substr(name.rfind('.'))];
    for (std::size_t bin = 0; bin < run.links.bins; ++bin)
      sum += run.links.bytes[link * run.links.bins + bin];
  }
  for (const char* tier : {"nvlink", "nic", "leaf"})
    EXPECT_NEAR(bytes[std::string(tier) + ".up"], bytes[std::string(tier) + ".down"],
                1e-9 * bytes[std::string(tier) + ".up"])
        << tier;
}

record::RunRecord run_ideally(const scenario::Scenario& scenario) {
  execution::IdealExecutor executor;
  return simulate(scenario, executor, {});
}

void expect_laws(const scenario::Scenario& scenario) {
  const record::RunRecord run = run_ideally(scenario);
  const graph::TaskGraph graph = task_graph(scenario);
  const Seconds bound = graph::critical_path(
      graph, execution::idle_times(graph, cost::cost_table(graph, scenario.cluster, scenario.network)));
  EXPECT_EQ(run.tasks.size(), graph.row_count());
  EXPECT_GE(run.figures.makespan, bound.value() * (1 - 1e-12));
  EXPECT_GT(run.figures.makespan, 0);
  if (scenario.is_training()) {
    expect_flops(scenario.training_job(), run);
    expect_memory_at_rest(workloads::stage_memories(scenario.training_job()), run);
  } else {
    expect_tokens(scenario.inference_job(), run);
    expect_memory_at_rest(workloads::stage_memories(scenario.inference_job()), run);
  }
  expect_sent_is_received(run);
  EXPECT_TRUE(run == run_ideally(scenario)) << "another result the second time";
}

// SimGrid allows one simulation per process. Sharing links never makes a run shorter.
void expect_fluid_is_no_faster(const scenario::Scenario& scenario) {
  const double ideal = run_ideally(scenario).figures.makespan;
  const pid_t child = fork();
  if (child == 0)
    _exit(simulate(scenario, {}).figures.makespan >= ideal * (1 - 1e-9) ? EXIT_SUCCESS : EXIT_FAILURE);
  int status = EXIT_FAILURE;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, EXIT_SUCCESS);
}

// Overlaps that have something to overlap, and schedules of more than one stage.
void count_overlaps(const scenario::Scenario& scenario, std::map<std::string, int>& overlapped) {
  const workloads::ParallelSizes& sizes = scenario.job().sizes;
  if (!scenario.is_training()) {
    overlapped["two_batch"] += scenario.inference_job().inference.overlaps_two_batches ? 1 : 0;
    return;
  }
  const workloads::Overlap& overlap = scenario.training_job().training.overlap;
  overlapped["tp"] += overlap.tp && sizes.tp > 1 ? 1 : 0;
  overlapped["passes"] += overlap.expert == workloads::ExpertOverlap::Passes && sizes.ep > 1 ? 1 : 0;
  overlapped[scenario.training_job().training.schedule] += sizes.pp > 1 ? 1 : 0;
  overlapped["chunked"] += overlap.expert == workloads::ExpertOverlap::Chunked && sizes.ep * sizes.etp > 1 ? 1 : 0;
}

TEST(OptionGrid, EveryCombinationRunsOrIsRefusedByField) {
  std::uint64_t ran = 0;
  std::set<std::string> refused;
  std::map<std::string, int> overlapped;
  for (std::uint64_t seed = 0; seed < drawn; ++seed) {
    const std::string text = random_scenario(seed);
    SCOPED_TRACE("scenario " + std::to_string(seed) + ":\n" + text);
    try {
      const std::optional<scenario::Scenario> scenario = load_or_refuse(text, refused);
      if (!scenario)
        continue;
      expect_laws(*scenario);
      count_overlaps(*scenario, overlapped);
      if (ran++ % 10 == 0)
        expect_fluid_is_no_faster(*scenario);
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
  }
  // So that the grid stays one of both.
  EXPECT_GE(ran, 300U);
  EXPECT_GE(drawn - ran, 300U);
  for (const char* field :
       {"parallel", "parallel.tp", "parallel.pp", "parallel.ep", "parallel.layers_per_stage", "training.precision",
        "training.global_batch_size", "training.overlap", "training.schedule", "training.p2p", "inference.batch_size"})
    EXPECT_TRUE(refused.contains(field)) << field;
  for (const char* overlap : {"tp", "chunked", "passes", "two_batch"})
    EXPECT_GE(overlapped[overlap], 5) << overlap;
  for (const std::string_view schedule : schedulers::schedule_names())
    EXPECT_GE(overlapped[std::string(schedule)], 5) << schedule;
}

} // namespace
} // namespace moesim::run
