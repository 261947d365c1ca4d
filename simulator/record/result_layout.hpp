// The layout of a result file, in one place for writing and for reading: which member of RunRecord is which dataset,
// and its unit. `Archive` either takes the values (LayoutWriter) or fills them in (LayoutReader).
#pragma once

#include "simulator/record/run_record.hpp"

namespace moesim::record {

inline constexpr const char* format_name = "moesim result";
// Raise it whenever a dataset comes, goes or changes its meaning: a reader takes its own version only.
inline constexpr std::uint64_t format_version = 5;

template <class Archive, class Figures>
void lay_out_figures(Archive& file, Figures& figures) {
  file.text("run/name", figures.name);
  file.text("run/scenario", figures.scenario_text);
  file.text("run/resolved_scenario", figures.resolved_scenario);
  file.scalar("run/seed", "1", figures.seed);
  file.scalar("run/makespan", "s", figures.makespan);
  file.scalar("run/tokens_per_iteration", "tokens", figures.tokens_per_iteration);
  file.scalar("run/model_flops", "FLOP", figures.model_flops);
  file.scalar("run/hardware_flops", "FLOP", figures.hardware_flops);
  file.scalar("run/peak_flops_per_gpu", "FLOP/s", figures.peak_flops_per_gpu);
  file.scalar("run/memory_capacity", "bytes", figures.memory_capacity);
  file.scalar("run/total_parameters", "1", figures.total_parameters);
  file.scalar("run/active_parameters", "1", figures.active_parameters);
  file.scalar("run/routed_tokens", "tokens", figures.routed_tokens);
  file.scalar("run/computed_tokens", "tokens", figures.computed_tokens);
  file.scalar("run/dropped_tokens", "tokens", figures.dropped_tokens);
  file.scalar("run/output_tokens", "tokens", figures.output_tokens);
  file.scalar("run/ttft", "s", figures.ttft);
  file.scalar("run/tpot", "s", figures.tpot);
  file.scalar("run/kv_cache", "bytes", figures.kv_cache);
}

template <class Archive, class Ranks>
void lay_out_ranks(Archive& file, Ranks& ranks) {
  file.column("ranks/node", "1", ranks.node);
  file.column("ranks/tp", "1", ranks.tp);
  file.column("ranks/cp", "1", ranks.cp);
  file.column("ranks/dp", "1", ranks.dp);
  file.column("ranks/pp", "1", ranks.pp);
  file.column("ranks/etp", "1", ranks.etp);
  file.column("ranks/ep", "1", ranks.ep);
  file.column("ranks/edp", "1", ranks.edp);
  file.column("ranks/representative", "1", ranks.representative);
}

template <class Archive, class Tasks>
void lay_out_tasks(Archive& file, Tasks& tasks) {
  file.column("tasks/start", "s", tasks.start);
  file.column("tasks/end", "s", tasks.end);
  file.column("tasks/rank", "1", tasks.rank);
  file.worded_column("tasks/stream", tasks.stream, tasks.streams);
  file.worded_column("tasks/kind", tasks.kind, tasks.kinds);
  file.worded_column("tasks/name", tasks.name, tasks.names);
  file.column("tasks/layer", "1", tasks.layer);
  file.column("tasks/micro_batch", "1", tasks.micro_batch);
  file.column("tasks/chunk", "1", tasks.chunk);
  file.worded_column("tasks/phase", tasks.phase, tasks.phases);
  file.column("tasks/task", "1", tasks.task);
  file.column("tasks/bytes", "bytes", tasks.bytes);
  file.column("tasks/flops", "FLOP", tasks.flops);
}

template <class Archive, class Run>
void lay_out(Archive& file, Run& run) {
  lay_out_figures(file, run.figures);
  file.text("run/summary", run.summary_json);
  lay_out_ranks(file, run.ranks);
  file.names("symmetry/attribute", run.symmetry.attributes);
  file.column("symmetry/classes", "1", run.symmetry.classes);
  lay_out_tasks(file, run.tasks);
  file.column("dependencies/first", "1", run.dependencies.first);
  file.column("dependencies/before", "1", run.dependencies.before);

  file.column("memory/time", "s", run.memory.time);
  file.column("memory/rank", "1", run.memory.rank);
  file.columns_by_name("memory", "categories", "bytes", run.memory.categories, run.memory.bytes);

  file.names("links/name", run.links.names);
  file.column("links/capacity", "bytes/s", run.links.capacity);
  file.column("links/row_of_link", "1", run.links.row_of_link);
  file.scalar("links/bin_width", "s", run.links.bin_width);
  file.matrix("links/bytes", "bytes", run.links.names.size(), run.links.bins, run.links.bytes);

  file.column("throughput/time", "s", run.throughput.time);
  file.column("throughput/tokens_per_s", "tokens/s", run.throughput.tokens_per_s);

  file.column("experts/layer", "1", run.experts.layers);
  file.matrix("experts/tokens", "tokens", run.experts.layers.size(), run.experts.experts, run.experts.tokens);
  file.matrix("experts/dropped", "tokens", run.experts.layers.size(), run.experts.experts, run.experts.dropped);
  file.column("experts/rank_layer", "1", run.experts.rank_layer);
  file.column("experts/rank_micro_batch", "1", run.experts.rank_micro_batch);
  file.column("experts/rank_step", "1", run.experts.rank_step);
  file.matrix("experts/rank_tokens", "tokens", run.experts.rank_layer.size(), run.experts.ranks,
              run.experts.rank_tokens);
  file.scalar("experts/moved", "tokens", run.experts.moved);
}

} // namespace moesim::record
