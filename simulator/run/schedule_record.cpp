#include "simulator/run/schedule_record.hpp"

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "simulator/graph/task_graph.hpp"
#include "simulator/run/recorder.hpp"

namespace moesim::run {
namespace {

using graph::Stream;
using schedulers::ChunkPlace;
using schedulers::PassKind;
using schedulers::PassTime;
using schedulers::PipelinePass;

enum class Name : std::uint16_t { Forward, Backward, BackwardWeight, Transfer };

bool is_forward(const PipelinePass& pass) {
  return pass.kind == PassKind::Forward;
}

graph::Phase phase_of(const PipelinePass& pass) {
  if (pass.kind == PassKind::BackwardWeight)
    return graph::Phase::BackwardWeight;
  return is_forward(pass) ? graph::Phase::Forward : graph::Phase::Backward;
}

struct Row {
  std::uint32_t rank;
  double start;
  double end;
  Stream stream;
  Name name;
  std::uint32_t task;
  const PipelinePass* pass;
};

class Writer {
public:
  explicit Writer(const TimedSchedule& schedule) : schedule_(schedule) {}

  record::RunRecord write() {
    add_passes();
    add_waits();
    write_tasks();
    write_dependencies();
    for (std::uint32_t stage = 0; stage < stage_count(); ++stage) {
      write_rank(stage);
      write_memory(stage);
    }
    run_.figures.name = schedule_.name;
    run_.figures.makespan = schedule_.timeline.makespan;
    return std::move(run_);
  }

private:
  struct Ran {
    std::uint32_t task = 0;
    double end = 0;
  };

  [[nodiscard]] std::uint32_t stage_count() const { return static_cast<std::uint32_t>(schedule_.order.size()); }
  [[nodiscard]] std::uint32_t task_of(std::uint32_t stage, std::size_t at) const {
    return first_[stage] + static_cast<std::uint32_t>(at);
  }
  // Of a virtual stage and micro-batch. Of two copies of the model a micro-batch meets one only.
  [[nodiscard]] std::size_t slot(ChunkPlace place, std::int32_t micro_batch) const {
    return static_cast<std::size_t>(schedule_.chunks.virtual_stage(place) * schedule_.shape.micro_batches +
                                    micro_batch);
  }

  // A task per pass, stage by stage.
  void add_passes() {
    forwards_.resize(static_cast<std::size_t>(schedule_.chunks.virtual_stages() * schedule_.shape.micro_batches));
    backwards_ = forwards_;
    for (std::uint32_t stage = 0; stage < stage_count(); ++stage) {
      const std::vector<PipelinePass>& passes = schedule_.order[stage];
      first_.push_back(static_cast<std::uint32_t>(waits_.size()));
      waits_.resize(waits_.size() + passes.size());
      for (std::size_t at = 0; at < passes.size(); ++at) {
        const PipelinePass& pass = passes[at];
        const PassTime& time = schedule_.timeline.passes[stage][at];
        const auto name = pass.kind == PassKind::BackwardWeight ? Name::BackwardWeight
                          : is_forward(pass)                    ? Name::Forward
                                                                : Name::Backward;
        rows_.push_back({stage, time.start, time.end, Stream::Compute, name, task_of(stage, at), &pass});
        if (pass.kind != PassKind::BackwardWeight)
          (is_forward(pass) ? forwards_
                            : backwards_)[slot({stage, pass.chunk}, pass.micro_batch)] = {task_of(stage, at), time.end};
      }
    }
  }

  // What passes wait for, as time_passes() says. Passes that run together wait for the same.
  void add_waits() {
    for (std::uint32_t stage = 0; stage < stage_count(); ++stage) {
      const std::vector<PipelinePass>& passes = schedule_.order[stage];
      for (std::size_t first = 0; first < passes.size();) {
        std::size_t last = first + 1;
        while (passes[last - 1].with_next && last < passes.size())
          ++last;
        std::vector<std::uint32_t> waits;
        if (first > 0)
          waits.push_back(task_of(stage, first - 1));
        for (std::size_t at = first; at < last; ++at)
          add_inputs(waits, stage, passes[at]);
        std::erase_if(waits,
                      [&](std::uint32_t task) { return task >= task_of(stage, first) && task < task_of(stage, last); });
        std::ranges::sort(waits);
        waits.erase(std::ranges::unique(waits).begin(), waits.end());
        for (std::size_t at = first; at < last; ++at)
          waits_[task_of(stage, at)] = waits;
        first = last;
      }
    }
  }

  void add_inputs(std::vector<std::uint32_t>& waits, std::uint32_t stage, const PipelinePass& pass) {
    const ChunkPlace at{stage, pass.chunk};
    if (pass.kind == PassKind::BackwardWeight) {
      waits.push_back(backwards_.at(slot(at, pass.micro_batch)).task);
      return;
    }
    if (!is_forward(pass))
      waits.push_back(forwards_.at(slot(at, pass.micro_batch)).task);
    const std::optional<ChunkPlace> from = is_forward(pass) ? schedule_.chunks.before(at) : schedule_.chunks.after(at);
    if (!from)
      return;
    const Ran& sender = (is_forward(pass) ? forwards_ : backwards_).at(slot(*from, pass.micro_batch));
    const bool travels = from->stage != at.stage && schedule_.shape.transfer > 0;
    waits.push_back(travels ? add_transfer(sender, static_cast<std::uint32_t>(from->stage), stage, pass) : sender.task);
  }

  // A row at each end. The stages are a ring: behind the last one comes the first.
  std::uint32_t add_transfer(const Ran& sender, std::uint32_t from, std::uint32_t to, const PipelinePass& pass) {
    const auto task = static_cast<std::uint32_t>(waits_.size());
    waits_.push_back({sender.task});
    const bool wraps = stage_count() > 2 && std::max(from, to) - std::min(from, to) + 1 == stage_count();
    const bool goes_next = wraps ? to == 0 : to > from;
    const double end = sender.end + schedule_.shape.transfer;
    rows_.push_back(
        {from, sender.end, end, goes_next ? Stream::PpSendNext : Stream::PpSendPrev, Name::Transfer, task, &pass});
    rows_.push_back(
        {to, sender.end, end, goes_next ? Stream::PpRecvPrev : Stream::PpRecvNext, Name::Transfer, task, &pass});
    return task;
  }

  void write_tasks() {
    std::ranges::stable_sort(rows_, [](const Row& a, const Row& b) {
      return std::tie(a.rank, a.start, a.stream, a.task) < std::tie(b.rank, b.start, b.stream, b.task);
    });
    record::TaskTable& table = run_.tasks;
    table = empty_table();
    table.names = {"forward", "backward", "backward of weights", "transfer"};
    for (const Row& row : rows_) {
      table.start.push_back(row.start);
      table.end.push_back(row.end);
      table.rank.push_back(row.rank);
      table.stream.push_back(static_cast<std::uint8_t>(row.stream));
      table.kind.push_back(
          static_cast<std::uint8_t>(row.stream == Stream::Compute ? graph::Kind::Compute : graph::Kind::SendRecv));
      table.name.push_back(static_cast<std::uint16_t>(row.name));
      table.micro_batch.push_back(row.pass->micro_batch);
      table.chunk.push_back(static_cast<std::uint8_t>(row.pass->chunk));
      table.phase.push_back(static_cast<std::uint8_t>(phase_of(*row.pass)));
      table.task.push_back(row.task);
    }
    table.layer.assign(rows_.size(), -1);
    table.bytes.assign(rows_.size(), 0);
    table.flops.assign(rows_.size(), 0);
  }

  void write_dependencies() {
    run_.dependencies.first.push_back(0);
    for (const std::vector<std::uint32_t>& waits : waits_) {
      run_.dependencies.before.insert(run_.dependencies.before.end(), waits.begin(), waits.end());
      run_.dependencies.first.push_back(static_cast<std::uint32_t>(run_.dependencies.before.size()));
    }
  }

  void write_rank(std::uint32_t stage) {
    record::RankTable& ranks = run_.ranks;
    for (auto* column : {&ranks.node, &ranks.tp, &ranks.cp, &ranks.dp, &ranks.etp, &ranks.ep, &ranks.edp})
      column->push_back(0);
    ranks.pp.push_back(stage);
    ranks.representative.push_back(stage);
  }

  // From the start of a forward to the end of its last backward pass, as PassTimeline counts them.
  void write_memory(std::uint32_t stage) {
    const std::vector<PipelinePass>& passes = schedule_.order[stage];
    const bool splits = std::ranges::count(passes, PassKind::BackwardWeight, &PipelinePass::kind) > 0;
    std::vector<std::pair<double, int>> changes; // at equal times what ends comes first
    for (std::size_t at = 0; at < passes.size(); ++at) {
      const PassTime& time = schedule_.timeline.passes[stage][at];
      if (is_forward(passes[at]))
        changes.emplace_back(time.start, 1);
      else if (passes[at].kind != PassKind::BackwardInput || !splits)
        changes.emplace_back(time.end, -1);
    }
    std::ranges::sort(changes);
    record::MemorySeries& memory = run_.memory;
    memory.categories = {"activations"};
    memory.bytes.resize(1);
    int held = 0;
    for (const auto& [time, change] : changes) {
      held += change;
      memory.time.push_back(time);
      memory.rank.push_back(stage);
      memory.bytes[0].push_back(held * schedule_.chunks.share());
    }
  }

  const TimedSchedule& schedule_;
  std::vector<std::uint32_t> first_;              // per stage: its first task
  std::vector<std::vector<std::uint32_t>> waits_; // per task
  std::vector<Row> rows_;
  std::vector<Ran> forwards_, backwards_; // by slot; of a split backward, that of the input
  record::RunRecord run_;
};

} // namespace

record::RunRecord schedule_record(const TimedSchedule& schedule) {
  return Writer(schedule).write();
}

} // namespace moesim::run
