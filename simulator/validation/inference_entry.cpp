#include "simulator/validation/inference_entry.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <memory>

#include <fmt/format.h>

#include "simulator/config/yaml_text.hpp"
#include "simulator/validation/step_times.hpp"
#include "simulator/validation/system.hpp"

namespace moesim::validation {
namespace {

using config::Node;

// Ranks of a server, and of its experts.
struct Degrees {
  std::int64_t tp = 1;
  std::int64_t pp = 1;
  std::int64_t ep = 1;
  std::int64_t etp = 1;
  std::int64_t gpus = 1;
  [[nodiscard]] std::int64_t dp() const { return std::max<std::int64_t>(1, gpus / (tp * pp)); }
};

struct InferenceFields {
  System system;
  Deployment deployment;
  Batch batch; // at most, of a replica
  Clients clients;
  double memory = 1; // share that weights and cache may fill
  std::string precision;
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

// Experts of a tensor-parallel server lie on its ranks: what is no expert parallelism is tensor parallelism.
Degrees degrees_of(const Entry& entry, const Vocabulary& vocabulary, bool has_experts,
                   std::vector<std::string>& assumptions) {
  Degrees of{.tp = degree(entry, "tensor_model_parallel_size"),
             .pp = degree(entry, "pipeline_model_parallel_size"),
             .ep = degree(entry, "moe_expert_parallel_size"),
             .etp = degree(entry, "moe_tensor_parallel_size"),
             .gpus = required(entry, "num_gpus")};
  if (of.ep > 1 && of.ep == of.etp && of.ep * of.etp == of.gpus &&
      first_rule(vocabulary.inference, "overlaid", entry.source) != nullptr) {
    assumptions.push_back(fmt::format("{} GPUs: the source multiplies degrees of the same GPUs", of.ep));
    of.tp = std::max<std::int64_t>(1, of.tp / of.etp);
    of.gpus = of.ep;
    of.etp = 1;
  }
  if (!has_experts)
    of.etp = 1;
  else if (of.tp > 1 && of.dp() == 1 && of.tp % of.ep == 0)
    of.etp = of.tp / of.ep;
  return of;
}

std::vector<std::string> assignments_of(const Degrees& degrees, bool has_experts) {
  std::vector<std::string> list;
  const auto set = [&](const char* field, const auto& value) {
    list.push_back(fmt::format("parallel.{}={}", field, value));
  };
  set("tp", degrees.tp);
  set("pp", degrees.pp);
  set("dp", degrees.dp());
  set("ep", degrees.ep);
  set("etp", degrees.etp);
  if (has_experts && degrees.tp > 1 && degrees.ep * degrees.etp == degrees.tp)
    set("sequence_parallel", false);
  return list;
}

// `concurrency` counts requests under way over all replicas, `batch_size` those of a replica.
std::int64_t concurrency_of(const Entry& entry, std::int64_t replicas) {
  if (const auto concurrency = number(entry.config, "concurrency"); concurrency && *concurrency >= 1)
    return std::max<std::int64_t>(1, std::llround(*concurrency / static_cast<double>(replicas)));
  return required(entry, "batch_size");
}

// Of one replica.
Clients clients_of(const Entry& entry, const Vocabulary& vocabulary, std::int64_t replicas,
                   std::vector<std::string>& assumptions) {
  Clients clients{.concurrency = concurrency_of(entry, replicas),
                  .prompt_length = required(entry, "input_length"),
                  .output_length = required(entry, "output_length")};
  const Node& rule = *first_rule(vocabulary.inference, "clients", entry.where);
  clients.requests = clients.concurrency * *integer(rule, "rounds");
  clients.shortest = *number(rule, "shortest");
  if (const auto assumed = text(rule, "assumed"))
    assumptions.push_back(*assumed);
  return clients;
}

// What the engine does besides what the entry says.
struct Engine {
  std::int64_t tokens_per_step = 1;
  double memory = 1; // share that weights and cache may fill
  std::string kv_cache;
};

Engine engine_of(const Entry& entry, const System& system, const Vocabulary& vocabulary) {
  const std::string backend = text(entry.config, "backend").value_or("");
  const Node* rule = first_rule(vocabulary.inference, "engines", backend + " " + system.hardware);
  if (rule == nullptr)
    throw Unpredictable(fmt::format("no rule knows the engine '{}'", backend));
  return {*integer(*rule, "tokens_per_step"), *number(*rule, "memory"), *text(*rule, "kv_cache")};
}

InferenceFields fields_of(const Entry& published, const Aliases& aliases, const Vocabulary& vocabulary) {
  refuse_phases(published);
  InferenceFields fields;
  const Entry entry = aliases.completed(published, fields.assumptions);
  const Model model = aliases.model_of(entry);
  const bool has_experts = integer(model.fields, "num_experts_per_tok").has_value();
  const Degrees degrees = degrees_of(entry, vocabulary, has_experts, fields.assumptions);
  fields.system = system_of(entry, degrees.gpus, vocabulary);
  fields.precision = precision_of(entry, vocabulary, fields.assumptions);
  fields.clients = clients_of(entry, vocabulary, degrees.dp(), fields.assumptions);
  const double mean_length = (1 + fields.clients.shortest) / 2;
  const auto mean = [&](std::int64_t longest) { return std::llround(static_cast<double>(longest) * mean_length); };
  fields.batch = {fields.clients.concurrency, mean(fields.clients.prompt_length), mean(fields.clients.output_length)};
  const Engine engine = engine_of(entry, fields.system, vocabulary);
  fields.clients.tokens_per_step = engine.tokens_per_step;
  fields.memory = engine.memory;
  fields.deployment = {entry.id,
                       fmt::format("version: 1\nplatform: {}\nmodel: {{base: {}}}\ninference: {{}}\n",
                                   fields.system.base, config::double_quoted(model.file)),
                       fields.system.assignments, degrees.dp()};
  std::vector<std::string>& list = fields.deployment.assignments;
  list.insert(list.end(), model.assignments.begin(), model.assignments.end());
  std::ranges::move(assignments_of(degrees, has_experts), std::back_inserter(list));
  list.push_back(fmt::format("inference.precision={}", fields.precision));
  if (fields.precision != "bf16")
    list.push_back(fmt::format("inference.kv_cache_precision={}", engine.kv_cache));
  list.emplace_back("simulation.algorithms.tp=custom"); // what the engines do unless told otherwise
  return fields;
}

Served served_by(const InferenceFields& fields) {
  Clients clients = fields.clients;
  clients.slots = std::min(clients.concurrency, sequences_in_memory(fields.deployment, fields.batch, fields.memory));
  if (clients.slots < 1)
    throw Unpredictable("the weights leave no memory for one sequence");
  return serve(step_times(fields.deployment, fields.batch, clients.tokens_per_step), clients);
}

double predicted(const std::string& quantity, const Served& served) {
  if (quantity == "ttft_ms")
    return served.ttft.value() * 1e3;
  if (served.tpot == Seconds(0))
    throw Unpredictable("one output token has no time per further token");
  return served.tpot.value() * 1e3;
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
      of.size = static_cast<double>(fields->clients.concurrency * fields->deployment.dp *
                                    (fields->clients.prompt_length + fields->clients.output_length));
      of.size_unit = "tokens under way";
      of.labels.hardware = fields->system.hardware;
      of.labels.model = text(entry.config, "model").value_or("");
      of.labels.framework = text(entry.config, "backend").value_or("");
      of.labels.precision = fields->precision;
      of.labels.kind = quantity;
    }
  if (question.measurements.empty())
    throw Unpredictable("it has no figure that a rule knows");
  question.answer = [fields, measurements = question.measurements] {
    const Served served = served_by(*fields);
    Answer answer{{}, fields->assumptions};
    for (const Measurement& measurement : measurements)
      answer.predictions.push_back({predicted(measurement.quantity, served), std::nullopt});
    return answer;
  };
  return question;
}

} // namespace moesim::validation
