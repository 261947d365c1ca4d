#include "simulator/validation/vocabulary.hpp"

#include <algorithm>
#include <cctype>
#include <regex>
#include <string>
#include <vector>

#include "simulator/base/check.hpp"
#include "simulator/validation/vocabulary_files.hpp"

namespace moesim::validation {
namespace {

bool is_letter_or_digit(char letter) {
  return std::isalnum(static_cast<unsigned char>(letter)) != 0;
}

// "8xh100" is "h100".
std::string without_count(const std::string& word) {
  const std::size_t digits = word.find_first_not_of("0123456789");
  const bool has_count = digits != std::string::npos && digits > 0 && word[digits] == 'x' && digits + 1 < word.size();
  return has_count ? word.substr(digits + 1) : word;
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  for (const char letter : text) {
    if (is_letter_or_digit(letter)) {
      word += static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    } else if (!word.empty()) {
      words.push_back(without_count(word));
      word.clear();
    }
  }
  if (!word.empty())
    words.push_back(without_count(word));
  return words;
}

// The numbers of a release, in the order of their weight; before that of a candidate ("rc6") stands -1, less than the 0
// that all others go on with. What a build adds after a plus does not count.
std::vector<double> numbers_of(std::string_view release) {
  static const std::regex part("([A-Za-z]*)[.]?([0-9]{1,9})");
  const std::string own(release.substr(0, release.find('+')));
  std::vector<double> numbers;
  for (std::sregex_iterator found(own.begin(), own.end(), part); found != std::sregex_iterator(); ++found) {
    const std::string word = (*found)[1];
    if (!numbers.empty() && !word.empty() && word != "post")
      numbers.push_back(-1);
    numbers.push_back(std::stod((*found)[2]));
  }
  return numbers;
}

bool is_before(std::vector<double> one, std::vector<double> other) {
  const std::size_t length = std::max(one.size(), other.size());
  one.resize(length);
  other.resize(length);
  return one < other;
}

config::Node parsed(std::string_view text, const char* name) {
  return config::parse_yaml(std::string(text), name);
}

} // namespace

Vocabulary read_vocabulary() {
  return {
      parsed(vocabulary_files::systems, "systems.yaml"),     parsed(vocabulary_files::collectives, "collectives.yaml"),
      parsed(vocabulary_files::kernels, "kernels.yaml"),     parsed(vocabulary_files::inference, "inference.yaml"),
      parsed(vocabulary_files::schedules, "schedules.yaml"), parsed(vocabulary_files::training, "training.yaml"),
      parsed(vocabulary_files::recipes, "recipes.yaml")};
}

bool has_words(std::string_view text, const config::Node& words) {
  const std::vector<std::string> present = words_of(text);
  return std::ranges::all_of(words.items, [&](const config::Node& word) {
    return std::ranges::count(present, words_of(word.scalar).at(0)) > 0;
  });
}

bool is_of_release(const config::Node& rule, std::string_view release) {
  const config::Node* since = rule.find("since");
  const config::Node* until = rule.find("until");
  const std::vector<double> numbers = numbers_of(release);
  if (numbers.empty())
    return since == nullptr && until == nullptr;
  return (since == nullptr || !is_before(numbers, numbers_of(since->scalar))) &&
         (until == nullptr || !is_before(numbers_of(until->scalar), numbers));
}

const config::Node* first_rule(const config::Node& section, std::string_view key, std::string_view text,
                               std::string_view release) {
  const config::Node* rules = section.find(key);
  MOESIM_CHECK(rules != nullptr, "the vocabulary has this list");
  for (const config::Node& rule : rules->items)
    if (has_words(text, *rule.find("words")) && is_of_release(rule, release))
      return &rule;
  return nullptr;
}

} // namespace moesim::validation
