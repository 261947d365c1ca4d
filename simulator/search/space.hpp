// The candidates of a search: layouts, each with every variant that it can have. Pure, and in an order that depends on
// the scenario and the axes alone.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "simulator/search/axes.hpp"

namespace moesim::search {

// How the GPUs are divided (vpp aside), and the batch. `sizes.vpp` is 1.
struct Layout {
  workloads::ParallelSizes sizes;
  std::int64_t batch_size = 1;
  std::int64_t micro_batch_size = 1;
  std::uint32_t kind = 0; // layouts of a kind have the same variants
};

// What is left to choose: indices of the axes' values.
struct Variant {
  std::uint32_t schedule = 0;
  std::int64_t vpp = 1;
  std::uint32_t recompute = 0;
  std::uint32_t sharding = 0;
  std::uint32_t overlap = 0; // of inference: of two_batch
};

struct Candidate {
  std::uint32_t layout = 0;
  std::uint32_t variant = 0; // index of the Variant
  auto operator<=>(const Candidate&) const = default;
};

class Space {
public:
  // Lists every layout of the subject's GPUs that the axes and the scenario's checks allow, and what variants each has:
  // those that the checks allow, once each where an axis makes no difference (README.md).
  Space(Subject subject, Axes axes);

  [[nodiscard]] const Subject& subject() const { return subject_; }
  [[nodiscard]] const Axes& axes() const { return axes_; }
  [[nodiscard]] const std::vector<Layout>& layouts() const { return layouts_; }
  [[nodiscard]] const std::vector<std::uint32_t>& variants_of(const Layout& layout) const {
    return variants_of_kind_[layout.kind];
  }
  [[nodiscard]] std::size_t candidate_count() const;

  // Set the fields of a candidate in a copy of the subject's scenario: first its layout, with 1f1b and nothing more,
  // then its variant. The order of zb-auto is not searched for.
  void set_layout(const Layout& layout, scenario::Scenario& scenario) const;
  void set_variant(std::uint32_t variant, scenario::Scenario& scenario) const;

  [[nodiscard]] const Layout& layout_of(Candidate candidate) const { return layouts_[candidate.layout]; }
  [[nodiscard]] const Variant& variant_of(Candidate candidate) const { return variants_[candidate.variant]; }
  // Of the subject's file, as `--set` takes them: the subject's, then the candidate's own.
  [[nodiscard]] std::vector<std::string> assignments(Candidate candidate) const;
  [[nodiscard]] std::vector<std::string> own_assignments(Candidate candidate) const;

private:
  struct Kind;
  struct Effect; // of a variant, in a layout
  using KindNumbers = std::map<Kind, std::uint32_t>;

  // The scenario's own list of layers where it has as many stages, else as evenly as possible.
  void spread_layers(workloads::Job& job) const;
  void list_variants();
  void list_layouts();
  void add_layouts(const workloads::ParallelSizes& sizes, scenario::Scenario& scenario, KindNumbers& kinds);
  [[nodiscard]] static Kind kind_of(const Layout& layout);
  // Of a kind; `scenario` has a layout of it.
  [[nodiscard]] std::vector<std::uint32_t> variants_of(const Kind& kind, scenario::Scenario& scenario) const;
  [[nodiscard]] Effect effect_of(const Variant& variant, const Kind& kind) const;

  Subject subject_;
  Axes axes_;
  std::vector<Variant> variants_;
  std::vector<Layout> layouts_;
  std::vector<std::vector<std::uint32_t>> variants_of_kind_;
};

} // namespace moesim::search
