#include "simulator/search/measure.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "analysis/summary.hpp"
#include "simulator/run/simulate.hpp"
#include "simulator/scenario/scenario.hpp"

namespace moesim::search {
namespace {

nlohmann::json figures(const analysis::Summary& summary) {
  nlohmann::json json{{"time", summary.iteration_time_s},
                      {"tokens_per_s", summary.tokens_per_s},
                      {"compute", summary.time.compute},
                      {"bubble", summary.time.bubble()},
                      {"exposed", summary.time.exposed}};
  if (summary.inference) {
    json["ttft"] = summary.inference->ttft_s;
    json["output_tokens_per_s"] = summary.inference->output_tokens_per_s;
    if (summary.inference->tpot_s)
      json["tpot"] = *summary.inference->tpot_s;
  }
  return json;
}

} // namespace

std::string measure(const std::filesystem::path& file, std::span<const std::string> assignments, Bytes memory_limit) {
  const scenario::Scenario scenario = scenario::load(file, assignments);
  Bytes memory = estimated_memory(scenario);
  if (memory > memory_limit)
    return nlohmann::json{{"memory", memory.value()}, {"fits", false}}.dump();
  const analysis::Summary summary = analysis::summarize(run::simulate(scenario, [](std::size_t, std::size_t) {}));
  memory = std::max(memory, Bytes(summary.peak_memory_bytes));
  nlohmann::json json = figures(summary);
  json["memory"] = memory.value();
  json["fits"] = memory <= memory_limit;
  return json.dump();
}

Measurement read_measurement(const std::string& bytes) {
  const nlohmann::json json = nlohmann::json::parse(bytes);
  Measurement result;
  result.memory = Bytes(json.at("memory"));
  result.fits = json.at("fits");
  if (!result.fits)
    return result;
  result.time = Seconds(json.at("time"));
  result.tokens_per_s = json.at("tokens_per_s");
  result.compute = Seconds(json.at("compute"));
  result.bubble = Seconds(json.at("bubble"));
  for (std::size_t at = 0; at < result.exposed.size(); ++at)
    result.exposed[at] = Seconds(json.at("exposed")[at]);
  if (!json.contains("ttft"))
    return result;
  result.ttft = Seconds(json.at("ttft"));
  result.output_tokens_per_s = json.at("output_tokens_per_s");
  if (json.contains("tpot"))
    result.tpot = Seconds(json.at("tpot"));
  return result;
}

} // namespace moesim::search
