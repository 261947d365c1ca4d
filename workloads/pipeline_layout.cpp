#include "workloads/pipeline_layout.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

namespace moesim::workloads {
namespace {

constexpr std::size_t most_items = 1'000'000; // when written out: as many as a model may have layers

// A letter or a bar, and where it stands in the text, from 1.
struct Item {
  char kind;
  std::size_t position;
};

std::string at(std::size_t position, std::string_view what) {
  return fmt::format("position {}: {}", position, what);
}

// Writes out the repetitions; stops at the first problem.
class Unrolling {
public:
  explicit Unrolling(std::string_view text) {
    for (std::size_t index = 0; index < text.size(); ++index)
      if (text[index] != ',')
        text_.push_back({text[index], index + 1});
    end_ = text.size() + 1;
  }

  // Whether the text could be read; else `problem` says why not.
  bool run(std::vector<Item>& items, std::string& problem) {
    while (problem_.empty() && next_ < text_.size()) {
      const std::size_t start = position();
      std::vector<Item> repeated = peek() == '(' ? group() : one_letter();
      const std::size_t count = problem_.empty() ? this->count() : 0;
      if (problem_.empty() && (items.size() + repeated.size() * count > most_items))
        fail_as_too_long(start);
      for (std::size_t time = 0; problem_.empty() && time < count; ++time)
        items.insert(items.end(), repeated.begin(), repeated.end());
    }
    problem = problem_;
    return problem_.empty();
  }

private:
  [[nodiscard]] char peek() const { return next_ < text_.size() ? text_[next_].kind : '\0'; }
  [[nodiscard]] std::size_t position() const { return next_ < text_.size() ? text_[next_].position : end_; }
  void fail(std::string_view what) { problem_ = at(position(), what); }
  void fail_as_too_long(std::size_t start) {
    problem_ = at(start, fmt::format("more than {} letters and bars when written out; use fewer", most_items));
  }

  std::optional<Item> letter() {
    const char found = peek();
    if (std::string_view("EtmL|").find(found) != std::string_view::npos)
      return text_[next_++];
    const bool is_printable = found > ' ' && found <= '~';
    if (found == '*')
      fail("'*' repeats nothing; put it behind a letter or a group, as in t*3 or (tt|)*2");
    else if (found == ')')
      fail("')' without a '('; remove it");
    else
      fail(fmt::format("unknown {}; known are E, t, m, L, |, *, ( and )",
                       is_printable ? fmt::format("'{}'", found) : "character"));
    return std::nullopt;
  }

  std::vector<Item> one_letter() {
    std::vector<Item> items;
    if (const std::optional<Item> one = letter())
      items.push_back(*one);
    return items;
  }

  std::vector<Item> group() {
    const std::size_t open = position();
    ++next_;
    std::vector<Item> items;
    while (problem_.empty() && peek() != ')') {
      if (next_ == text_.size())
        problem_ = at(open, "the group has no ')'; close it, as in (tt|)*2");
      else if (peek() == '(')
        fail("a group within a group; write one of them out");
      else
        repeat_letter(items);
    }
    if (!problem_.empty())
      return {};
    ++next_;
    if (items.empty())
      problem_ = at(open, "the group is empty; put letters or bars in it, as in (tt|)*2");
    else if (peek() != '*')
      fail("a group is there to be repeated; put *n behind it, as in (tt|)*2");
    return items;
  }

  void repeat_letter(std::vector<Item>& items) {
    const std::size_t start = position();
    const std::optional<Item> one = letter();
    const std::size_t times = problem_.empty() ? count() : 0;
    if (items.size() + times > most_items)
      return fail_as_too_long(start);
    if (one)
      items.insert(items.end(), times, *one);
  }

  // What *n says; 1 without it.
  std::size_t count() {
    if (peek() != '*')
      return 1;
    ++next_;
    const std::size_t digits = position();
    std::size_t value = 0;
    while (peek() >= '0' && peek() <= '9' && value <= most_items)
      value = value * 10 + static_cast<std::size_t>(text_[next_++].kind - '0');
    if (value == 0 || value > most_items)
      problem_ = at(digits, fmt::format("expected how often, a whole number from 1 to {}", most_items));
    return value;
  }

  std::vector<Item> text_; // without commas
  std::size_t end_;
  std::size_t next_ = 0;
  std::string problem_;
};

struct Letter : Item {
  std::size_t stage;
};

// E first, then layers, then those for multi-token prediction, then L; nothing else has a meaning.
void check_order(const std::vector<Letter>& letters, std::vector<std::string>& problems) {
  if (std::ranges::count(letters, 'E', &Letter::kind) == 0)
    problems.push_back(at(letters.front().position, "the embedding is missing; begin with E"));
  bool has_embedding = false;
  bool has_loss = false;
  for (std::size_t index = 0; index < letters.size(); ++index) {
    const Letter& letter = letters[index];
    const bool is_last = index + 1 == letters.size();
    if (letter.kind == 'E' && index > 0)
      problems.push_back(at(letter.position, has_embedding ? "a second E; the embedding is there once, at the start"
                                                           : "E is not the first; put it at the start"));
    const bool is_last_loss = std::ranges::count(letters.begin() + static_cast<std::ptrdiff_t>(index) + 1,
                                                 letters.end(), 'L', &Letter::kind) == 0;
    if (letter.kind == 'L' && has_loss)
      problems.push_back(at(letter.position, "a second L; the loss is there once, at the end"));
    else if (letter.kind == 'L' && is_last_loss && !is_last)
      problems.push_back(at(letter.position, "L is not the last; put it at the end"));
    const bool is_before_loss = !is_last && letters[index + 1].stage == letter.stage &&
                                (letters[index + 1].kind == 'L' || letters[index + 1].kind == 'm');
    if (letter.kind == 'm' && !is_before_loss)
      problems.push_back(at(letter.position, "m is not right before L; put it there, in the last stage, as in tmL"));
    has_embedding = has_embedding || letter.kind == 'E';
    has_loss = has_loss || letter.kind == 'L';
  }
  if (!has_loss)
    problems.push_back(at(letters.back().position, "the loss is missing; end with L"));
}

// The letters with their stages; notes stages without any.
std::vector<Letter> place(const std::vector<Item>& items, std::vector<std::string>& problems) {
  std::vector<Letter> letters;
  std::size_t stage = 0;
  bool is_empty = true;
  for (const Item& item : items) {
    if (item.kind != '|') {
      letters.push_back({item, stage});
    } else {
      if (is_empty)
        problems.push_back(at(item.position, fmt::format("stage {} is empty; put t in it, or remove the '|'", stage)));
      ++stage;
    }
    is_empty = item.kind == '|';
  }
  if (is_empty && !items.empty())
    problems.push_back(at(items.back().position, "nothing follows the last '|'; remove it"));
  return letters;
}

} // namespace

PipelineLayout read_pipeline_layout(std::string_view text) {
  PipelineLayout layout;
  std::vector<Item> items;
  std::string problem;
  if (!Unrolling(text).run(items, problem)) {
    layout.problems.push_back(problem);
    return layout;
  }
  const std::vector<Letter> letters = place(items, layout.problems);
  if (letters.empty()) {
    layout.problems = {"holds no layers; expected stages such as Et|tL"};
    return layout;
  }
  check_order(letters, layout.problems);
  layout.layers_per_stage.assign(letters.back().stage + 1, 0);
  for (const Letter& letter : letters) {
    layout.layers_per_stage[letter.stage] += letter.kind == 't' ? 1 : 0;
    layout.mtp_layers += letter.kind == 'm' ? 1 : 0;
  }
  return layout;
}

} // namespace moesim::workloads
