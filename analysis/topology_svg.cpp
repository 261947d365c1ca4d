#include "analysis/topology_svg.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "analysis/svg_canvas.hpp"
#include "analysis/topology_words.hpp"
#include "platforms/links.hpp"
#include "simulator/base/format.hpp"

namespace moesim::analysis {
namespace {

using platforms::Cluster;
using platforms::NodeNetwork;
using platforms::Tier;

constexpr double width = 1200;
constexpr double margin = 20;
constexpr double title_height = 44;
constexpr double row_height = 78;
constexpr double box_height = 26;
constexpr double nic_row = 12; // of a node, from its upper edge
constexpr double gpu_row = 64;
constexpr double network_row = 108;
constexpr double node_height = 146;
constexpr double gap = 24; // between nodes
constexpr double line_height = 20;
constexpr double widest_leaf = 120;
constexpr double narrowest_label = 50; // of a leaf
constexpr std::int64_t most_nodes = 3; // drawn
constexpr std::int64_t most_gpus = 8;  // of a node

constexpr std::string_view style = R"svg(<style>
text{font-family:Helvetica,Arial,'DejaVu Sans',sans-serif;font-size:12px;fill:#222;text-anchor:middle}
.title{font-size:16px;font-weight:bold;text-anchor:start}
.what{font-weight:bold;text-anchor:start}
.words{text-anchor:start}
.quiet{fill:#666}
.label{font-size:11px}
.node{fill:#f6f6f6;stroke:#999}
.gpu{fill:#d5e8d4;stroke:#6a9a62}
.nvlink{fill:#dbe9d8;stroke:#6a9a62}
.nic{fill:#dae8fc;stroke:#6c8ebf}
.switch{fill:#ffe6cc;stroke:#c48a3a}
.cable{stroke:#888;fill:none}
.trunk{stroke:#c48a3a;stroke-width:4}
</style>
)svg";

// Of the lines from NICs to leaves, by rail.
constexpr std::array<std::string_view, 8> rail_colours{"#1f77b4", "#d62728", "#2ca02c", "#9467bd",
                                                       "#ff7f0e", "#17becf", "#8c564b", "#7f7f7f"};

// The first ones and the last one of `count`, as many as `most` in all.
std::vector<std::int64_t> shown(std::int64_t count, std::int64_t most) {
  std::vector<std::int64_t> items;
  for (std::int64_t item = 0; item < std::min(count, most); ++item)
    items.push_back(item);
  if (count > most)
    items.back() = count - 1;
  return items;
}

class Picture {
public:
  explicit Picture(const Cluster& cluster)
      : cluster_(cluster), nodes_(shown(cluster.nodes, most_nodes)), places_(shown(cluster.gpus_per_node, most_gpus)) {}

  std::string document() {
    canvas_.raw(style);
    canvas_.text(margin, 28,
                 fmt::format("{}: {} nodes of {} {} GPUs", cluster_.name, format_count(cluster_.nodes),
                             format_count(cluster_.gpus_per_node), cluster_.gpu.name),
                 "class=\"title\"");
    place_rows();
    for (std::size_t node = 0; node < nodes_.size(); ++node)
      draw_frame(node);
    draw_switches();
    for (std::size_t node = 0; node < nodes_.size(); ++node)
      draw_node(node);
    return canvas_.document(width, draw_words(node_y_ + node_height + 34));
  }

private:
  void place_rows() {
    double y = title_height;
    for (auto& [exists, row] :
         {std::pair(cluster_.has_pods(), &core_y_), std::pair(has_spine(), &spine_y_), std::pair(true, &leaf_y_)})
      if (exists) {
        *row = y;
        y += row_height;
      }
    node_y_ = y;
  }

  [[nodiscard]] bool has_spine() const { return site_count(cluster_, Tier::Leaf) > 0; }

  [[nodiscard]] double node_width() const {
    const auto count = static_cast<double>(nodes_.size());
    return (width - 2 * margin - gap * (count - 1)) / count;
  }
  [[nodiscard]] double node_x(std::size_t node) const {
    return margin + static_cast<double>(node) * (node_width() + gap);
  }
  [[nodiscard]] double slot_width() const { return (node_width() - 16) / static_cast<double>(places_.size()); }
  // The middle of a GPU. What is left out is before the last one.
  [[nodiscard]] double gpu_x(std::size_t node, std::size_t place) const {
    return node_x(node) + 8 + (static_cast<double>(place) + 0.5) * slot_width();
  }
  [[nodiscard]] std::uint32_t gpu_at(std::size_t node, std::size_t place) const {
    return static_cast<std::uint32_t>(nodes_[node] * cluster_.gpus_per_node + places_[place]);
  }

  void box(double centre, double y, double box_width, std::string_view kind, std::string_view label) {
    canvas_.rectangle({centre - box_width / 2, y, box_width, box_height}, fmt::format("class=\"{}\" rx=\"3\"", kind));
    canvas_.text(centre, y + box_height / 2 + 4, label, "class=\"label\"");
  }

  void draw_frame(std::size_t node) {
    const double x = node_x(node);
    canvas_.rectangle({x, node_y_, node_width(), node_height}, "class=\"node\" rx=\"5\"");
    std::string label = fmt::format("node {}", nodes_[node]);
    if (node + 1 == nodes_.size() && cluster_.nodes > most_nodes)
      label += fmt::format(", {} nodes before it not shown", format_count(cluster_.nodes - most_nodes));
    if (cluster_.gpus_per_node > most_gpus)
      label += fmt::format(", {} GPUs not shown", format_count(cluster_.gpus_per_node - most_gpus));
    canvas_.text(x + node_width() / 2, node_y_ + node_height + 15, label, "class=\"quiet\"");
  }

  void draw_node(std::size_t node) {
    for (std::size_t place = 0; place < places_.size(); ++place) {
      box(gpu_x(node, place), node_y_ + gpu_row, slot_width() - 6, "gpu", fmt::format("GPU {}", places_[place]));
      canvas_.line(gpu_x(node, place), node_y_ + nic_row + box_height, gpu_x(node, place), node_y_ + gpu_row,
                   "class=\"cable\"");
    }
    draw_nics(node);
    draw_node_network(node);
  }

  // One box for each NIC that is shared, or for all of one GPU.
  void draw_nics(std::size_t node) {
    std::map<std::int64_t, std::pair<double, double>> spans; // by NIC: the first and the last GPU
    for (std::size_t place = 0; place < places_.size(); ++place) {
      const std::int64_t nic = cluster_.shares_nics() ? cluster_.rail_of(gpu_at(node, place)) : places_[place];
      const double x = gpu_x(node, place);
      spans.try_emplace(nic, x, x).first->second.second = x;
    }
    const std::int64_t of_gpu = cluster_.node_nics() / cluster_.gpus_per_node;
    for (const auto& [nic, span] : spans)
      box((span.first + span.second) / 2, node_y_ + nic_row, span.second - span.first + slot_width() - 6, "nic",
          of_gpu > 1 ? fmt::format("{} NICs", of_gpu) : fmt::format("NIC {}", nic));
  }

  void draw_node_network(std::size_t node) {
    const double y = node_y_ + network_row;
    const double from = node_y_ + gpu_row + box_height;
    if (cluster_.node_network == NodeNetwork::Mesh) {
      for (std::size_t a = 0; a < places_.size(); ++a)
        for (std::size_t b = a + 1; b < places_.size(); ++b) {
          const double depth = from + 12 * static_cast<double>(b - a) + 4;
          canvas_.path(fmt::format("M{0} {1}C{0} {2} {3} {2} {3} {1}", svg_number(gpu_x(node, a)), svg_number(from),
                                   svg_number(depth), svg_number(gpu_x(node, b))),
                       "class=\"cable\"");
        }
      return;
    }
    for (std::size_t place = 0; place < places_.size(); ++place)
      canvas_.line(gpu_x(node, place), from, gpu_x(node, place), y, "class=\"cable\"");
    box(node_x(node) + node_width() / 2, y, node_width() - 22, "nvlink",
        cluster_.node_network == NodeNetwork::Pcie ? "PCIe" : "NVLink switches");
  }

  // Leaves, with the cables to the NICs below them, and what is above.
  void draw_switches() {
    std::map<std::int64_t, std::vector<std::pair<double, std::int64_t>>> below; // leaf: places of NICs, and rails
    std::map<std::int64_t, std::vector<double>> of_group;                       // of leaves that share their nodes
    for (std::size_t node = 0; node < nodes_.size(); ++node)
      for (std::size_t place = 0; place < places_.size(); ++place) {
        const std::int64_t leaf = cluster_.leaf_of(gpu_at(node, place));
        below[leaf].emplace_back(gpu_x(node, place), cluster_.rail_of(gpu_at(node, place)));
        of_group[leaf / cluster_.leaves_per_node()].push_back(gpu_x(node, place));
      }
    std::map<std::int64_t, double> leaf_x;
    double spacing = node_width();
    for (const auto& [leaf, nics] : below) {
      const auto [first, last] = std::ranges::minmax(of_group.at(leaf / cluster_.leaves_per_node()));
      const double step = (last - first) / static_cast<double>(cluster_.leaves_per_node());
      leaf_x[leaf] = first + (static_cast<double>(leaf % cluster_.leaves_per_node()) + 0.5) * step;
      spacing = cluster_.leaves_per_node() > 1 ? std::min(spacing, step) : spacing;
      for (const auto& [x, rail] : nics)
        canvas_.line(x, node_y_ + nic_row, cluster_.has_leaves() ? leaf_x.at(leaf) : x, leaf_y_ + box_height,
                     fmt::format("stroke=\"{}\"", rail_colours[static_cast<std::size_t>(rail) % rail_colours.size()]));
    }
    if (has_spine())
      draw_upper_switches(leaf_x);
    draw_leaves(leaf_x, std::min(spacing - 5, widest_leaf));
  }

  void draw_leaves(const std::map<std::int64_t, double>& leaf_x, double leaf_width) {
    if (!cluster_.has_leaves())
      return box(width / 2, leaf_y_, width - 2 * margin, "switch", "non-blocking fabric");
    const bool is_narrow = leaf_width < narrowest_label;
    for (const auto& [leaf, x] : leaf_x)
      box(x, leaf_y_, leaf_width, "switch", fmt::format("{}{}", is_narrow ? "L" : "leaf ", leaf));
  }

  void draw_upper_switches(const std::map<std::int64_t, double>& leaf_x) {
    std::map<std::int64_t, std::vector<double>> pods;
    for (const auto& [leaf, x] : leaf_x)
      pods[cluster_.has_pods() ? leaf / cluster_.fabric.leaves_per_pod : 0].push_back(x);
    for (const auto& [pod, leaves] : pods) {
      const double centre = (leaves.front() + leaves.back()) / 2;
      for (const double x : leaves)
        canvas_.line(x, leaf_y_, x, spine_y_ + box_height, "class=\"trunk\"");
      if (cluster_.has_pods())
        canvas_.line(centre, spine_y_, centre, core_y_ + box_height, "class=\"trunk\"");
      if (cluster_.has_pods())
        box(centre, spine_y_, leaves.back() - leaves.front() + widest_leaf, "switch",
            fmt::format("spine of pod {}", pod));
    }
    box(width / 2, cluster_.has_pods() ? core_y_ : spine_y_, width - 2 * margin, "switch",
        cluster_.has_pods() ? "core" : "spine");
  }

  // Returns where the picture ends.
  double draw_words(double y) {
    for (const TopologyLine& line : topology_words(cluster_)) {
      y += line_height;
      canvas_.text(margin, y, line.what, "class=\"what\"");
      canvas_.text(margin + 170, y, line.words, "class=\"words\"");
    }
    return y + margin;
  }

  const Cluster& cluster_;
  std::vector<std::int64_t> nodes_;
  std::vector<std::int64_t> places_; // of GPUs in a node
  SvgCanvas canvas_;
  double core_y_ = 0;
  double spine_y_ = 0;
  double leaf_y_ = 0;
  double node_y_ = 0;
};

} // namespace

std::string topology_svg(const platforms::Cluster& cluster) {
  return Picture(cluster).document();
}

} // namespace moesim::analysis
