#include "simulator/audit/deployment.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "simulator/base/format.hpp"

namespace moesim::audit {
namespace {

using claims::Claim;
using scenario::Scenario;
using search::Measurement;
using search::Wanted;

double sequences(const Scenario& scenario) {
  return static_cast<double>(scenario.is_training() ? scenario.training_job().training.global_batch_size
                                                    : scenario.inference_job().inference.batch_size);
}

double tokens(const Scenario& scenario) {
  return scenario.is_training() ? scenario.training_job().training.tokens()
                                : scenario.inference_job().inference.tokens();
}

// How a quantity asks for speed: which time it limits, and that time.
struct Ask {
  std::string_view about;
  Seconds Wanted::*limits;
  double (*most)(const Claim& claim, const Scenario& scenario); // seconds
};

double time_of(const Claim& claim, const Scenario& /*scenario*/) {
  return claim.claimed.upper;
}

// Of a span the lower end is enough.
constexpr std::array asks{
    Ask{"iteration_time", &Wanted::time, time_of},
    Ask{"ttft", &Wanted::ttft, time_of},
    Ask{"tpot", &Wanted::tpot, time_of},
    Ask{"tokens_per_s", &Wanted::time,
        [](const Claim& claim, const Scenario& scenario) { return tokens(scenario) / claim.claimed.value; }},
    Ask{"tokens_per_s_per_gpu", &Wanted::time,
        [](const Claim& claim, const Scenario& scenario) {
          return tokens(scenario) / static_cast<double>(scenario.job().sizes.world()) / claim.claimed.value;
        }},
    Ask{"sequences_per_s", &Wanted::time,
        [](const Claim& claim, const Scenario& scenario) { return sequences(scenario) / claim.claimed.value; }},
};

std::vector<std::string> without(std::vector<std::string> assignments, const std::vector<std::string>& others) {
  std::erase_if(assignments, [&](const std::string& each) { return std::ranges::count(others, each) > 0; });
  return assignments;
}

std::string quoted(const std::string& assignment) {
  return assignment.find_first_of(" {[") == std::string::npos ? assignment : fmt::format("'{}'", assignment);
}

} // namespace

bool asks_for_speed(const Claim& claim) {
  return std::ranges::count(asks, claim.about.name, &Ask::about) > 0;
}

Wanted wanted_by(std::span<const Claim> claims, const Scenario& scenario) {
  Wanted wanted;
  for (const Claim& claim : claims)
    for (const Ask& ask : asks)
      if (ask.about == claim.about.name)
        wanted.*ask.limits = std::min(wanted.*ask.limits, Seconds(ask.most(claim, scenario)));
  return wanted;
}

std::string verdict_text(const Deployment& deployment) {
  if (deployment.wanted.empty())
    return "no figure to reach; the fastest";
  return fmt::format("{} what {} claim{}", deployment.nearest.meets ? "does" : "does not do",
                     fmt::join(deployment.wanted, ", "), deployment.wanted.size() == 1 ? "s" : "");
}

std::string command(const Deployment& deployment) {
  if (!deployment.nearest.found)
    return "";
  std::string text = fmt::format("moesim run {}", deployment.file);
  for (const std::string& assignment : deployment.assignments)
    text += fmt::format(" --set {}", quoted(assignment));
  return text;
}

std::string changes_text(const Deployment& deployment) {
  std::vector<std::string> words;
  for (const search::Change& change : deployment.nearest.changes)
    words.push_back(fmt::format("{} {} to {}", change.axis, change.from, change.to));
  return words.empty() ? "as the document has it" : fmt::format("{}", fmt::join(words, ", "));
}

std::string outcome_text(const Deployment& deployment) {
  const search::Nearest& nearest = deployment.nearest;
  if (!nearest.found)
    return fmt::format("nothing with up to {} changes fits", search::most_changes);
  std::vector<std::string> words;
  const auto add = [&](std::string_view what, Seconds time, Seconds limit) {
    std::string text = fmt::format("{}{}", what, format_seconds(time));
    if (limit < Wanted::any)
      text += fmt::format(", wanted {}{}", format_seconds(limit),
                          time > limit ? fmt::format(" (missed by {:.0f} %)", 100 * (time / limit - 1)) : "");
    words.push_back(std::move(text));
  };
  const Measurement& found = nearest.found->measurement;
  add("", found.time, deployment.limits.time);
  if (found.ttft && deployment.limits.ttft < Wanted::any)
    add("TTFT ", *found.ttft, deployment.limits.ttft);
  if (found.tpot && deployment.limits.tpot < Wanted::any)
    add("TPOT ", *found.tpot, deployment.limits.tpot);
  if (!nearest.as_given)
    words.emplace_back("as the document has it, it does not fit");
  else if (!nearest.changes.empty())
    words.push_back(fmt::format("{} as the document has it", format_seconds(nearest.as_given->measurement.time)));
  return fmt::format("{}; {} a GPU", fmt::join(words, "; "), format_bytes(found.memory));
}

Deployment find_deployment(const std::filesystem::path& file, std::span<const Claim> claims, std::size_t workers) {
  const std::vector<std::string> settings = claims.empty() ? std::vector<std::string>() : claims.front().assignments;
  search::Subject subject = search::load_subject(file, settings, 0);
  Deployment deployment;
  deployment.file = deployment.job = file.filename().string();
  if (!settings.empty())
    deployment.job += fmt::format(" with {}", fmt::join(settings, " "));
  for (const Claim& claim : claims)
    deployment.wanted.push_back(claim.id);
  deployment.limits = wanted_by(claims, subject.scenario);
  search::Axes axes = search::axes_around(subject);
  const Bytes memory = subject.scenario.cluster.gpu.usable_memory();
  const search::Space space(std::move(subject), std::move(axes));
  deployment.nearest = search::nearest(space, deployment.limits, memory, workers);
  if (const auto& found = deployment.nearest.found) {
    const auto& given = deployment.nearest.as_given;
    deployment.assignments = without(space.own_assignments(found->candidate),
                                     given ? space.own_assignments(given->candidate) : std::vector<std::string>());
    deployment.assignments.insert(deployment.assignments.begin(), settings.begin(), settings.end());
  }
  return deployment;
}

} // namespace moesim::audit
