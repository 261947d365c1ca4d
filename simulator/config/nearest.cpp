// Finds what the user probably meant.
#include "simulator/config/map_reader.hpp"

#include <algorithm>
#include <numeric>

namespace moesim::config {
namespace {

// Case and the choice between '-' and '_' are not mistakes worth a letter.
char plain(char letter) {
  if (letter >= 'A' && letter <= 'Z')
    return static_cast<char>(letter - 'A' + 'a');
  return letter == '-' ? '_' : letter;
}

// Letters to insert, remove, replace or swap with a neighbour to turn one word into the other (Damerau-Levenshtein,
// optimal string alignment).
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> above(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(above.begin(), above.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = plain(a[i - 1]) == plain(b[j - 1]);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (same ? 0 : 1)});
      if (i > 1 && j > 1 && plain(a[i - 1]) == plain(b[j - 2]) && plain(a[i - 2]) == plain(b[j - 1]))
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, above);
    std::swap(above, row);
  }
  return above[b.size()];
}

} // namespace

std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates) {
  std::optional<std::string> best;
  std::size_t best_distance = 0;
  for (const std::string& candidate : candidates) {
    const std::size_t length = std::max(word.size(), candidate.size());
    const std::size_t shorter = std::min(word.size(), candidate.size());
    // Each missing letter is one edit, so a much longer word needs no computation (it may be megabytes of noise).
    if ((length - shorter) * 3 > length)
      continue;
    const std::size_t distance = edit_distance(word, candidate);
    if (distance * 3 <= length && (!best || distance < best_distance)) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

} // namespace moesim::config
