#include "simulator/validation/inference_entry.hpp"

#include <algorithm>
#include <array>
#include <memory>

#include <fmt/format.h>

#include "simulator/validation/inference_fields.hpp"

namespace moesim::validation {
namespace {

// Figures that are compared, of the servings that have them.
struct Quantity {
  const char* name;
  bool is_of_batch; // of one phase by itself
};
constexpr std::array<Quantity, 6> quantities{{{"ttft_ms", false},
                                              {"tpot_ms", false},
                                              {"input_tokens_per_sec_per_gpu", true},
                                              {"input_tokens_per_sec_per_node", true},
                                              {"output_tokens_per_sec_per_gpu", true},
                                              {"output_tokens_per_sec_per_node", true}}};

bool is_compared(const Quantity& quantity, Serving serving) {
  const std::string_view name = quantity.name;
  switch (serving) {
  case Serving::Served:
    return !quantity.is_of_batch;
  case Serving::Offline:
  case Serving::Decode:
    return name.starts_with("output");
  case Serving::Prefill:
    return name.starts_with("input");
  }
  return false;
}

Served served_by(const InferenceFields& fields) {
  Clients clients = fields.clients;
  Batch batch = fields.batch;
  clients.slots = std::min(clients.concurrency,
                           sequences_in_memory(fields.deployment, batch, fields.engine.memory, fields.engine.windows));
  if (clients.slots < 1)
    throw Unpredictable("the weights leave no memory for one sequence");
  batch.sequences = clients.slots;
  const Policy& policy = fields.engine.policy;
  return serve(step_times(fields.deployment, batch, policy), clients, policy);
}

double per_gpu(const std::string& quantity, double tokens_per_second, const InferenceFields& fields) {
  const double rate = tokens_per_second / fields.gpus_of_replica;
  return quantity.ends_with("node") ? rate * fields.gpus_of_node : rate;
}

double of_served(const std::string& quantity, const Served& served, const InferenceFields& fields) {
  if (quantity == "ttft_ms")
    return served.ttft.value() * 1e3;
  if (quantity != "tpot_ms")
    return per_gpu(quantity, served.output_tokens / served.time.value(), fields);
  if (served.tpot == Seconds(0))
    throw Unpredictable("one output token has no time per further token");
  return served.tpot.value() * 1e3;
}

// A batch of prompts, or a token for each of its sequences.
double of_batch(const std::string& quantity, const InferenceFields& fields) {
  const record::RunFigures figures = figures_of(scenario_of(fields.deployment, fields.batch));
  const auto sequences = static_cast<double>(fields.batch.sequences);
  const double tokens =
      fields.serving == Serving::Prefill ? sequences * static_cast<double>(fields.batch.prompt_length) : sequences;
  return per_gpu(quantity, tokens / (fields.serving == Serving::Prefill ? figures.ttft : figures.tpot), fields);
}

Answer answer_of(const InferenceFields& fields, const std::vector<Measurement>& measurements) {
  const bool is_batch = fields.serving == Serving::Prefill || fields.serving == Serving::Decode;
  const Served served = is_batch ? Served{} : served_by(fields);
  Answer answer{{}, fields.assumptions};
  for (const Measurement& measurement : measurements)
    answer.predictions.push_back(
        {is_batch ? of_batch(measurement.quantity, fields) : of_served(measurement.quantity, served, fields),
         std::nullopt});
  return answer;
}

} // namespace

Question inference_question(const Entry& entry, const Aliases& aliases, const Vocabulary& vocabulary) {
  const auto fields = std::make_shared<const InferenceFields>(inference_fields(entry, aliases, vocabulary));
  Question question{entry.id, {}, {}};
  for (const Quantity& quantity : quantities)
    if (const auto value = number(entry.measured, quantity.name);
        value && *value > 0 && is_compared(quantity, fields->serving)) {
      Measurement& of = question.measurements.emplace_back();
      of.id = entry.id;
      of.quantity = quantity.name;
      of.value = *value;
      of.size = static_cast<double>(fields->batch.sequences * fields->deployment.dp *
                                    (fields->batch.prompt_length + fields->batch.output_length));
      of.size_unit = "tokens under way";
      of.labels.hardware = fields->system.hardware;
      of.labels.model = text(entry.config, "model").value_or("");
      of.labels.framework = text(entry.config, "backend").value_or("");
      of.labels.precision = fields->precision;
      of.labels.kind = quantity.name;
    }
  if (question.measurements.empty())
    throw Unpredictable("it has no figure that a rule knows");
  question.answer = [fields, measurements = question.measurements] { return answer_of(*fields, measurements); };
  return question;
}

} // namespace moesim::validation
