// What the words of published tables mean: systems, libraries, columns, frameworks, precisions. It is data
// (vocabulary/*.yaml), made of lists of rules {words: [...], ...}, of which the first that matches counts. No rule is
// about an entry.
#pragma once

#include <string_view>

#include "simulator/config/node.hpp"

namespace moesim::validation {

struct Vocabulary {
  config::Node systems;     // which cluster a description means
  config::Node collectives; // collectives, what their tables measure, and what their sources leave out
  config::Node kernels;     // kernels, and what their tables measure
  config::Node inference;   // how servers are measured
  config::Node schedules;   // pipeline schedules
  config::Node training;    // frameworks, and what fields of training entries mean
  config::Node recipes;     // what a framework's recipes set
};

// The one that moesim comes with.
[[nodiscard]] Vocabulary read_vocabulary();

// Whether each of `words` is one of the words of a text: letters and digits between anything else, in any case, without
// a count in front ("8xH100").
[[nodiscard]] bool has_words(std::string_view text, const config::Node& words);

// Whether a release is one of those that a rule is for, from its `since` up to its `until`, both included: "25.11",
// "26.02.01", "1.2.0rc6.post3". Patches come after what they patch, candidates before it (Python, PEP 440). One that is
// not known, or has no number, is of rules without these fields only.
[[nodiscard]] bool is_of_release(const config::Node& rule, std::string_view release);

// The first map of the list `key` of `section` whose `words` a text has, and that is for the release; nullptr when
// there is none.
[[nodiscard]] const config::Node* first_rule(const config::Node& section, std::string_view key, std::string_view text,
                                             std::string_view release = "");

} // namespace moesim::validation
