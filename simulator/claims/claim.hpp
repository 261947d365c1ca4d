// What a document says of a deployment, word by word, and how each of its figures can be checked: the `claims:` section
// of a scenario (README.md has an example).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "simulator/base/input_error.hpp"
#include "simulator/claims/expression.hpp"
#include "simulator/claims/figure.hpp"
#include "simulator/claims/quantity.hpp"
#include "simulator/config/map_reader.hpp"

namespace moesim::claims {

struct Claim {
  std::string id;    // unique; other claims' sums name the figure by it
  std::string quote; // the document's words
  Quantity about;
  Figure claimed;
  std::optional<Expression> derive;     // what the document's own figures make of it
  std::optional<Expression> limit;      // the most (of a time: the least) that the hardware can do, by data sheet
  std::string with;                     // the scenario that it is judged with, as it is named here; "" for this one
  std::vector<std::string> assignments; // fields of that scenario that are set, as `--set` takes them
  std::string note;                     // how the words are read, or why they cannot be checked
  Position position;
  std::string path; // "claims.3"
};

// Reads `claims` of a scenario; absent: none. Ids are unique and no fields' names, and sums name what there is. The
// scenarios that claims name are not looked for.
[[nodiscard]] std::vector<Claim> read_claims(config::MapReader& scenario, Problems& problems);

} // namespace moesim::claims
