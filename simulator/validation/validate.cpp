#include "simulator/validation/validate.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "simulator/pool/process_pool.hpp"
#include "simulator/validation/collective_entry.hpp"
#include "simulator/validation/entry.hpp"
#include "simulator/validation/inference_entry.hpp"
#include "simulator/validation/kernel_entry.hpp"
#include "simulator/validation/schedule_entry.hpp"
#include "simulator/validation/training_entry.hpp"
#include "simulator/validation/vocabulary.hpp"

namespace moesim::validation {
namespace {

// The problems of an input that was made from an entry: the places are in no file of the user.
std::string reason_of(const InputError& error) {
  std::vector<std::string> lines;
  for (const Problem& problem : error.problems())
    lines.push_back(problem.field.empty() ? problem.message : problem.field + ": " + problem.message);
  return fmt::format("{}", fmt::join(lines, "; "));
}

bool has_model(const Entry& entry) {
  return entry.config.find("model") != nullptr;
}

Question question_of(const Entry& entry, const std::optional<Aliases>& aliases, const Vocabulary& vocabulary) {
  if (!entry.unusable.empty())
    throw Unpredictable(entry.unusable);
  if (entry.config.find("collective") != nullptr)
    return collective_question(entry, vocabulary);
  if (entry.config.find("kernel") != nullptr)
    return kernel_question(entry, vocabulary);
  if (entry.config.find("task") != nullptr)
    return training_question(entry, *aliases, vocabulary);
  if (entry.config.find("phase") != nullptr)
    return inference_question(entry, *aliases, vocabulary);
  if (entry.config.find("schedule") != nullptr)
    return schedule_question(entry, vocabulary);
  throw Unpredictable("no rule knows what such an entry measures");
}

Prepared prepared(const Entry& entry, const std::optional<Aliases>& aliases, const Vocabulary& vocabulary) {
  try {
    return question_of(entry, aliases, vocabulary);
  } catch (const Unpredictable& reason) {
    return Skipped{entry.id, reason.what()};
  } catch (const InputError& error) {
    return Skipped{entry.id, reason_of(error)};
  }
}

// Answers cross the border of a process as text. Numbers come back to the last bit.
std::string to_text(const Answer& answer) {
  nlohmann::json json{{"predictions", nlohmann::json::array()}, {"assumptions", answer.assumptions}};
  for (const Prediction& prediction : answer.predictions)
    json["predictions"].push_back(
        {prediction.value, prediction.efficiency ? nlohmann::json(*prediction.efficiency) : nlohmann::json()});
  return json.dump();
}

Answer from_text(const std::string& text) {
  const auto json = nlohmann::json::parse(text);
  Answer answer;
  for (const nlohmann::json& item : json.at("predictions")) {
    Prediction& prediction = answer.predictions.emplace_back();
    prediction.value = item.at(0).get<double>();
    if (!item.at(1).is_null())
      prediction.efficiency = item.at(1).get<double>();
  }
  answer.assumptions = json.at("assumptions").get<std::vector<std::string>>();
  return answer;
}

// An answer, or after a mark that no JSON starts with, why there is none.
constexpr char refusal = '!';

std::string answer_as_text(const Question& question) {
  try {
    return to_text(question.answer());
  } catch (const Unpredictable& reason) {
    return refusal + std::string(reason.what());
  } catch (const InputError& error) {
    return refusal + reason_of(error);
  }
}

void add_answer(const Question& question, const pool::Outcome& outcome, FileReport& report) {
  if (outcome.ending != pool::Ending::Done || outcome.value.starts_with(refusal)) {
    report.skipped.push_back(
        {question.id, outcome.ending == pool::Ending::Done ? outcome.value.substr(1) : outcome.reason});
    return;
  }
  report.skipped.insert(report.skipped.end(), question.left_out.begin(), question.left_out.end());
  const Answer answer = from_text(outcome.value);
  for (std::size_t at = 0; at < question.measurements.size(); ++at)
    report.comparisons.push_back({question.measurements[at], answer.predictions.at(at)});
  if (!answer.assumptions.empty())
    report.assumptions[question.id] = answer.assumptions;
}

// What is asked of a file, in its order.
std::vector<Prepared> read(const std::filesystem::path& file, const Options& options, const Vocabulary& vocabulary) {
  std::vector<Prepared> all;
  std::vector<Entry> entries = read_entries(file);
  std::erase_if(entries,
                [&](const Entry& entry) { return options.only && !std::regex_search(entry.id, *options.only); });
  std::optional<Aliases> aliases;
  if (std::ranges::any_of(entries, has_model))
    aliases.emplace(options.aliases.value_or(file.parent_path() / "aliases.yaml"));
  for (const Entry& entry : entries)
    all.push_back(prepared(entry, aliases, vocabulary));
  return all;
}

} // namespace

std::vector<FileReport> validate(const Options& options, const Progress& progress) {
  const Vocabulary vocabulary = read_vocabulary();
  Problems problems;
  std::vector<std::vector<Prepared>> files;
  for (const std::filesystem::path& file : options.files) {
    try {
      files.push_back(read(file, options, vocabulary));
    } catch (const InputError& error) {
      problems.add(error);
    }
  }
  problems.throw_if_any();
  std::vector<pool::Work> works;
  for (const std::vector<Prepared>& file : files)
    for (const Prepared& one : file)
      if (const auto* question = std::get_if<Question>(&one))
        works.emplace_back([question] { return answer_as_text(*question); });
  const std::vector<pool::Outcome> outcomes =
      pool::run_all(works, {.workers = options.workers}, [&](const pool::Progress& now) {
        if (progress)
          progress(now.done + now.refused + now.failed, now.total);
      });
  std::vector<FileReport> reports;
  std::size_t next = 0;
  for (std::size_t at = 0; at < files.size(); ++at) {
    FileReport& report = reports.emplace_back();
    report.file = options.files[at].string();
    for (const Prepared& one : files[at]) {
      if (const auto* question = std::get_if<Question>(&one))
        add_answer(*question, outcomes[next++], report);
      else
        report.skipped.push_back(std::get<Skipped>(one));
    }
  }
  return reports;
}

} // namespace moesim::validation
