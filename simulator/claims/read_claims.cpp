#include "simulator/claims/claim.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "simulator/config/quote.hpp"
#include "simulator/config/yaml_text.hpp"

namespace moesim::claims {
namespace {

bool is_id(std::string_view text) {
  const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  return !text.empty() && is_letter(text.front()) &&
         std::ranges::all_of(text, [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_'; });
}

// YAML may spread a text over several lines; answers have it in one.
std::string in_one_line(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  return text;
}

bool is_field(std::string_view name) {
  return std::ranges::find(fields(), name, &FieldWords::name) != fields().end();
}

const Quantity& read_about(config::MapReader& map) {
  std::vector<std::string_view> names;
  for (const Quantity& quantity : quantities())
    names.push_back(quantity.name);
  return *std::ranges::find(quantities(), map.choice("about", names), &Quantity::name);
}

Figure read_claimed(config::MapReader& map, Measure measure) {
  const config::Node* node = map.node("claimed");
  if (node == nullptr) {
    map.problem("claimed", "missing; expected the document's figure with its unit");
    return {};
  }
  config::Reading<Figure> reading = read_figure(*node, measure);
  if (!reading.value)
    map.problem("claimed", reading.problem);
  return reading.value.value_or(Figure{});
}

std::optional<Expression> read_sum(config::MapReader& map, std::string_view key, Problems& problems) {
  const config::Node* node = map.node(key);
  if (node == nullptr)
    return {};
  if (node->kind != config::Node::Kind::Scalar) {
    map.problem(key,
                fmt::format("found {}; expected a sum such as tp * pp or 20GB / gpus", config::description(*node)));
    return {};
  }
  std::vector<ExpressionProblem> found;
  Expression sum = parse_expression(node->scalar, found);
  for (const ExpressionProblem& problem : found) {
    Position position = node->position;
    position.column += static_cast<int>(problem.offset) + (node->quoted ? 1 : 0);
    problems.add(position, map.path_of(key), problem.message);
  }
  return found.empty() ? std::optional(std::move(sum)) : std::nullopt;
}

std::vector<std::string> read_assignments(config::MapReader& map) {
  std::vector<std::string> assignments;
  const config::Node* node = map.node("set");
  if (node == nullptr)
    return assignments;
  if (node->kind != config::Node::Kind::Map)
    map.problem("set", fmt::format("found {}; expected fields of the scenario with their values, such as "
                                   "{{training.seq_length: 4096}}",
                                   config::description(*node)));
  for (const config::Entry& entry : node->entries)
    assignments.push_back(entry.key + "=" + config::flow_text(entry.value));
  return assignments;
}

Claim read_claim(config::MapReader map, Problems& problems) {
  Claim claim;
  claim.position = map.position_of("");
  claim.path = map.path_of("");
  claim.id = map.text("id");
  if (!claim.id.empty() && !is_id(claim.id))
    map.problem("id", fmt::format("found the text \"{}\"; expected small letters, digits and _, the first a letter",
                                  config::shown(claim.id)));
  if (is_field(claim.id))
    map.problem("id", fmt::format("'{}' is the name of a field that sums can name; expected another one", claim.id));
  claim.quote = in_one_line(map.text("quote"));
  claim.about = read_about(map);
  claim.claimed = read_claimed(map, claim.about.measure);
  claim.derive = read_sum(map, "derive", problems);
  claim.limit = read_sum(map, "limit", problems);
  claim.with = map.text_or("with", "");
  claim.assignments = read_assignments(map);
  claim.note = in_one_line(map.text_or("note", ""));
  map.finish();
  return claim;
}

void check_unique(const std::vector<Claim>& claims, Problems& problems) {
  for (auto claim = claims.begin(); claim != claims.end(); ++claim)
    if (std::ranges::find(claims.begin(), claim, claim->id, &Claim::id) != claim && !claim->id.empty())
      problems.add(claim->position, claim->path + ".id",
                   fmt::format("'{}' is the id of an earlier claim; expected another one", config::shown(claim->id)));
}

void check_names(const Claim& claim, const Expression& sum, std::string_view key, const std::vector<Claim>& claims,
                 Problems& problems) {
  std::vector<std::string> known;
  for (const FieldWords& field : fields())
    known.emplace_back(field.name);
  for (const Claim& other : claims)
    known.push_back(other.id);
  for (const Expression::Name& name : sum.names()) {
    const auto named = std::ranges::find(claims, name.word, &Claim::id);
    if (named != claims.end() && named->claimed.relation == Relation::Between)
      problems.add(claim.position, fmt::format("{}.{}", claim.path, key),
                   fmt::format("'{}' is a span; expected a claim of one figure", name.word));
    if (named != claims.end() || is_field(name.word))
      continue;
    const auto near = config::nearest(name.word, known);
    problems.add(claim.position, fmt::format("{}.{}", claim.path, key),
                 fmt::format("unknown name '{}'; {}", config::shown(name.word),
                             near ? fmt::format("did you mean '{}'?", *near)
                                  : "expected the id of a claim, or a field such as gpus, tp, layers, gpu_flops"));
  }
}

} // namespace

std::vector<Claim> read_claims(config::MapReader& scenario, Problems& problems) {
  std::vector<Claim> claims;
  for (config::MapReader& map : scenario.maps_or_empty("claims"))
    claims.push_back(read_claim(std::move(map), problems));
  check_unique(claims, problems);
  for (const Claim& claim : claims) {
    if (claim.derive)
      check_names(claim, *claim.derive, "derive", claims, problems);
    if (claim.limit)
      check_names(claim, *claim.limit, "limit", claims, problems);
  }
  return claims;
}

} // namespace moesim::claims
