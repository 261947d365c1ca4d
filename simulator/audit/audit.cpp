#include "simulator/audit/audit.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <new>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "simulator/audit/field_values.hpp"
#include "simulator/audit/reason.hpp"
#include "simulator/audit/simulated_figures.hpp"
#include "simulator/base/check.hpp"
#include "simulator/config/catalogue.hpp"
#include "simulator/run/simulate.hpp"

namespace moesim::audit {
namespace {

// A scenario that claims are judged with; those that name the same file and settings share it.
struct Case {
  scenario::Scenario scenario;
  std::string words; // "sibling.yaml with training.seq_length=128"; "" for the audited scenario itself
  bool is_simulated = false;
  SimulatedFigures figures;
};
using CaseKey = std::pair<std::string, std::vector<std::string>>; // Claim::with and assignments
using Cases = std::map<CaseKey, Case>;

CaseKey key_of(const claims::Claim& claim) {
  return {claim.with, claim.assignments};
}

std::string words_of(const claims::Claim& claim) {
  if (claim.assignments.empty())
    return claim.with;
  return fmt::format("{}{}", claim.with.empty() ? "" : claim.with + " and ", fmt::join(claim.assignments, " "));
}

// The file of the scenario that a claim is judged with.
std::filesystem::path file_of(const claims::Claim& claim, const std::filesystem::path& audited) {
  return claim.with.empty() ? audited
                            : config::resolve(config::CatalogueKind::Scenario, claim.with, audited, claim.position,
                                              claim.path + ".with");
}

// What is wrong with that scenario is said at the claim: its own lines are in another file, or were good before `set`.
void load_case(Cases& cases, const claims::Claim& claim, const std::filesystem::path& audited, Problems& problems) {
  try {
    cases.emplace(key_of(claim),
                  Case{scenario::load(file_of(claim, audited), claim.assignments), words_of(claim), false, {}});
  } catch (const InputError& error) {
    for (const Problem& problem : error.problems()) {
      const bool is_setting = claim.with.empty() || problem.position.file == "--set";
      const std::string field = claim.path + (is_setting ? ".set" : ".with");
      const bool names_itself = problem.field.empty() || problem.field == field;
      problems.add(claim.position, field,
                   names_itself ? problem.message : fmt::format("{}: {}", problem.field, problem.message));
    }
  }
}

Cases load_cases(const scenario::Scenario& scenario, const std::filesystem::path& file) {
  Cases cases;
  Problems problems;
  for (const claims::Claim& claim : scenario.claims) {
    if (claim.with.empty() && claim.assignments.empty())
      cases.emplace(key_of(claim), Case{scenario, "", false, {}});
    else if (!cases.contains(key_of(claim)))
      load_case(cases, claim, file, problems);
    if (const auto found = cases.find(key_of(claim)); found != cases.end())
      found->second.is_simulated |= claim.about.accuracy != claims::Accuracy::NotSimulated;
  }
  problems.throw_if_any();
  return cases;
}

// The figures as JSON; "" when there is not enough memory.
std::string simulate(const scenario::Scenario& scenario) {
  try {
    const record::RunRecord run = run::simulate(scenario, [](std::size_t, std::size_t) {});
    return nlohmann::json(simulated_figures(run, scenario)).dump();
  } catch (const std::bad_alloc&) {
    return "";
  }
}

void simulate_cases(Cases& cases, std::size_t workers, const pool::ProgressSink& progress) {
  std::vector<Case*> simulated;
  std::vector<pool::Work> works;
  for (auto& [key, one] : cases)
    if (one.is_simulated) {
      simulated.push_back(&one);
      works.emplace_back([&one] { return simulate(one.scenario); });
    }
  const std::vector<pool::Outcome> outcomes = pool::run_all(works, {.workers = workers}, progress);
  for (std::size_t at = 0; at < outcomes.size(); ++at) {
    if (outcomes[at].ending == pool::Ending::Refused)
      throw InputError({simulated[at]->scenario.file}, "", "cannot be simulated: " + outcomes[at].reason);
    if (outcomes[at].ending == pool::Ending::Failed)
      throw InternalError(outcomes[at].reason);
    if (outcomes[at].value.empty())
      throw std::bad_alloc();
    simulated[at]->figures = nlohmann::json::parse(outcomes[at].value).get<SimulatedFigures>();
  }
}

// What the names in a claim's sums stand for.
class Meanings {
public:
  Meanings(const std::vector<claims::Claim>& claims, const scenario::Scenario& scenario)
      : claims_(claims), scenario_(scenario) {}

  [[nodiscard]] double value(const claims::Expression::Name& name) const {
    const claims::Claim* claim = named_claim(name);
    return claim != nullptr ? claim->claimed.value : value_of(named_field(name).field, scenario_);
  }
  // How far off the figure of that name can be, as it is printed; nothing of a field.
  [[nodiscard]] double rounding(const claims::Expression::Name& name) const {
    const claims::Claim* claim = named_claim(name);
    return claim != nullptr ? claim->claimed.rounding : 0;
  }
  [[nodiscard]] std::string words(const claims::Expression::Name& name) const {
    const claims::Claim* claim = named_claim(name);
    return claims::value_text(value(name), claim != nullptr ? claim->claimed.unit : named_field(name).unit);
  }

private:
  [[nodiscard]] const claims::Claim* named_claim(const claims::Expression::Name& name) const {
    const auto claim = std::ranges::find(claims_, name.word, &claims::Claim::id);
    return claim == claims_.end() ? nullptr : &*claim;
  }
  [[nodiscard]] static const claims::FieldWords& named_field(const claims::Expression::Name& name) {
    const auto field = std::ranges::find(claims::fields(), name.word, &claims::FieldWords::name);
    MOESIM_CHECK(field != claims::fields().end(), "the reader knows every name");
    return *field;
  }

  const std::vector<claims::Claim>& claims_;
  const scenario::Scenario& scenario_;
};

std::optional<double> value_of_sum(const std::optional<claims::Expression>& sum, const Meanings& meanings,
                                   const claims::Claim& claim, std::string_view key, Problems& problems) {
  if (!sum)
    return {};
  const double value = sum->value([&](const auto& name) { return meanings.value(name); });
  if (std::isfinite(value))
    return value;
  problems.add(claim.position, fmt::format("{}.{}", claim.path, key),
               fmt::format("{} divides by zero in this scenario; expected a sum with a value", sum->text()));
  return {};
}

// What the rounding of each figure in a sum makes of its value, added up; a figure that occurs twice counts once.
double rounding_of_sum(const claims::Expression& sum, const Meanings& meanings) {
  const double value = sum.value([&](const auto& name) { return meanings.value(name); });
  double total = 0;
  std::set<std::string> seen;
  for (const claims::Expression::Name& moved : sum.names())
    if (seen.insert(moved.word).second)
      total += std::abs(sum.value([&](const auto& name) {
        return meanings.value(name) + (name.word == moved.word ? meanings.rounding(name) : 0);
      }) - value);
  return total;
}

Finding finding_of(const claims::Claim& claim, const scenario::Scenario& scenario, const Case& one,
                   Problems& problems) {
  const Meanings meanings(scenario.claims, one.scenario);
  const auto words = [&](const auto& name) { return meanings.words(name); };
  Finding finding{claim, {}, Verdict::NotCheckable, ""};
  Evidence& evidence = finding.evidence;
  evidence.derived = value_of_sum(claim.derive, meanings, claim, "derive", problems);
  if (evidence.derived)
    evidence.derived_rounding = rounding_of_sum(*claim.derive, meanings);
  evidence.limit = value_of_sum(claim.limit, meanings, claim, "limit", problems);
  if (const auto figure = one.figures.find(claim.about.name); figure != one.figures.end())
    evidence.simulated = figure->second;
  Grounds grounds{"", "", one.words};
  const claims::Unit& unit = claim.claimed.unit;
  if (evidence.derived)
    grounds.derived = sum_text(*claim.derive, *evidence.derived, unit, words);
  if (evidence.limit)
    grounds.limit = sum_text(*claim.limit, *evidence.limit, unit, words);
  finding.verdict = judge(claim, evidence);
  finding.because = reason(claim, evidence, grounds);
  return finding;
}

// Of each case that claims of speed are judged with, these claims; of none, the scenario as it is.
std::vector<Deployment> find_deployments(const std::vector<claims::Claim>& claims, const std::filesystem::path& file,
                                         std::size_t workers) {
  std::vector<std::vector<claims::Claim>> wanted;
  for (const claims::Claim& claim : claims) {
    if (!asks_for_speed(claim))
      continue;
    const auto same = std::ranges::find(wanted, key_of(claim), [](const auto& of) { return key_of(of.front()); });
    if (same == wanted.end())
      wanted.push_back({claim});
    else
      same->push_back(claim);
  }
  if (wanted.empty())
    return {find_deployment(file, {}, workers)};
  std::vector<Deployment> deployments;
  for (const std::vector<claims::Claim>& of_case : wanted)
    deployments.push_back(find_deployment(file_of(of_case.front(), file), of_case, workers));
  return deployments;
}

} // namespace

std::size_t Audit::count(Verdict verdict) const {
  return static_cast<std::size_t>(std::ranges::count(findings, verdict, &Finding::verdict));
}

bool Audit::holds() const {
  return count(Verdict::Consistent) + count(Verdict::NotCheckable) == findings.size();
}

Audit audit(const std::filesystem::path& file, std::size_t workers, const pool::ProgressSink& progress) {
  const scenario::Scenario scenario = scenario::load(file, {});
  if (scenario.claims.empty())
    throw InputError({file.string()}, "claims",
                     "there are none; expected the figures of a document, each with its words");
  Cases cases = load_cases(scenario, file);
  simulate_cases(cases, workers, progress);
  Audit result{scenario.name, file.filename().string(), {}, {}};
  Problems problems;
  for (const claims::Claim& claim : scenario.claims)
    result.findings.push_back(finding_of(claim, scenario, cases.at(key_of(claim)), problems));
  problems.throw_if_any();
  result.deployments = find_deployments(scenario.claims, file, workers);
  return result;
}

} // namespace moesim::audit
