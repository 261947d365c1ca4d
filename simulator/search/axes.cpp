#include "simulator/search/axes.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

#include <fmt/format.h>

#include "schedulers/pipeline_schedule.hpp"
#include "simulator/base/divisors.hpp"
#include "simulator/base/input_error.hpp"
#include "simulator/config/map_reader.hpp"
#include "simulator/config/yaml_document.hpp"
#include "simulator/config/yaml_text.hpp"

namespace moesim::search {
namespace {

using Assignments = std::vector<std::string>;

constexpr std::string_view source = "--axis";
constexpr std::array<std::string_view, 2> switches{"false", "true"};
constexpr config::IntegerRange sizes{.min = 1, .max = 100'000'000};

// The scenario in a layout of one rank and without all that a variant sets: whatever one value is wrong with, is wrong
// with this value.
scenario::Scenario plain_with(const Subject& subject, const Assignments& added) {
  Assignments all = subject.assignments;
  all.emplace_back("parallel={dp: 1}");
  if (subject.scenario.is_training())
    all.insert(all.end(), {"training.global_batch_size=1", "training.micro_batch_size=1", "training.schedule=1f1b",
                           "training.recompute=none", "training.sharding=zero-1", "training.overlap={}"});
  else
    all.insert(all.end(), {"inference.batch_size=1", "inference.micro_batch_size=1", "inference.overlap={}"});
  all.insert(all.end(), added.begin(), added.end());
  return scenario::load(subject.file, all);
}

// Nothing, or what stays within a replica with more and more of what replicas and experts send, as `overlap:` takes it.
std::vector<std::string> overlaps(const workloads::ModelSpec& model) {
  std::vector<std::string> all{"{}"};
  for (const std::string_view experts : {"", ", expert: chunked", ", expert: true"})
    for (const std::string_view replicas : {"", ", grad_reduce: true", ", grad_reduce: true, param_gather: true"})
      if (experts.empty() || model.moe)
        all.push_back(fmt::format("{{pp: true, tp: true{}{}}}", replicas, experts));
  return all;
}

// None, what is cheap to compute again (as in DeepSeek-V3, arXiv 2412.19437, section 3.2.3), and everything.
std::vector<std::string> recomputations(const workloads::ModelSpec& model) {
  return {"none",
          fmt::format("{{granularity: selective, modules: [layernorm{}{}]}}", model.moe ? ", moe_act" : "",
                      model.mla ? ", mla_up_proj" : ""),
          "full"};
}

// The arguments as one map from axis to a list of values.
config::Node map_of(std::span<const std::string> arguments, Problems& problems) {
  config::Node map;
  map.kind = config::Node::Kind::Map;
  map.position = {std::string(source), 1, 1};
  for (const std::string& argument : arguments) {
    const std::size_t equals = argument.find('=');
    if (equals == std::string::npos) {
      problems.add({std::string(source), 1, 1}, "", "expected NAME=VALUE,VALUE, such as tp=4,8");
      continue;
    }
    const std::string name = argument.substr(0, equals);
    if (map.find(name) != nullptr) {
      problems.add({std::string(source), 1, 1}, name, "this axis is given twice; expected all of its values at once");
      continue;
    }
    try {
      // The bracket stands where the equals sign was, so that columns are those of the argument.
      map.entries.push_back(
          {name,
           {std::string(source), 1, 1},
           config::parse_yaml_value("[" + argument.substr(equals + 1) + "]",
                                    {std::string(source), 1, static_cast<int>(equals) + 1}, problems)});
    } catch (const InputError& error) {
      problems.add(error);
    }
  }
  return map;
}

class Reader {
public:
  Reader(const Subject& subject, std::span<const std::string> arguments)
      : subject_(subject), map_(map_of(arguments, problems_)), reader_(map_, "", problems_) {}

  // Values by default where the axis is not given.
  std::vector<std::int64_t> integers(std::string_view name, std::vector<std::int64_t> usual) {
    const std::vector<std::int64_t> given = reader_.integers_or_empty(name, sizes);
    return reader_.has(name) ? without_repetitions(name, given) : usual;
  }

  std::vector<std::string> words(std::string_view name, std::span<const std::string_view> known,
                                 std::vector<std::string> usual) {
    const std::vector<std::string> given = reader_.choices_or_empty(name, known);
    return reader_.has(name) ? without_repetitions(name, given) : usual;
  }

  // What a field of the scenario's `section` has after it was set to each value.
  template <class Value>
  std::vector<Choice<Value>> choices(std::string_view name, std::string_view section, std::vector<std::string> usual,
                                     const std::function<Value(const scenario::Scenario&)>& value_in) {
    if (const config::Node* node = reader_.node(name)) {
      usual.clear();
      for (const config::Node& item : node->items)
        usual.push_back(config::flow_text(item));
      usual = without_repetitions(name, usual);
    }
    std::vector<Choice<Value>> choices;
    for (const std::string& text : usual) {
      try {
        choices.push_back({text, value_in(plain_with(subject_, {fmt::format("{}.{}={}", section, name, text)}))});
      } catch (const InputError& error) {
        for (const Problem& problem : error.problems())
          reader_.problem(name, fmt::format("{}: {}", text, problem.message));
      }
    }
    return choices;
  }

  void finish() {
    reader_.finish();
    problems_.throw_if_any();
  }

private:
  template <class Value>
  std::vector<Value> without_repetitions(std::string_view name, const std::vector<Value>& values) {
    std::vector<Value> once;
    for (const Value& value : values)
      if (std::ranges::find(once, value) == once.end())
        once.push_back(value);
    if (once.empty() && problems_.empty())
      reader_.problem(name, "there is no value; expected at least one, or none of this axis");
    return once;
  }

  const Subject& subject_;
  Problems problems_;
  config::Node map_;
  config::MapReader reader_;
};

void read_training_axes(const Subject& subject, Reader& reader, Axes& axes) {
  using scenario::Scenario;
  const workloads::TrainingJob& job = subject.scenario.training_job();
  axes.vpp = reader.integers("vpp", {});
  axes.batch_size = reader.integers("global_batch_size", {job.training.global_batch_size});
  const std::vector<std::string_view> schedules = schedulers::schedule_names();
  axes.schedule = reader.words("schedule", schedules, {schedules.begin(), schedules.end()});
  axes.recompute =
      reader.choices<workloads::Recompute>("recompute", "training", recomputations(job.model),
                                           [](const Scenario& of) { return of.training_job().training.recompute; });
  axes.sharding =
      reader.choices<workloads::Sharding>("sharding", "training", {"none", "zero-1", "zero-2", "zero-3"},
                                          [](const Scenario& of) { return of.training_job().training.sharding; });
  axes.overlap = reader.choices<workloads::Overlap>("overlap", "training", overlaps(job.model), [](const Scenario& of) {
    return of.training_job().training.overlap;
  });
}

} // namespace

namespace {

// What the scenario's rules have set, once and for all, then `--set`.
Assignments settled(const scenario::Scenario& scenario, std::span<const std::string> assignments) {
  if (scenario.adaptations.empty())
    return {assignments.begin(), assignments.end()};
  Assignments all{"adapt=[]"};
  for (const scenario::Adaptation& adaptation : scenario.adaptations)
    all.insert(all.end(), adaptation.assignments.begin(), adaptation.assignments.end());
  all.insert(all.end(), assignments.begin(), assignments.end());
  return all;
}

} // namespace

Subject load_subject(const std::filesystem::path& file, std::span<const std::string> assignments, std::int64_t gpus) {
  scenario::Scenario scenario = scenario::load(file, assignments);
  Subject subject{file, settled(scenario, assignments), std::move(scenario), gpus};
  if (gpus == 0)
    subject.gpus = subject.scenario.job().sizes.world();
  const platforms::Cluster& cluster = subject.scenario.cluster;
  if (subject.gpus == subject.scenario.job().sizes.world() && subject.gpus <= cluster.gpu_count())
    return subject;
  const std::int64_t nodes = (subject.gpus + cluster.gpus_per_node - 1) / cluster.gpus_per_node;
  subject.assignments.push_back(fmt::format("platform.nodes={}", nodes));
  subject.scenario.cluster = plain_with(subject, {}).cluster;
  return subject;
}

Axes axes_of(const Subject& subject, std::span<const std::string> arguments) {
  const workloads::ModelSpec& model = subject.scenario.job().model;
  const bool is_training = subject.scenario.is_training();
  Reader reader(subject, arguments);
  Axes axes;
  axes.tp = reader.integers("tp", divisors(model.num_heads));
  axes.cp = is_training ? reader.integers("cp", divisors(subject.scenario.training_job().training.seq_length))
                        : std::vector<std::int64_t>{1};
  axes.pp = reader.integers("pp", divisors(subject.gpus));
  axes.ep = reader.integers("ep", model.moe ? divisors(model.moe->num_experts) : std::vector<std::int64_t>{1});
  axes.etp = reader.integers("etp", model.moe ? divisors(model.moe->intermediate_size) : std::vector<std::int64_t>{1});
  axes.dp = reader.integers("dp", {});
  axes.micro_batch_size = reader.integers("micro_batch_size", {});
  if (is_training) {
    read_training_axes(subject, reader, axes);
  } else {
    axes.batch_size = reader.integers("batch_size", {subject.scenario.inference_job().inference.batch_size});
    axes.two_batch = reader.words("two_batch", switches, {"false", "true"});
  }
  reader.finish();
  return axes;
}

} // namespace moesim::search
