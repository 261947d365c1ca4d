#include "simulator/validation/training_entry.hpp"

#include <algorithm>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "analysis/summary.hpp"
#include "simulator/config/yaml_text.hpp"
#include "simulator/run/simulate.hpp"
#include "simulator/scenario/scenario.hpp"
#include "simulator/validation/micro_batch.hpp"
#include "simulator/validation/training_fields.hpp"
#include "workloads/model.hpp"
#include "workloads/stage_memory.hpp"

namespace moesim::validation {
namespace {

using config::Node;

// The first quantity of the list that was measured; nullptr when none was.
const Node* quantity_of(const Entry& entry, const Node& quantities) {
  for (const Node& quantity : quantities.items)
    if (number(entry.measured, quantity.find("name")->scalar).value_or(0) > 0)
      return &quantity;
  return nullptr;
}

scenario::Scenario scenario_of(const TrainingFields& fields, const Degrees& degrees, const Vocabulary& vocabulary) {
  const std::string scenario =
      fmt::format("version: 1\nname: {}\nframework: {}\nplatform: {}\nmodel: {{base: {}}}\n",
                  config::double_quoted(fields.entry.id), fields.rule.find("framework")->scalar, fields.system.base,
                  config::double_quoted(fields.model.file));
  return scenario::parse(scenario, fields.entry.id, assignments(fields, degrees, vocabulary));
}

bool fits(const scenario::Scenario& scenario) {
  return std::ranges::all_of(workloads::stage_memories(scenario.training_job()), [&](const auto& stage) {
    return stage.at_peak.total() <= scenario.cluster.gpu.usable_memory();
  });
}

// With as many of a replica's sequences at a time as fit into memory.
scenario::Scenario with_largest_micro_batch(TrainingFields fields, std::int64_t sequences, const Vocabulary& vocabulary,
                                            std::vector<std::string>& assumptions) {
  for (std::int64_t size = sequences; size >= 1; --size) {
    if (sequences % size != 0)
      continue;
    fields.micro_batch_size = size;
    scenario::Scenario scenario = scenario_of(fields, fields.degrees, vocabulary);
    if (size > 1 && !fits(scenario))
      continue;
    assumptions.push_back(fmt::format("micro_batch_size: {}, the largest that fits into memory", size));
    return scenario;
  }
  throw Unpredictable("a replica has no sequence");
}

std::vector<std::int64_t> candidates(const std::optional<std::int64_t>& given, std::int64_t most) {
  if (given)
    return {*given};
  std::vector<std::int64_t> degrees;
  for (std::int64_t degree = 1; degree <= most; degree *= 2)
    degrees.push_back(degree);
  return degrees;
}

// The scenario, or, where the source leaves degrees open, the first that fits into memory, with the smallest pp, then
// tp, then ep.
scenario::Scenario chosen_scenario(const TrainingFields& fields, const Vocabulary& vocabulary,
                                   std::vector<std::string>& assumptions) {
  const Degrees& given = fields.degrees;
  if (const auto sequences = sequences_to_fit(fields))
    return with_largest_micro_batch(fields, *sequences, vocabulary, assumptions);
  if (given.tp && given.pp && given.ep)
    return scenario_of(fields, given, vocabulary);
  std::string refusal = "no parallel degrees fit into memory";
  for (const std::int64_t pp : candidates(given.pp, 64))
    for (const std::int64_t tp : candidates(given.tp, 8))
      for (const std::int64_t ep : candidates(given.ep, 64)) {
        try {
          scenario::Scenario scenario = scenario_of(fields, {tp, pp, ep}, vocabulary);
          if (!fits(scenario))
            continue;
          assumptions.push_back(fmt::format("parallel degrees that are not given: tp {}, pp {}, ep {}, the first that "
                                            "fit into memory",
                                            tp, pp, ep));
          return scenario;
        } catch (const InputError& error) {
          refusal = error.problems().front().message; // these do not divide
        }
      }
  throw Unpredictable(refusal);
}

// Of the model FLOPs that moesim counts, those that the source does: attention's part is proportional to the length, so
// that half of it is that of half the length.
double counted_share(const TrainingFields& fields, const workloads::ModelSpec& model) {
  if (text(fields.rule, "causal_flops") != "half")
    return 1;
  return workloads::model_flops(model, 1, fields.seq_length / 2) / workloads::model_flops(model, 1, fields.seq_length);
}

// What the quantity is, of a run.
double value_of(const std::string& what, const analysis::Summary& summary, const TrainingFields& fields,
                const workloads::ModelSpec& model) {
  if (what == "step-time")
    return summary.iteration_time_s;
  if (what == "tokens-per-gpu")
    return summary.tokens_per_s_per_gpu;
  if (what == "tokens")
    return summary.tokens_per_s;
  if (what == "sequences")
    return static_cast<double>(fields.global_batch_size) / summary.iteration_time_s;
  const double rate = what == "model-tflops" ? summary.model_tflops_per_gpu : what == "mfu" ? summary.mfu : summary.hfu;
  return rate * counted_share(fields, model);
}

Labels labels_of(const TrainingFields& fields) {
  Labels labels;
  labels.hardware = fields.system.hardware;
  labels.model = text(fields.entry.config, "model").value_or("");
  labels.framework = fields.framework;
  labels.precision = fields.precision;
  labels.release = fields.release.empty() ? "" : fmt::format("{} {}", fields.framework, fields.release);
  return labels;
}

std::vector<Measurement> measurements_of(const TrainingFields& fields, const Vocabulary& vocabulary) {
  const Entry& entry = fields.entry;
  std::vector<Measurement> list;
  if (const Node* quantity = quantity_of(entry, *vocabulary.training.find("quantities"))) {
    Measurement& of = list.emplace_back();
    of.id = entry.id;
    of.quantity = quantity->find("name")->scalar;
    of.value = *number(entry.measured, of.quantity);
    of.labels = labels_of(fields);
    of.size = static_cast<double>(fields.global_batch_size * fields.seq_length);
    of.size_unit = "tokens in a step";
    if (quantity->find("is")->scalar == "step-time")
      of.work = static_cast<double>(fields.global_batch_size * fields.seq_length) / static_cast<double>(fields.gpus);
    of.comparable = fmt::format(
        "{}", fmt::join({of.labels.model, entry.system, fmt::to_string(fields.gpus), fmt::to_string(fields.seq_length),
                         fields.precision, entry.source, fields.release, of.labels.framework, of.quantity},
                        "|"));
  }
  if (const Node* memory = quantity_of(entry, *vocabulary.training.find("memory"))) {
    Measurement& of = list.emplace_back();
    of.id = entry.id;
    of.quantity = memory_quantity;
    of.value = *number(entry.measured, memory->find("name")->scalar) * *number(*memory, "unit");
    of.labels = labels_of(fields);
  }
  if (list.empty())
    throw Unpredictable("it has no figure that a rule knows");
  return list;
}

Answer answer_of(const TrainingFields& fields, const std::vector<Measurement>& measurements,
                 const Vocabulary& vocabulary) {
  Answer answer;
  answer.assumptions = fields.assumptions;
  const scenario::Scenario scenario = chosen_scenario(fields, vocabulary, answer.assumptions);
  const analysis::Summary summary = analysis::summarize(run::simulate(scenario, {}));
  for (const Measurement& measurement : measurements) {
    if (measurement.quantity == memory_quantity) {
      answer.predictions.push_back({summary.peak_memory_bytes, std::nullopt});
      continue;
    }
    const Node& quantity = *quantity_of(fields.entry, *vocabulary.training.find("quantities"));
    answer.predictions.push_back(
        {value_of(quantity.find("is")->scalar, summary, fields, scenario.job().model), summary.mfu});
  }
  return answer;
}

} // namespace

Question training_question(const Entry& entry, const Aliases& aliases, const Vocabulary& vocabulary) {
  const auto fields = std::make_shared<const TrainingFields>(training_fields(entry, aliases, vocabulary));
  Question question{entry.id, measurements_of(*fields, vocabulary), {}};
  question.answer = [fields, measurements = question.measurements, &vocabulary] {
    return answer_of(*fields, measurements, vocabulary);
  };
  return question;
}

} // namespace moesim::validation
