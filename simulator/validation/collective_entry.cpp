#include "simulator/validation/collective_entry.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <regex>
#include <set>

#include <fmt/format.h>

#include "simulator/run/lone_collective.hpp"
#include "simulator/validation/system.hpp"

namespace moesim::validation {
namespace {

using config::Node;
using graph::Kind;

constexpr double large = 1 << 20; // bytes from which collectives count as large

Kind kind_named(const std::string& name) {
  for (std::size_t at = 0; at < graph::kind_count; ++at)
    if (name_of(static_cast<Kind>(at)) == name)
      return static_cast<Kind>(at);
  throw Unpredictable(fmt::format("moesim has no collective '{}'", name));
}

// The part of a text such as "dispatch FP8, combine BF16" that names a kind.
std::optional<std::string> part_about(std::string_view kind, const std::string& text) {
  const std::size_t comma = std::min(text.find(','), text.size());
  for (const std::string& part : {text.substr(0, comma), text.substr(comma)})
    if (part.find(kind) != std::string::npos)
      return part;
  return std::nullopt;
}

// Where a group of some size runs.
struct Site {
  System system;
  platforms::Cluster cluster;
};

// One column of one point, as a call of a collective.
class Sample {
public:
  Sample(const Entry& row, Kind kind, const Node& column, const Site& site, std::int64_t group,
         const Vocabulary& vocabulary)
      : row_(row), kind_(kind), column_(column), site_(site), group_(group), words_(vocabulary.collectives) {
    if (moves_tokens_by_expert())
      read_tokens();
    else
      size_ = required("size_bytes");
  }

  [[nodiscard]] Measurement measurement(double value) const {
    Measurement result;
    result.id = row_.id;
    result.quantity = column_.find("name")->scalar;
    result.value = value;
    result.labels.hardware = site_.system.hardware;
    result.labels.framework = name_in("libraries", text(row_.config, "library").value_or(""));
    result.labels.release = text(row_.config, "library_version").value_or("");
    result.labels.precision = name_in("precisions", precision());
    result.labels.kind = name_of(kind_);
    result.size = size_;
    result.size_unit = "bytes";
    result.labels.size_class = size_ >= large ? "1 MiB and more" : "below 1 MiB";
    return result;
  }

  // In the unit of the column.
  [[nodiscard]] double predicted() const {
    run::LoneCollective collective;
    collective.kind = kind_;
    collective.group = static_cast<std::uint32_t>(group_);
    collective.sizes = {Bytes(size_)};
    collective.routing = routing_;
    collective.algorithm = algorithm();
    collective.fidelity = cost::Fidelity::Analytic; // nobody shares a link with a collective alone
    platforms::Cluster cluster = site_.cluster;
    if (const auto multiprocessors = integer(row_.config, "num_sms"))
      cluster.gpu.communication.ep = *multiprocessors;
    const Seconds time = run::times_alone(collective, cluster).at(0).time;
    return figure(time) / *number(column_, "unit");
  }

private:
  [[nodiscard]] double required(std::string_view key) const {
    if (const auto value = number(row_.config, key))
      return *value;
    if (const auto given = words_.find("defaults")->find(name_of(kind_)))
      if (const auto value = number(*given, key))
        return *value;
    throw Unpredictable(fmt::format("{} is not given", key));
  }

  // What the first rule for a text calls it; itself without one.
  [[nodiscard]] std::string name_in(const char* rules, const std::string& words) const {
    const Node* rule = first_rule(words_, rules, words);
    return rule == nullptr ? words : rule->find("name")->scalar;
  }

  [[nodiscard]] bool moves_tokens_by_expert() const { return kind_ == Kind::Dispatch || kind_ == Kind::Combine; }

  void read_tokens() {
    experts_ = required("num_experts");
    chosen_ = required("topk");
    const double bytes = required("hidden_size") * bytes_per_element();
    tokens_ = required("num_tokens_per_rank");
    size_ = tokens_ * chosen_ * bytes;
    token_bytes_ = bytes;
    const double rounded = std::ceil(experts_ / static_cast<double>(group_)) * static_cast<double>(group_);
    routing_.experts = static_cast<std::int32_t>(rounded);
    routing_.per_token = static_cast<std::int32_t>(chosen_);
    routing_.token = Bytes(bytes);
    const Node& groups = *words_.find("groups_per_token");
    const auto gating = text(row_.config, groups.find("field")->scalar);
    std::smatch found;
    if (site_.cluster.nodes > 1 && gating &&
        std::regex_search(*gating, found, std::regex(groups.find("match")->scalar))) {
      routing_.groups = static_cast<std::int32_t>(site_.cluster.nodes);
      routing_.groups_per_token = std::min(routing_.groups, std::stoi(found[1]));
    }
  }

  // Sums of experts' results travel in BF16, whatever the experts read, unless the source says otherwise of them.
  [[nodiscard]] std::string precision() const {
    if (const auto given = text(column_, "precision"))
      return *given;
    if (const auto part = part_about("low_precision", text(row_.config, "collective").value_or("")))
      return *part;
    const std::string given = text(row_.config, "dtype").value_or("");
    if (const auto part = part_about(name_of(kind_), given))
      return *part;
    const Node* usual = words_.find("defaults")->find(name_of(kind_));
    return usual == nullptr || (kind_ == Kind::Dispatch && !given.empty()) ? given : usual->find("dtype")->scalar;
  }

  [[nodiscard]] double bytes_per_element() const {
    const Node* rule = first_rule(words_, "precisions", precision());
    if (rule == nullptr)
      throw Unpredictable(fmt::format("no rule knows how large an element of '{}' is", precision()));
    return *number(*rule, "bytes");
  }

  [[nodiscard]] cost::Algorithm algorithm() const {
    if (!moves_tokens_by_expert())
      return cost::Algorithm::Auto;
    const std::string names =
        text(row_.config, "collective").value_or("") + " " + text(row_.config, "library").value_or("");
    const Node* rule = first_rule(words_, "token_algorithms", names);
    const std::string wanted = rule == nullptr ? "auto" : rule->find("algorithm")->scalar;
    for (std::size_t at = 0; at < cost::algorithm_count; ++at)
      if (name_of(static_cast<cost::Algorithm>(at)) == wanted)
        return static_cast<cost::Algorithm>(at);
    throw Unpredictable(fmt::format("moesim has no algorithm '{}' yet", wanted));
  }

  // What the column has of a collective that takes so long, in base units.
  [[nodiscard]] double figure(Seconds time) const {
    const std::string& what = column_.find("figure")->scalar;
    if (what == "time")
      return time.value();
    if (what == "bandwidth")
      return size_ / time.value();
    if (what == "bus-bandwidth")
      return run::bus_factor(kind_, static_cast<std::uint32_t>(group_)) * size_ / time.value();
    return copies(what) * tokens_ * token_bytes_ / time.value();
  }

  [[nodiscard]] double copies(const std::string& what) const {
    if (what == "expert-copies")
      return chosen_;
    const bool by_node = what == "node-copies" || (what == "bottleneck-copies" && site_.cluster.nodes > 1);
    const auto places = static_cast<double>(by_node ? site_.cluster.nodes : group_);
    const double share = static_cast<double>(routing_.groups_per_token) / static_cast<double>(routing_.groups);
    return places_of_token(places * share, experts_ * share, chosen_);
  }

  Entry row_;
  Kind kind_;
  const Node& column_;
  const Site& site_;
  std::int64_t group_;
  const Node& words_;
  double size_ = 0;
  double tokens_ = 0;
  double token_bytes_ = 0;
  double experts_ = 0;
  double chosen_ = 0;
  graph::TokenRouting routing_;
};

// The columns that are compared of a kind: the first of each precision.
std::vector<const Node*> columns_of(const Entry& row, std::string_view kind, const Vocabulary& vocabulary) {
  std::vector<const Node*> columns;
  std::set<std::string> precisions;
  for (const Node& column : vocabulary.collectives.find("columns")->items) {
    const std::string& of = column.find("of")->scalar;
    if ((of != "all" && of != kind) || row.measured.find(column.find("name")->scalar) == nullptr)
      continue;
    if (precisions.insert(text(column, "precision").value_or("")).second)
      columns.push_back(&column);
  }
  return columns;
}

std::int64_t group_of(const Entry& row) {
  for (const char* key : {"ep_size", "num_gpus"})
    if (const auto ranks = integer(row.config, key)) {
      if (*ranks < 2 || *ranks > 100'000)
        throw Unpredictable(fmt::format("{} ranks are no group", *ranks));
      return *ranks;
    }
  throw Unpredictable("num_gpus is not given");
}

// The samples of an entry with what they refer to.
struct Samples {
  std::map<std::int64_t, Site> sites; // by size of the group
  std::vector<Sample> list;
  std::vector<double> measured;
  std::vector<Skipped> left_out;

  void add(const Entry& row, const Vocabulary& vocabulary) {
    const std::string name = text(row.config, "collective").value_or("");
    const Node* rule = first_rule(vocabulary.collectives, "collectives", name);
    if (rule == nullptr)
      throw Unpredictable(fmt::format("no rule knows which collective '{}' is", name));
    if (const Node* reason = rule->find("skip"))
      throw Unpredictable(fmt::format("{} {}", name, reason->scalar));
    const std::int64_t group = group_of(row);
    const auto [site, is_new] = sites.try_emplace(group);
    if (is_new) {
      site->second.system = system_of(row, group, vocabulary);
      site->second.cluster = cluster_of(site->second.system);
    }
    for (const Node& kind : rule->find("kinds")->items)
      for (const Node* column : columns_of(row, kind.scalar, vocabulary))
        if (const auto value = number(row.measured, column->find("name")->scalar)) {
          const std::string& printed = row.measured.find(column->find("name")->scalar)->scalar;
          if (is_too_coarse(printed)) {
            left_out.push_back({row.id, fmt::format("{} is printed as {}", column->find("name")->scalar, printed)});
            continue;
          }
          list.emplace_back(row, kind_named(kind.scalar), *column, site->second, group, vocabulary);
          measured.push_back(*value);
        }
  }
};

} // namespace

double places_of_token(double places, double experts, double chosen) {
  double missed = 1; // C(experts - experts/places, chosen) / C(experts, chosen)
  for (double drawn = 0; drawn < chosen; ++drawn)
    missed *= std::max(0.0, (experts - experts / places - drawn) / (experts - drawn));
  return places * (1 - missed);
}

Question collective_question(const Entry& entry, const Vocabulary& vocabulary) {
  const auto samples = std::make_shared<Samples>();
  for (std::size_t point = 0; point < entry.point_count(); ++point)
    samples->add(entry.at_point(point), vocabulary);
  if (samples->list.empty())
    throw Unpredictable("it has no figure that a rule knows");
  Question question{entry.id, {}, {}, samples->left_out};
  for (std::size_t at = 0; at < samples->list.size(); ++at)
    question.measurements.push_back(samples->list[at].measurement(samples->measured[at]));
  question.answer = [samples] {
    Answer answer;
    for (const Sample& sample : samples->list)
      answer.predictions.push_back({sample.predicted(), {}});
    return answer;
  };
  return question;
}

} // namespace moesim::validation
