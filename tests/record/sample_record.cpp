#include "tests/record/sample_record.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>
#include <utility>

#include <fmt/format.h>

namespace moesim::testing {
namespace {

using record::RunRecord;

enum Stream : std::uint8_t { Compute, Tp, Cp, Ep, Dp, SendNext, SendPrev, RecvNext, RecvPrev };
enum Kind : std::uint8_t { ComputeKind, AllReduce, AllGather, ReduceScatter, AllToAll, SendRecv };
enum Phase : std::uint8_t { Forward, Backward, Gradients, Optimizer, Parameters };
enum Name : std::uint16_t { Attention, TpReduce, Dispatch, Experts, Combine, Transfer, GradReduce, Adam, ParamGather };

struct Row {
  double start, end;
  Stream stream;
  Kind kind;
  Name name;
  int layer, micro_batch;
  Phase phase;
  double bytes, flops;
  std::uint32_t rank = 0;
};

struct Pass {
  Phase phase;
  std::uint32_t micro_batch;
};

std::vector<Pass> one_forward_one_backward(const SampleShape& shape, std::uint32_t stage) {
  std::vector<Pass> passes;
  const std::uint32_t ahead = std::min(shape.stages - 1 - stage, shape.micro_batches);
  for (std::uint32_t m = 0; m < ahead; ++m)
    passes.push_back({Forward, m});
  for (std::uint32_t m = 0; m < shape.micro_batches; ++m) {
    if (m + ahead < shape.micro_batches)
      passes.push_back({Forward, m + ahead});
    passes.push_back({Backward, m});
  }
  return passes;
}

class Sample {
public:
  explicit Sample(const SampleShape& shape) : shape_(shape) {
    fill_ranks();
    run_pipeline();
    for (std::uint32_t stage = 0; stage < shape.stages; ++stage)
      finish_iteration(stage);
    fill_tasks();
    fill_series();
    fill_figures();
  }
  RunRecord run;

private:
  [[nodiscard]] std::uint32_t simulated_ranks() const { return shape_.folded ? 1 : shape_.ranks_per_stage; }

  void fill_ranks() {
    for (std::uint32_t rank = 0; rank < shape_.stages * shape_.ranks_per_stage; ++rank) {
      const std::uint32_t stage = rank / shape_.ranks_per_stage;
      const std::uint32_t local = rank % shape_.ranks_per_stage;
      for (auto* column : {&run.ranks.cp, &run.ranks.dp, &run.ranks.etp, &run.ranks.edp})
        column->push_back(0);
      run.ranks.node.push_back(rank / 8);
      run.ranks.tp.push_back(local);
      run.ranks.ep.push_back(local);
      run.ranks.pp.push_back(stage);
      run.ranks.representative.push_back(shape_.folded ? stage * shape_.ranks_per_stage : rank);
    }
  }

  // One row on every simulated rank of the stage.
  void add(std::uint32_t stage, Row row) {
    for (std::uint32_t local = 0; local < simulated_ranks(); ++local) {
      row.rank = stage * shape_.ranks_per_stage + local;
      rows_.push_back(row);
    }
  }

  // One layer: attention, its tensor-parallel reduction, dispatch, experts, combine; returns when it ends.
  double add_layer(std::uint32_t stage, Pass pass, int layer, double now) {
    const double scale = pass.phase == Forward ? 1e-3 : 2e-3;
    const int m = static_cast<int>(pass.micro_batch);
    const auto step = [&](double length, Stream stream, Kind kind, Name name, double bytes, double flops) {
      // A little unevenness, so that no two numbers compress as if they were one.
      const double skew =
          1 +
          0.05 * static_cast<double>((pass.micro_batch * 7 + stage * 3 + static_cast<std::uint32_t>(layer)) % 5) / 5;
      add(stage, {now, now + length * scale * skew, stream, kind, name, layer, m, pass.phase, bytes, flops});
      now += length * scale * skew;
    };
    step(1.0, Compute, ComputeKind, Attention, 3e8, 5e11);
    step(0.2, Tp, AllReduce, TpReduce, 6.4e7, 0);
    step(0.35, Ep, AllToAll, Dispatch, 1.2e8, 0);
    step(stage == 1 ? 1.8 : 1.5, Compute, ComputeKind, Experts, 4e8, 9e11);
    step(0.35, Ep, AllToAll, Combine, 1.2e8, 0);
    return now;
  }

  double run_pass(std::uint32_t stage, Pass pass, double ready) {
    double now = ready;
    for (std::uint32_t l = 0; l < shape_.layers_per_stage; ++l) {
      const std::uint32_t local = pass.phase == Forward ? l : shape_.layers_per_stage - 1 - l;
      now = add_layer(stage, pass, static_cast<int>(stage * shape_.layers_per_stage + local), now);
    }
    return now;
  }

  // Sends the output of a pass to the neighbour; both ends have a row. Returns when it arrives.
  double transfer(std::uint32_t from, std::uint32_t to, Pass pass, double start) {
    const double end = start + 0.4e-3;
    const int m = static_cast<int>(pass.micro_batch);
    add(from, {start, end, to > from ? SendNext : SendPrev, SendRecv, Transfer, -1, m, pass.phase, 6.4e7, 0});
    add(to, {start, end, to > from ? RecvPrev : RecvNext, SendRecv, Transfer, -1, m, pass.phase, 6.4e7, 0});
    return end;
  }

  void run_pipeline() {
    std::vector<std::vector<Pass>> orders;
    for (std::uint32_t stage = 0; stage < shape_.stages; ++stage)
      orders.push_back(one_forward_one_backward(shape_, stage));
    // arrival[phase][stage][micro-batch]: when the input of the pass is there; negative: not yet.
    std::vector<std::vector<double>> none(shape_.stages, std::vector<double>(shape_.micro_batches, -1));
    std::vector<std::vector<std::vector<double>>> arrival{none, none};
    std::fill(arrival[Forward][0].begin(), arrival[Forward][0].end(), 0.0);
    std::vector<std::size_t> next(shape_.stages, 0);
    free_.assign(shape_.stages, 0);
    for (bool progress = true; progress;) {
      progress = false;
      for (std::uint32_t stage = 0; stage < shape_.stages; ++stage)
        progress |= advance(stage, orders[stage], next[stage], arrival);
    }
  }

  bool advance(std::uint32_t stage, const std::vector<Pass>& order, std::size_t& next,
               std::vector<std::vector<std::vector<double>>>& arrival) {
    if (next == order.size() || arrival[order[next].phase][stage][order[next].micro_batch] < 0)
      return false;
    const Pass pass = order[next++];
    const double ready = std::max(free_[stage], arrival[pass.phase][stage][pass.micro_batch]);
    const double end = run_pass(stage, pass, ready);
    free_[stage] = end;
    const bool last = stage + 1 == shape_.stages;
    if (pass.phase == Forward && !last)
      arrival[Forward][stage + 1][pass.micro_batch] = transfer(stage, stage + 1, pass, end);
    if (pass.phase == Forward && last)
      arrival[Backward][stage][pass.micro_batch] = end;
    if (pass.phase == Backward && stage > 0)
      arrival[Backward][stage - 1][pass.micro_batch] = transfer(stage, stage - 1, pass, end);
    if (pass.phase == Backward && stage == 0)
      throughput_.push_back(end);
    return true;
  }

  void finish_iteration(std::uint32_t stage) {
    double now = free_[stage];
    add(stage, {now - 3e-3, now + 4e-3, Dp, ReduceScatter, GradReduce, -1, -1, Gradients, 2e9, 0});
    now += 4e-3;
    add(stage, {now, now + 2e-3, Compute, ComputeKind, Adam, -1, -1, Optimizer, 4e9, 0});
    add(stage, {now + 2e-3, now + 4e-3, Dp, AllGather, ParamGather, -1, -1, Parameters, 1e9, 0});
  }

  void fill_tasks() {
    std::stable_sort(rows_.begin(), rows_.end(), [](const Row& a, const Row& b) {
      return std::tie(a.rank, a.start, a.stream) < std::tie(b.rank, b.start, b.stream);
    });
    record::TaskTable& tasks = run.tasks;
    for (const Row& row : rows_) {
      tasks.start.push_back(row.start);
      tasks.end.push_back(row.end);
      tasks.rank.push_back(row.rank);
      tasks.stream.push_back(row.stream);
      tasks.kind.push_back(row.kind);
      tasks.name.push_back(row.name);
      tasks.layer.push_back(static_cast<std::int16_t>(row.layer));
      tasks.micro_batch.push_back(row.micro_batch);
      tasks.chunk.push_back(0);
      tasks.phase.push_back(row.phase);
      tasks.task.push_back(static_cast<std::uint32_t>(tasks.task.size()));
      tasks.bytes.push_back(row.bytes);
      tasks.flops.push_back(row.flops);
      run.figures.makespan = std::max(run.figures.makespan, row.end);
    }
    tasks.streams = {"compute", "tp", "cp", "ep", "dp", "pp-send-next", "pp-send-prev", "pp-recv-next", "pp-recv-prev"};
    tasks.kinds = {"compute", "all-reduce", "all-gather", "reduce-scatter", "all-to-all", "send-recv"};
    tasks.names = {"attention", "attention-reduce", "dispatch",  "experts",     "combine",
                   "transfer",  "grad-reduce",      "optimizer", "param-gather"};
    tasks.phases = {"forward", "backward", "gradients", "optimizer", "parameters"};
    fill_dependencies();
  }

  // Each task waits for the one before it on its stream.
  void fill_dependencies() {
    record::Dependencies& dependencies = run.dependencies;
    dependencies.first.push_back(0);
    std::map<std::pair<std::uint32_t, std::uint8_t>, std::uint32_t> latest;
    for (std::uint32_t task = 0; task < run.tasks.size(); ++task) {
      const auto [before, is_first] = latest.try_emplace({run.tasks.rank[task], run.tasks.stream[task]}, task);
      if (!is_first)
        dependencies.before.push_back(std::exchange(before->second, task));
      dependencies.first.push_back(static_cast<std::uint32_t>(dependencies.before.size()));
    }
  }

  // Activations grow at the start of a forward pass and shrink at the end of a backward pass.
  void fill_memory() {
    run.memory.categories = {"weights", "gradients", "optimizer", "activations"};
    run.memory.bytes.resize(4);
    std::vector<double> activations(run.ranks.size(), 0);
    for (const Row& row : rows_) {
      if (row.stream != Compute || row.name != Attention)
        continue;
      activations[row.rank] += row.phase == Forward ? 1.5e9 : -1.5e9;
      run.memory.time.push_back(row.phase == Forward ? row.start : row.end);
      run.memory.rank.push_back(row.rank);
      run.memory.bytes[0].push_back(20e9);
      run.memory.bytes[1].push_back(10e9);
      run.memory.bytes[2].push_back(15e9);
      run.memory.bytes[3].push_back(activations[row.rank]);
    }
  }

  void fill_series() {
    fill_memory();
    run.links.names = {"node0.nic0", "node0.nic1"};
    run.links.capacity = {50e9, 50e9};
    run.links.row_of_link = {0, 1, 0, 1};
    run.symmetry = {{"pipeline stage", "GPU speed"}, {2, 3}};
    run.links.bins = 10;
    run.links.bin_width = run.figures.makespan / 10;
    run.links.bytes.resize(20);
    std::iota(run.links.bytes.begin(), run.links.bytes.end(), 1.0);
    for (const double end : throughput_) {
      run.throughput.time.push_back(end);
      run.throughput.tokens_per_s.push_back(4096 / (throughput_.back() / static_cast<double>(throughput_.size())));
    }
    run.experts.layers = {0, 1};
    run.experts.experts = 4;
    run.experts.tokens = {100, 100, 100, 100, 250, 50, 50, 50};
    run.experts.dropped = {0, 0, 0, 0, 40, 0, 0, 0};
    run.experts.rank_layer = {0, 1};
    run.experts.rank_micro_batch = {-1, -1};
    run.experts.rank_step = {0, 0};
    run.experts.ranks = 2;
    run.experts.rank_tokens = {50, 50, 65, 25};
  }

  void fill_figures() {
    run.figures.name = "sample <1f1b> & friends";
    run.figures.scenario_text = "version: 1\nname: sample\n";
    run.figures.resolved_scenario = "version: 1\nname: sample\nsimulation: {seed: 7}\n";
    run.figures.seed = 7;
    run.figures.tokens_per_iteration = 4096.0 * shape_.micro_batches;
    run.figures.model_flops = 4e14 * run.figures.makespan * static_cast<double>(run.ranks.size());
    run.figures.hardware_flops = 1.25 * run.figures.model_flops;
    run.figures.peak_flops_per_gpu = 989e12;
    run.figures.memory_capacity = 80e9;
    run.figures.total_parameters = 46.7e9;
    run.figures.active_parameters = 12.9e9;
    run.figures.routed_tokens = 800;
    run.figures.computed_tokens = 790;
    run.figures.dropped_tokens = 10;
    run.summary_json = "{\"iteration_time_s\": 1}";
  }

  SampleShape shape_;
  std::vector<Row> rows_;
  std::vector<double> free_;
  std::vector<double> throughput_;
};

} // namespace

RunRecord sample_record(const SampleShape& shape) {
  return Sample(shape).run;
}

} // namespace moesim::testing
