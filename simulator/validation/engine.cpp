#include "simulator/validation/engine.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace moesim::validation {
namespace {

using config::Node;

// The day of "measured=2026-01-14T..." as one word: 20260114.
std::string day_of(const std::string& where) {
  constexpr std::string_view label = "measured=";
  constexpr std::size_t length = 10; // of 2026-01-14
  const std::size_t at = where.find(label);
  if (at == std::string::npos)
    return "";
  std::string day = where.substr(at + label.size(), length);
  std::erase(day, '-');
  return day;
}

// All that rules for servers look at.
std::string described(const Entry& entry, const std::string& engine, const std::string& hardware) {
  const bool divides_attention = integer(entry.config, "attention_data_parallel_size").value_or(1) > 1;
  const auto concurrency = number(entry.config, "concurrency");
  return fmt::format("{} {} {} {} {} {} {} {}", entry.where, day_of(entry.where), engine,
                     text(entry.config, "backend_version").value_or(""), hardware,
                     text(entry.config, "model").value_or(""), divides_attention ? "attention-dp" : "",
                     concurrency ? fmt::format("c{:.0f}", *concurrency) : "");
}

// Of drafts of which each counts only if all before it do.
double accepted_of(std::int64_t drafted, double acceptance) {
  double sum = 0;
  double all_so_far = 1;
  for (std::int64_t draft = 0; draft < drafted; ++draft)
    sum += all_so_far *= acceptance;
  return sum;
}

void read(const Node& rule, std::int64_t prompt_length, Engine& engine) {
  Policy& policy = engine.policy;
  if (const auto tokens = text(rule, "tokens_per_step"))
    policy.tokens_per_step = *tokens == "prompt" ? prompt_length : *integer(rule, "tokens_per_step");
  policy.cuts_prompts = flag(rule, "cuts_prompts").value_or(policy.cuts_prompts);
  policy.mixes = flag(rule, "mixes").value_or(policy.mixes);
  policy.looks_every = integer(rule, "looks_every").value_or(policy.looks_every);
  policy.drafted = integer(rule, "drafted").value_or(policy.drafted);
  if (const auto share = number(rule, "acceptance"))
    policy.accepted = accepted_of(policy.drafted, *share);
  if (flag(rule, "whole_windows").value_or(false))
    engine.windows = WindowCache::Whole;
  engine.memory = number(rule, "memory").value_or(engine.memory);
  engine.launch_time = Seconds(number(rule, "launch_us").value_or(engine.launch_time.value() * 1e6) * 1e-6);
  engine.kernel_gap = Seconds(number(rule, "gap_us").value_or(engine.kernel_gap.value() * 1e6) * 1e-6);
  engine.kv_cache = text(rule, "kv_cache").value_or(engine.kv_cache);
  if (const Node* wide = rule.find("wide"))
    for (const config::Entry& field : wide->entries)
      engine.wide.push_back(fmt::format("{}={}", field.key, field.value.scalar));
}

} // namespace

Engine engine_of(const Entry& entry, const std::string& hardware, const Vocabulary& vocabulary) {
  const std::string name = text(entry.config, "backend").value_or("");
  const std::string description = described(entry, name, hardware);
  if (const Node* rule = first_rule(vocabulary.inference, "misprinted", description))
    throw Unpredictable(*text(*rule, "reason"));
  const Node* usual = first_rule(vocabulary.inference, "engines", name + " " + hardware);
  if (usual == nullptr)
    throw Unpredictable(fmt::format("no rule knows the engine '{}'", name));
  const std::int64_t prompt_length = integer(entry.config, "input_length").value_or(1);
  Engine engine;
  read(*usual, prompt_length, engine);
  if (const Node* server = first_rule(vocabulary.inference, "servers", description))
    read(*server, prompt_length, engine);
  return engine;
}

} // namespace moesim::validation
