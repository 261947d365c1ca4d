#include "simulator/validation/inference_entry.hpp"

#include <algorithm>
#include <cmath>
#include <memory>

#include <fmt/format.h>

#include "analysis/summary.hpp"
#include "simulator/config/yaml_text.hpp"
#include "simulator/run/simulate.hpp"
#include "simulator/scenario/scenario.hpp"
#include "simulator/validation/system.hpp"

namespace moesim::validation {
namespace {

using config::Node;

struct InferenceFields {
  Entry entry;
  System system;
  Model model;
  std::string precision;
  double sequences_of_replica = 1;
  double output_length = 1; // tokens
  double rounds = 1;        // requests for each that is under way at a time
  std::vector<std::string> assignments;
  std::vector<std::string> assumptions;
};

std::int64_t required(const Entry& entry, const char* field) {
  const auto value = integer(entry.config, field);
  if (!value || *value < 1)
    throw Unpredictable(fmt::format("{} is not given", field));
  return *value;
}

std::int64_t degree(const Entry& entry, const char* field) {
  return std::max<std::int64_t>(1, integer(entry.config, field).value_or(1));
}

// Sequences under way at a time over all replicas; `concurrency` counts them, `batch_size` those of a replica.
std::int64_t batch(const Entry& entry, std::int64_t replicas) {
  if (const auto concurrency = number(entry.config, "concurrency"); concurrency && *concurrency >= 1)
    return std::llround(*concurrency);
  return required(entry, "batch_size") * replicas;
}

void refuse_phases(const Entry& entry) {
  if (text(entry.config, "mode").value_or("") != "agg" || text(entry.config, "phase").value_or("") != "both")
    throw Unpredictable("prefill and decode do not share GPUs or a batch, and a fixed batch does both");
}

// The numerical format; that of the weights where the source says none.
std::string precision_of(const Entry& entry, const Vocabulary& vocabulary, std::vector<std::string>& assumptions) {
  const auto words = text(entry.config, "precision");
  if (!words) {
    assumptions.emplace_back("precision: bf16, that of the weights");
    return "bf16";
  }
  const Node* rule = first_rule(vocabulary.training, "precisions", *words);
  if (rule == nullptr)
    throw Unpredictable(fmt::format("no rule knows the precision '{}'", *words));
  if (const Node* reason = rule->find("skip"))
    throw Unpredictable(reason->scalar);
  return rule->find("name")->scalar;
}

double rounds_of(const Entry& entry, const Vocabulary& vocabulary, std::vector<std::string>& assumptions) {
  if (const Node* benchmark = first_rule(vocabulary.inference, "benchmarks", entry.source))
    return *number(*benchmark, "rounds");
  assumptions.emplace_back("all requests are there at the start");
  return 1;
}

// What differs from a scenario without any field.
std::vector<std::string> assignments_of(const InferenceFields& fields, std::int64_t dp, std::int64_t sequences) {
  const Entry& entry = fields.entry;
  std::vector<std::string> list = fields.system.assignments;
  list.insert(list.end(), fields.model.assignments.begin(), fields.model.assignments.end());
  const auto set = [&](const char* field, const auto& value) { list.push_back(fmt::format("{}={}", field, value)); };
  set("parallel.tp", degree(entry, "tensor_model_parallel_size"));
  set("parallel.pp", degree(entry, "pipeline_model_parallel_size"));
  set("parallel.dp", dp);
  set("parallel.ep", degree(entry, "moe_expert_parallel_size"));
  if (integer(fields.model.fields, "num_experts_per_tok"))
    set("parallel.etp", degree(entry, "moe_tensor_parallel_size"));
  set("inference.batch_size", sequences);
  set("inference.prompt_length", required(entry, "input_length"));
  set("inference.output_length", required(entry, "output_length"));
  set("inference.precision", fields.precision);
  return list;
}

InferenceFields fields_of(const Entry& entry, const Aliases& aliases, const Vocabulary& vocabulary) {
  refuse_phases(entry);
  InferenceFields fields;
  fields.entry = aliases.completed(entry, fields.assumptions);
  const std::int64_t gpus = required(fields.entry, "num_gpus");
  fields.system = system_of(fields.entry, gpus, vocabulary);
  fields.model = aliases.model_of(fields.entry);
  fields.precision = precision_of(fields.entry, vocabulary, fields.assumptions);
  fields.rounds = rounds_of(fields.entry, vocabulary, fields.assumptions);
  const std::int64_t replica =
      degree(fields.entry, "tensor_model_parallel_size") * degree(fields.entry, "pipeline_model_parallel_size");
  const std::int64_t dp = std::max<std::int64_t>(1, gpus / replica);
  const std::int64_t sequences = batch(fields.entry, dp);
  fields.sequences_of_replica = std::max(1.0, static_cast<double>(sequences) / static_cast<double>(dp));
  fields.output_length = static_cast<double>(required(fields.entry, "output_length"));
  fields.assignments = assignments_of(fields, dp, sequences);
  return fields;
}

// Of a server that always has as many requests under way, in milliseconds. A request enters when another has ended, so
// that prompts come one by one, and while its tokens are made each of the others is replaced once: as much work in all
// as one batch, of which its own prompt is its time to the first token. Only those of the first round wait for the
// prompts before them.
double predicted(const std::string& quantity, const analysis::Summary& summary, const InferenceFields& fields) {
  const double prompt = summary.inference->ttft_s / fields.sequences_of_replica;
  if (quantity == "ttft_ms")
    return prompt * (1 + (fields.sequences_of_replica - 1) / 2 / fields.rounds) * 1e3;
  if (fields.output_length < 2)
    throw Unpredictable("one output token has no time per further token");
  return (summary.iteration_time_s - prompt) / (fields.output_length - 1) * 1e3;
}

} // namespace

Question inference_question(const Entry& entry, const Aliases& aliases, const Vocabulary& vocabulary) {
  const auto fields = std::make_shared<const InferenceFields>(fields_of(entry, aliases, vocabulary));
  Question question{entry.id, {}, {}};
  for (const char* quantity : {"ttft_ms", "tpot_ms"})
    if (const auto value = number(entry.measured, quantity); value && *value > 0) {
      Measurement& of = question.measurements.emplace_back();
      of.id = entry.id;
      of.quantity = quantity;
      of.value = *value;
      of.labels.hardware = fields->system.hardware;
      of.labels.model = text(entry.config, "model").value_or("");
      of.labels.framework = text(entry.config, "backend").value_or("");
      of.labels.precision = fields->precision;
      of.labels.kind = quantity;
    }
  if (question.measurements.empty())
    throw Unpredictable("it has no figure that a rule knows");
  question.answer = [fields, measurements = question.measurements] {
    const std::string scenario = fmt::format("version: 1\nplatform: {}\nmodel: {{base: {}}}\ninference: {{}}\n",
                                             fields->system.base, config::double_quoted(fields->model.file));
    const analysis::Summary summary =
        analysis::summarize(run::simulate(scenario::parse(scenario, fields->entry.id, fields->assignments), {}));
    Answer answer{{}, fields->assumptions};
    for (const Measurement& measurement : measurements)
      answer.predictions.push_back({predicted(measurement.quantity, summary, *fields), std::nullopt});
    return answer;
  };
  return question;
}

} // namespace moesim::validation
