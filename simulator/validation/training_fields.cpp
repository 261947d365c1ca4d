#include "simulator/validation/training_fields.hpp"

#include <algorithm>
#include <numeric>
#include <regex>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "simulator/validation/micro_batch.hpp"
#include "simulator/validation/recipes.hpp"
#include "simulator/validation/training_source.hpp"

namespace moesim::validation {
namespace {

using config::Node;

std::int64_t required(const Entry& entry, const char* field) {
  if (const auto value = integer(entry.config, field))
    return *value;
  throw Unpredictable(fmt::format("{} is not given", field));
}

// 0 and "none" are no sharding, anything else is: a size of groups, a name.
std::optional<bool> is_fully_sharded(const Entry& entry) {
  const auto given = text(entry.config, "fsdp");
  return given ? std::optional(*given != "0" && *given != "none") : std::nullopt;
}

std::string recompute_value(const std::string& words, const Vocabulary& vocabulary) {
  const Node* rule = first_rule(vocabulary.training, "recompute", words);
  if (rule == nullptr)
    throw Unpredictable(fmt::format("no rule knows what '{}' computes again", words));
  std::smatch layers;
  if (std::regex_search(words, layers, std::regex("full: (\\d+) layers")))
    return fmt::format("{{granularity: full, method: block, num_layers: {}}}", layers[1].str());
  if (const Node* value = rule->find("set"))
    return value->scalar;
  std::vector<std::string> modules;
  std::string part;
  for (const char letter : words + ",") {
    if (letter != ',' && letter != ':') {
      part += letter;
      continue;
    }
    const Node* module = first_rule(vocabulary.training, "recompute_modules", part);
    if (module != nullptr && std::ranges::count(modules, module->find("name")->scalar) == 0)
      modules.push_back(module->find("name")->scalar);
    part.clear();
  }
  if (modules.empty())
    throw Unpredictable(fmt::format("no rule knows what '{}' computes again", words));
  return fmt::format("{{granularity: selective, modules: [{}]}}", fmt::join(modules, ", "));
}

// Layers of each (virtual) stage: as many each as there are at most, one less on the last, the first, once more on the
// last where that leaves some (DeepSeek-V3 in NeMo 2.3, nemo/collections/llm/recipes/deepseek_v3.py), and so on from
// the end, as embedding and head are work, too.
std::vector<std::int64_t> spread(std::int64_t layers, std::int64_t stages) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(stages), (layers + stages - 1) / stages);
  std::int64_t surplus = std::accumulate(counts.begin(), counts.end(), std::int64_t{0}) - layers;
  std::vector<std::size_t> order{counts.size() - 1, 0};
  if (counts.back() > 2)
    order.push_back(counts.size() - 1);
  for (std::size_t at = counts.size() - 1; at-- > 1;)
    order.push_back(at);
  for (std::size_t next = 0; surplus > 0 && next < counts.size(); ++next, --surplus)
    --counts[order[next]];
  return counts;
}

// Settings that only mean something with ranks to speak to.
bool applies(const std::string& field, const Degrees& degrees) {
  if (field == "training.overlap.tp" || field == "parallel.sequence_parallel")
    return *degrees.tp > 1;
  if (field == "training.overlap.pp")
    return *degrees.pp > 1;
  return (field != "training.overlap.expert" && field != "parallel.etp") || *degrees.ep > 1;
}

// Chunks of a stage; where neither the source nor its rule says, an interleaved schedule has two.
std::int64_t chunks_of(const TrainingFields& fields, const Degrees& degrees) {
  if (const auto given = integer(fields.entry.config, "virtual_pipeline_model_parallel_size"))
    return std::max<std::int64_t>(1, *given);
  if (text(fields.rule, "chunks") == "layers")
    return std::max<std::int64_t>(1, integer(fields.model.fields, "num_hidden_layers").value_or(1) / *degrees.pp);
  if (const auto given = integer(fields.rule, "chunks"))
    return *given;
  return fields.schedule == "interleaved-1f1b" ? 2 : 1;
}

void add_stages(const TrainingFields& fields, const Degrees& degrees, std::vector<std::string>& list) {
  const Node& config = fields.entry.config;
  if (auto layout = text(config, "pp_layout")) {
    if (!flag(config, "mtp").value_or(true))
      std::erase(*layout, 'm');
    list.push_back(fmt::format("parallel.layout=\"{}\"", *layout));
    list.push_back(fmt::format("training.mtp_num_layers={}", std::ranges::count(*layout, 'm')));
    return;
  }
  const std::int64_t chunks = chunks_of(fields, degrees);
  if (chunks > 1 && *degrees.pp > 1)
    list.push_back(fmt::format("parallel.vpp={}", chunks));
  const std::int64_t stages = *degrees.pp * (*degrees.pp > 1 ? chunks : 1);
  const std::int64_t layers = integer(fields.model.fields, "num_hidden_layers").value_or(stages);
  if (layers % stages != 0)
    list.push_back(fmt::format("parallel.layers_per_stage=[{}]", fmt::join(spread(layers, stages), ", ")));
}

// What the source does not say, and the framework does.
void note_assumptions(TrainingFields& fields) {
  std::string assumption = fmt::format("{}, framework {}",
                                       fields.rule.find("words")->items.empty() ? "no rule knows its framework"
                                                                                : "where the entry does not say",
                                       fields.rule.find("framework")->scalar);
  if (const Node* differing = fields.rule.find("set"))
    for (const config::Entry& field : differing->entries)
      assumption += fmt::format(", {}: {}", field.key, field.value.scalar);
  fields.assumptions.push_back(assumption);
  const Node& config = fields.entry.config;
  if (assumes_one_sequence(fields))
    fields.assumptions.emplace_back("micro_batch_size: 1");
  if (!text(config, "precision"))
    fields.assumptions.push_back("precision: " + fields.precision);
}

// A name or a list of modules, as a scenario has them; none where the entry does not say.
std::optional<std::string> cuda_graph_scope(const Node& config, const Vocabulary& vocabulary) {
  const Node* extra = config.find("extra");
  const Node* scope = config.find("cuda_graph_scope");
  if (scope == nullptr && extra != nullptr)
    scope = extra->find("cuda_graph_scope");
  if (text(config, "cuda_graph_impl") == "full_iteration")
    return "full_iteration";
  if (scope == nullptr || scope->kind == Node::Kind::Null)
    return std::nullopt;
  if (scope->scalar == "full_iteration")
    return scope->scalar;
  std::vector<std::string> modules;
  for (const Node& module : vocabulary.training.find("cuda_graph_modules")->items)
    if (scope->scalar == module.scalar ||
        std::ranges::any_of(scope->items, [&](const Node& item) { return item.scalar == module.scalar; }))
      modules.push_back(module.scalar);
  return fmt::format("[{}]", fmt::join(modules, ", "));
}

// What the entry itself says of how it is trained.
void add_own(const TrainingFields& fields, const Degrees& degrees, const Vocabulary& vocabulary,
             std::vector<std::string>& list) {
  const Node& config = fields.entry.config;
  if (text(fields.rule, "fsdp") == "option" && is_fully_sharded(fields.entry).value_or(false))
    // Megatron-LM, docs/user-guide/features/megatron_fsdp.md, frequently used options: --grad-reduce-in-bf16
    list.insert(list.end(), {"training.sharding=zero-3", "training.overlap.param_gather=true",
                             "training.grad_reduce_in_fp32=false"});
  if (!fields.schedule.empty() && *degrees.pp > 1)
    list.push_back("training.schedule=" + fields.schedule);
  if (const auto strategy = text(config, "sharding_strategy"))
    list.push_back(fmt::format("training.sharding={}", *strategy == "SHARD_GRAD_OP" ? "zero-2" : "zero-3"));
  if (const auto mode = text(config, "mp_mode"))
    list.push_back(fmt::format("training.grad_reduce_in_fp32={}", *mode != "PURE"));
  const Node* dispatcher =
      first_rule(vocabulary.training, "dispatchers", text(config, "moe_token_dispatcher").value_or(""));
  if (dispatcher != nullptr && fields.has_experts && *degrees.ep > 1)
    list.push_back("moe.dispatcher=" + dispatcher->find("name")->scalar);
  const Node* routing = first_rule(vocabulary.training, "routings", text(config, "moe_load_balancing").value_or(""));
  if (routing != nullptr && fields.has_experts)
    list.push_back("moe.routing=" + routing->find("set")->scalar);
  if (const auto recompute = text(config, "recompute"))
    list.push_back("training.recompute=" + recompute_value(*recompute, vocabulary));
  if (const auto given = flag(config, "sequence_parallel"); given && *degrees.tp > 1) {
    list.push_back(fmt::format("parallel.sequence_parallel={}", *given));
    if (!*given) // what the framework would overlap is not there
      list.emplace_back("training.overlap.tp=false");
  }
  if (const auto given = flag(config, "mtp"); given && !*given)
    list.emplace_back("training.mtp_num_layers=0");
  if (const auto scope = cuda_graph_scope(config, vocabulary))
    list.push_back("training.cuda_graph_scope=" + *scope);
  for (const Node& rule : vocabulary.training.find("switches")->items) {
    const std::string& field = rule.find("set")->scalar;
    const auto given = flag(config, rule.find("field")->scalar);
    const Node* as = rule.find("as");
    if (given && applies(field, degrees) && (as == nullptr || *given))
      list.push_back(as == nullptr ? fmt::format("{}={}", field, *given) : fmt::format("{}={}", field, as->scalar));
  }
}

// Ranks that exchange tokens for heads (DeepSpeed-Ulysses).
std::int64_t ulysses_size(const Node& config) {
  return std::max<std::int64_t>(1, integer(config, "attention_sequence_parallel_ulysses_size").value_or(1));
}

std::int64_t context_parallel_size(const Node& config) {
  return std::max<std::int64_t>(1, integer(config, "context_parallel_size").value_or(1)) * ulysses_size(config);
}

// What a rule says that differs from what the framework does, or the model's file says.
void add_differences(const Node* rule, const Degrees& degrees, std::vector<std::string>& list) {
  const Node* differing = rule == nullptr ? nullptr : rule->find("set");
  if (differing == nullptr)
    return;
  for (const config::Entry& field : differing->entries)
    if (applies(field.key, degrees))
      list.push_back(fmt::format("{}={}", field.key, field.value.scalar));
}

void add_degrees(const TrainingFields& fields, const Degrees& degrees, std::vector<std::string>& list) {
  list.push_back(fmt::format("parallel.tp={}", *degrees.tp));
  list.push_back(fmt::format("parallel.pp={}", *degrees.pp));
  if (fields.has_experts)
    list.push_back(fmt::format("parallel.ep={}", *degrees.ep));
  const Node& config = fields.entry.config;
  if (fields.cp > 1)
    list.push_back(fmt::format("parallel.cp={}", fields.cp));
  if (ulysses_size(config) > 1)
    list.emplace_back("parallel.cp_comm_type=a2a");
  list.push_back(fmt::format("parallel.dp={}", replicas(fields, degrees)));
  std::optional<std::int64_t> etp = integer(config, "expert_tensor_parallel_size");
  if (!etp && text(fields.rule, "etp") == "tp")
    etp = degrees.tp;
  if (etp && fields.has_experts)
    list.push_back(fmt::format("parallel.etp={}", std::max<std::int64_t>(1, *etp)));
}

} // namespace

TrainingFields training_fields(const Entry& entry, const Aliases& aliases, const Vocabulary& vocabulary) {
  TrainingFields fields;
  fields.entry = aliases.completed(entry, fields.assumptions);
  const Node& config = fields.entry.config;
  fields.gpus = required(fields.entry, "num_gpus");
  if (fields.gpus < 1)
    throw Unpredictable("num_gpus is 0");
  fields.system = system_of(fields.entry, fields.gpus, vocabulary);
  fields.model = aliases.model_of(fields.entry);
  for (const char* experts : {"num_experts", "num_local_experts", "n_routed_experts"})
    fields.has_experts = fields.has_experts || integer(fields.model.fields, experts).value_or(0) > 1;
  fields.rule = framework_of(fields.entry, vocabulary, fields.assumptions);
  const Node& framework = fields.rule;
  if (const Node* schedule = first_rule(vocabulary.training, "schedules",
                                        text(config, "schedule").value_or(text(framework, "schedule").value_or(""))))
    fields.schedule = schedule->find("name")->scalar;
  fields.framework = framework.find("name")->scalar;
  fields.release = release_of(fields.entry, vocabulary);
  fields.precision = precision_of(fields.entry, framework, vocabulary);
  fields.degrees = {integer(config, "tensor_model_parallel_size"), integer(config, "pipeline_model_parallel_size"),
                    integer(config, "expert_model_parallel_size")};
  if (!fields.has_experts)
    fields.degrees.ep = 1;
  fields.cp = context_parallel_size(config);
  note_assumptions(fields);
  complete_by_recipe(fields, vocabulary);
  fields.seq_length = required(fields.entry, "seq_length");
  if (const auto batch = integer(config, "global_batch_size"))
    fields.global_batch_size = *batch;
  else
    fields.global_batch_size = required(fields.entry, "local_batch_size") * fields.gpus /
                               (fields.degrees.tp.value_or(1) * fields.degrees.pp.value_or(1) * fields.cp);
  return fields;
}

std::vector<std::string> assignments(const TrainingFields& fields, const Degrees& degrees,
                                     const Vocabulary& vocabulary) {
  std::vector<std::string> list = fields.system.assignments;
  list.insert(list.end(), fields.model.assignments.begin(), fields.model.assignments.end());
  const auto position = text(fields.model.fields, "position_embedding_type");
  if (position && position->starts_with("learned")) // a table has as many rows as the run has positions
    list.push_back(fmt::format("model.max_position_embeddings={}", fields.seq_length));
  const std::string model = text(fields.entry.config, "model").value_or("");
  add_differences(first_rule(vocabulary.training, "models", model), degrees, list);
  add_differences(&fields.rule, degrees, list);
  add_degrees(fields, degrees, list);
  add_stages(fields, degrees, list);
  list.push_back(fmt::format("training.global_batch_size={}", fields.global_batch_size));
  list.push_back(fmt::format("training.micro_batch_size={}", micro_batch_size(fields, degrees)));
  list.push_back(fmt::format("training.seq_length={}", fields.seq_length));
  list.push_back(fmt::format("training.precision={}", fields.precision));
  add_own(fields, degrees, vocabulary, list);
  return list;
}

} // namespace moesim::validation
