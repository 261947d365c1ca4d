#include "simulator/validation/inference_fields.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>

#include <fmt/format.h>

#include "simulator/config/yaml_text.hpp"

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

std::int64_t required(const Entry& entry, const char* field) {
  const auto value = integer(entry.config, field);
  if (!value || *value < 1)
    throw Unpredictable(fmt::format("{} is not given", field));
  return *value;
}

std::int64_t degree(const Entry& entry, const char* field) {
  return std::max<std::int64_t>(1, integer(entry.config, field).value_or(1));
}

Serving serving_of(const Entry& entry) {
  const std::string phase = text(entry.config, "phase").value_or("");
  if (phase == "prefill")
    return Serving::Prefill;
  if (phase == "decode")
    return Serving::Decode;
  if (text(entry.config, "mode").value_or("") != "agg")
    throw Unpredictable("prefill and decode have GPUs of their own, which moesim does not simulate");
  return phase.find("offline") != std::string::npos ? Serving::Offline : Serving::Served;
}

// What products multiply in, and their weights; those of experts, too, where these have their own.
struct Precisions {
  std::string products;
  std::string weights;
  std::string of_experts{};
  std::string expert_weights{};
};

bool multiplies(const platforms::Gpu& gpu, const std::string& name) {
  const auto* known = std::ranges::find_if(all_precisions, [&](Precision one) { return name_of(one) == name; });
  return known == all_precisions.end() || gpu.peak[static_cast<std::size_t>(*known)];
}

// That of the weights where the source says none. GPUs that do not multiply what weights are stored in get them in
// BF16.
Precisions precisions_of(const Entry& entry, const System& system, const Vocabulary& vocabulary,
                         std::vector<std::string>& assumptions) {
  const platforms::Gpu gpu = cluster_of(system).gpu;
  const std::string model = text(entry.config, "model").value_or("");
  if (const Node* rule = first_rule(vocabulary.inference, "expert_precisions", model)) {
    const std::string products = *text(*rule, "products");
    return {"bf16", "bf16", multiplies(gpu, products) ? products : "bf16", *text(*rule, "weights")};
  }
  const auto words = text(entry.config, "precision");
  if (!words) {
    assumptions.emplace_back("precision: bf16, that of the weights");
    return {"bf16", "bf16"};
  }
  const std::string described =
      fmt::format("{} {} {} {}", *words, model, text(entry.config, "backend").value_or(""), system.hardware);
  const Node* rule = first_rule(vocabulary.inference, "precisions", described);
  if (rule == nullptr)
    throw Unpredictable(fmt::format("no rule knows the precision '{}'", *words));
  const std::string name = rule->find("name")->scalar;
  const std::string of_experts = text(*rule, "experts").value_or("");
  if (multiplies(gpu, name))
    return {name, name, of_experts, of_experts};
  assumptions.push_back(fmt::format("products in bf16: {} has none in {}", system.hardware, name));
  return {"bf16", name};
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
  // Engines ask for tp x dp = etp x ep; a source that does not give dp may have counted too few GPUs.
  const std::int64_t of_experts = of.ep * of.etp * of.pp;
  if (has_experts && !integer(entry.config, "attention_data_parallel_size") && of_experts > of.gpus) {
    assumptions.push_back(fmt::format("{} GPUs: as many as its experts are on", of_experts));
    of.gpus = of_experts;
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

// Of one replica. `concurrency` counts requests under way over all of them, `batch_size` those of one.
Clients clients_of(const Entry& entry, const Vocabulary& vocabulary, std::int64_t replicas,
                   std::vector<std::string>& assumptions) {
  Clients clients{.prompt_length = required(entry, "input_length"), .output_length = required(entry, "output_length")};
  const auto concurrency = number(entry.config, "concurrency");
  clients.concurrency = concurrency && *concurrency >= 1
                            ? std::max<std::int64_t>(1, std::llround(*concurrency / static_cast<double>(replicas)))
                            : required(entry, "batch_size");
  const std::string described = fmt::format("{} {}", entry.where, text(entry.config, "backend").value_or(""));
  const std::string release = text(entry.config, "backend_version").value_or("");
  const Node& rule = *first_rule(vocabulary.inference, "clients", described, release); // the last one is for any
  clients.requests = clients.concurrency * *integer(rule, "rounds");
  const double longest = *number(rule, "longest");
  clients.shortest = *number(rule, "shortest") / longest;
  for (std::int64_t* length : {&clients.prompt_length, &clients.output_length})
    *length = std::llround(static_cast<double>(*length) * longest);
  clients.request = Seconds(*number(rule, "request_ms") * 1e-3);
  clients.prompt_token = Seconds(*number(rule, "token_us") * 1e-6);
  if (const auto assumed = text(rule, "assumed"))
    assumptions.push_back(*assumed);
  return clients;
}

// All requests are there at the start.
Clients offline_clients(const Entry& entry, std::int64_t replicas) {
  const std::int64_t requests = std::max<std::int64_t>(1, required(entry, "num_requests") / replicas);
  return {.requests = requests,
          .concurrency = requests,
          .prompt_length = required(entry, "input_length"),
          .output_length = required(entry, "output_length")};
}

// A batch is given as sequences, or as tokens, of a GPU.
Batch fixed_batch(const Entry& entry, Serving serving, std::int64_t gpus_of_replica) {
  const std::int64_t length = required(entry, "input_length");
  const std::int64_t of_gpu = required(entry, "batch_size");
  const bool is_tokens = text(entry.config, "batch_size_unit").value_or("").find("tokens") != std::string::npos;
  const std::int64_t sequences = (is_tokens ? of_gpu / length : of_gpu) * gpus_of_replica;
  return {std::max<std::int64_t>(1, sequences), length, serving == Serving::Prefill ? 1 : 2};
}

void read_work(const Entry& entry, const Vocabulary& vocabulary, const Degrees& degrees, InferenceFields& fields) {
  fields.serving = serving_of(entry);
  if (fields.serving == Serving::Prefill || fields.serving == Serving::Decode) {
    fields.batch = fixed_batch(entry, fields.serving, degrees.tp * degrees.pp);
    return;
  }
  fields.clients = fields.serving == Serving::Offline ? offline_clients(entry, degrees.dp())
                                                      : clients_of(entry, vocabulary, degrees.dp(), fields.assumptions);
  const double mean_length = (1 + fields.clients.shortest) / 2;
  const auto mean = [&](std::int64_t longest) { return std::llround(static_cast<double>(longest) * mean_length); };
  fields.batch = {fields.clients.concurrency, mean(fields.clients.prompt_length), mean(fields.clients.output_length)};
}

std::vector<std::string> all_assignments(const InferenceFields& fields, const Model& model, const Degrees& degrees,
                                         const Precisions& precisions, const Vocabulary& vocabulary, bool has_experts) {
  std::vector<std::string> list = fields.system.assignments;
  list.insert(list.end(), model.assignments.begin(), model.assignments.end());
  std::ranges::move(assignments_of(degrees, has_experts), std::back_inserter(list));
  list.push_back(fmt::format("inference.precision={}", precisions.products));
  list.push_back(fmt::format("inference.weight_precision={}", precisions.weights));
  if (has_experts && !precisions.of_experts.empty()) {
    list.push_back(fmt::format("inference.expert_precision={}", precisions.of_experts));
    list.push_back(fmt::format("inference.expert_weight_precision={}", precisions.expert_weights));
  }
  if (precisions.weights != "bf16" || !precisions.of_experts.empty())
    list.push_back(fmt::format("inference.kv_cache_precision={}", fields.engine.kv_cache));
  if (has_experts)
    list.push_back(fmt::format("moe.routing={}", *text(*first_rule(vocabulary.inference, "routings", ""), "set")));
  list.emplace_back("simulation.algorithms.tp=custom"); // what the engines do unless told otherwise
  if (has_experts && static_cast<double>(degrees.ep) > fields.gpus_of_node)
    list.insert(list.end(), fields.engine.wide.begin(), fields.engine.wide.end());
  return list;
}

} // namespace

InferenceFields inference_fields(const Entry& published, const Aliases& aliases, const Vocabulary& vocabulary) {
  InferenceFields fields;
  const Entry entry = aliases.completed(published, fields.assumptions);
  const Model model = aliases.model_of(entry);
  const bool has_experts = integer(model.fields, "num_experts_per_tok").has_value();
  const Degrees degrees = degrees_of(entry, vocabulary, has_experts, fields.assumptions);
  fields.system = system_of(entry, degrees.gpus, vocabulary);
  fields.gpus_of_replica = static_cast<double>(degrees.tp * degrees.pp);
  fields.gpus_of_node = static_cast<double>(cluster_of(fields.system).gpus_per_node);
  const Precisions precisions = precisions_of(entry, fields.system, vocabulary, fields.assumptions);
  fields.precision = precisions.expert_weights.empty() ? precisions.weights : precisions.expert_weights;
  read_work(entry, vocabulary, degrees, fields);
  fields.engine = engine_of(entry, fields.system.hardware, vocabulary);
  fields.deployment = {entry.id,
                       fmt::format("version: 1\nplatform: {}\nmodel: {{base: {}}}\ninference: {{}}\n",
                                   fields.system.base, config::double_quoted(model.file)),
                       all_assignments(fields, model, degrees, precisions, vocabulary, has_experts),
                       degrees.dp(),
                       fields.engine.launch_time,
                       fields.engine.kernel_gap};
  return fields;
}

} // namespace moesim::validation
