#include "analysis/gantt_svg.hpp"

#include "analysis/gantt_lanes.hpp"
#include "analysis/palette.hpp"
#include "analysis/pixels.hpp"
#include "analysis/summary.hpp"
#include "analysis/svg_canvas.hpp"
#include "analysis/time_axis.hpp"
#include "simulator/base/format.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include <fmt/format.h>

namespace moesim::analysis {
namespace {

constexpr double left = 84;
constexpr double right = 62;
constexpr double top = 64;
constexpr double band_height = 30;
constexpr double strip_height = 9;
constexpr double strip_gap = 2;
constexpr double lane_height = band_height + strip_gap + strip_height;
constexpr double lane_gap = 13;
constexpr double digit_width = 6.1;       // of the numbers on blocks
constexpr double small_digit_width = 4.4; // where those do not fit
constexpr double smallest_width = 400;    // of the picture

constexpr std::size_t blank = 4 * block_kind_count; // in the palette of blocks

constexpr const char* style = R"svg(<style>
text{font-family:Helvetica,Arial,'DejaVu Sans',sans-serif;font-size:11px;fill:#222}
.title{font-size:16px;font-weight:bold}
.small{font-size:10px;fill:#666}
.lane{font-size:12px;font-weight:bold}
.number{font-size:10px;fill:#fff;text-anchor:middle}
.tiny{font-size:7px}
.dark{fill:#222}
.end{text-anchor:end}
.middle{text-anchor:middle}
.grid{stroke:#000;stroke-opacity:.13}
.axis{stroke:#444}
.block{stroke:#fff;stroke-width:.7}
.frame{fill:none;stroke:#bbb;stroke-width:.6}
</style>
<defs><pattern id="idle" width="4" height="4" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
<rect width="4" height="4" fill="#fff"/><line x1="0" y1="0" x2="0" y2="4" stroke="#ccc" stroke-width="1.4"/>
</pattern></defs>
)svg";

// Later chunks of a stage get lighter, three times at most. Mixed here rather than by opacity, which would let the grid
// shine through.
std::string lightened(std::uint32_t rgb, int times) {
  const double white = 0.22 * times;
  std::string colour = "#";
  for (const unsigned shift : {16U, 8U, 0U}) {
    const double part = static_cast<double>((rgb >> shift) & 0xffU);
    colour += fmt::format("{:02X}", static_cast<unsigned>(std::lround(part + (255 - part) * white)));
  }
  return colour;
}

std::string block_fill(const PassBlock& block) {
  return fmt::format("fill=\"{}\"", lightened(colour_of(block.kind), std::min<int>(block.chunk, 3)));
}

class Picture {
public:
  Picture(const record::RunRecord& run, const GanttOptions& options)
      : run_(run), ranks_(shown_ranks(run, options.ranks)), chosen_(!options.ranks.empty()),
        width_(std::max(options.width, smallest_width)), plot_width_(width_ - left - right) {}

  std::string draw() {
    canvas_.raw(style);
    canvas_.rectangle({0, 0, width_, height()}, "fill=\"#fff\"");
    draw_title();
    draw_axis();
    const TimeBudgets budgets = time_budgets(run_);
    for (std::size_t lane = 0; lane < ranks_.size(); ++lane)
      draw_lane(ranks_[lane], lane_top(lane), budgets.ranks[ranks_[lane]]);
    draw_legend();
    return canvas_.document(width_, height());
  }

private:
  [[nodiscard]] double lane_top(std::size_t lane) const {
    return top + static_cast<double>(lane) * (lane_height + lane_gap);
  }
  [[nodiscard]] double axis_top() const { return lane_top(ranks_.size()) - lane_gap + 6; }
  [[nodiscard]] double height() const { return axis_top() + 76; }
  [[nodiscard]] double x_of(double time) const {
    return run_.figures.makespan > 0 ? left + time / run_.figures.makespan * plot_width_ : left;
  }

  void draw_title() {
    const Summary summary = summarize(run_);
    canvas_.text(left, 24, summary.name, "class=\"title\"");
    canvas_.text(left, 42,
                 fmt::format("iteration {} · bubble {:.1f} % · exposed communication {:.1f} % · MFU {:.1f} %",
                             format_seconds(Seconds(summary.iteration_time_s)), 100 * summary.bubble_fraction,
                             100 * summary.exposed_communication_fraction, 100 * summary.mfu),
                 "");
    canvas_.text(width_ - right + 6, top - 6, "bubble", "class=\"small\"");
  }

  void draw_axis() {
    const double bottom = axis_top();
    const TimeAxis axis = time_axis(run_.figures.makespan, 12);
    for (const Tick& tick : axis.ticks) {
      const double x = x_of(tick.time);
      canvas_.line(x, top - 4, x, bottom, "class=\"grid\"");
      canvas_.line(x, bottom, x, bottom + 4, "class=\"axis\"");
      canvas_.text(x, bottom + 15, tick.label, "class=\"middle\"");
    }
    canvas_.line(left, bottom, left + plot_width_, bottom, "class=\"axis\"");
    canvas_.text(left + plot_width_ + 6, bottom + 15, axis.unit, "");
  }

  void draw_lane(std::uint32_t rank, double y, const TimeBudget& budget) {
    const std::string stage = fmt::format("stage {}", run_.ranks.pp[rank]);
    const std::string name = fmt::format("rank {}", rank);
    canvas_.open_group(fmt::format("id=\"rank{}\"", rank));
    canvas_.text(left - 8, y + 13, chosen_ ? name : stage, "class=\"lane end\"");
    canvas_.text(left - 8, y + 26, chosen_ ? coordinates(run_.ranks, rank) : name, "class=\"small end\"");
    if (budget.makespan > 0)
      canvas_.text(width_ - right + 6, y + band_height / 2 + 4,
                   fmt::format("{:.1f} %", 100 * budget.bubble() / budget.makespan), "");
    draw_band(rank, y);
    draw_strip(rank, y + band_height + strip_gap);
    canvas_.close_group();
  }

  // Gaps below a pixel are closed, so that they do not cost the blocks beside them their numbers.
  [[nodiscard]] std::vector<Piece> band_pieces(const std::vector<PassBlock>& blocks) const {
    std::vector<Piece> pieces;
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      const PassBlock& block = blocks[i];
      const double x = x_of(block.start);
      const double before = pieces.empty() ? left : pieces.back().end;
      if (x - before >= 1)
        pieces.push_back({before, x, blank, Piece::none});
      else if (!pieces.empty())
        pieces.back().end = x;
      pieces.push_back({x, x_of(block.end), palette_index(block), i});
    }
    return fit_to_pixels(pieces, blank + 1);
  }

  static std::size_t palette_index(const PassBlock& block) {
    return static_cast<std::size_t>(block.kind) * 4 + std::min<std::size_t>(block.chunk, 3);
  }
  static PassBlock block_of_palette(std::size_t index) {
    return {0, 0, static_cast<BlockKind>(index / 4), -1, static_cast<std::uint8_t>(index % 4)};
  }

  void draw_band(std::uint32_t rank, double y) {
    const std::vector<PassBlock> blocks = pass_blocks(run_, rank);
    chunks_ |= std::any_of(blocks.begin(), blocks.end(), [](const PassBlock& block) { return block.chunk > 0; });
    for (const Piece& piece : band_pieces(blocks)) {
      const Box box{piece.start, y, piece.end - piece.start, band_height};
      if (piece.source != Piece::none)
        draw_block(blocks[piece.source], box);
      else if (piece.colour < blank)
        canvas_.rectangle(box, block_fill(block_of_palette(piece.colour)));
    }
    canvas_.rectangle({left, y, plot_width_, band_height}, "class=\"frame\"");
  }

  void draw_block(const PassBlock& block, const Box& box) {
    const std::string label = block.kind == BlockKind::Optimizer ? "opt" : fmt::format("{}", block.micro_batch);
    const auto characters = static_cast<double>(label.size());
    const bool fits = box.width >= digit_width * characters + 3;
    const bool fits_small = box.width >= small_digit_width * characters + 1;
    const std::string tooltip = fmt::format("{}: {} to {}", describe(block), format_seconds(Seconds(block.start)),
                                            format_seconds(Seconds(block.end)));
    canvas_.rectangle(box, (box.width > 3 ? "class=\"block\" " : "") + block_fill(block), fits_small ? tooltip : "");
    if (fits_small)
      canvas_.text(box.x + box.width / 2, box.y + band_height / 2 + (fits ? 3.6 : 2.5), label,
                   fmt::format("class=\"number{}{}\"", fits ? "" : " tiny", block.chunk >= 2 ? " dark" : ""));
  }

  [[nodiscard]] std::string describe(const PassBlock& block) const {
    if (block.kind == BlockKind::Optimizer)
      return std::string(name_of(block.kind));
    return fmt::format("{} of micro-batch {}{}", name_of(block.kind), block.micro_batch,
                       chunks_ ? fmt::format(", chunk {}", block.chunk) : "");
  }

  // One path per activity: a subpath is a third of a rectangle element.
  void draw_strip(std::uint32_t rank, double y) {
    canvas_.rectangle({left, y, plot_width_, strip_height}, "fill=\"url(#idle)\"");
    std::vector<Piece> pieces;
    for (const Stretch& stretch : stretches(run_, rank))
      pieces.push_back({x_of(stretch.start), x_of(stretch.end), static_cast<std::size_t>(stretch.activity), 0});
    std::array<std::string, busy_activity_count> paths;
    for (const Piece& piece : fit_to_pixels(pieces, busy_activity_count + 1)) {
      if (piece.colour == static_cast<std::size_t>(Activity::Idle))
        continue;
      seen_.insert(piece.colour);
      const std::string width = svg_number(piece.end - piece.start);
      paths[piece.colour] += fmt::format("M{} {}h{}v{}h-{}z", svg_number(piece.start), svg_number(y), width,
                                         svg_number(strip_height), width);
    }
    for (std::size_t i = 0; i < paths.size(); ++i)
      if (!paths[i].empty())
        canvas_.path(paths[i], fmt::format("fill=\"{}\"", activity_colours[i]));
  }

  // Returns where the next entry starts.
  double legend_entry(double x, double y, const std::string& fill, std::string_view label) {
    canvas_.rectangle({x, y - 9, 14, 10}, fill);
    canvas_.text(x + 19, y, label, "");
    return x + 35 + 6.1 * static_cast<double>(label.size());
  }

  void draw_legend() {
    double y = height() - 32;
    canvas_.text(left - 8, y, "passes", "class=\"small end\"");
    double x = left;
    for (const BlockKind kind : run_.figures.output_tokens > 0
                                    ? std::vector{BlockKind::Prefill, BlockKind::Decode}
                                    : std::vector{BlockKind::Forward, BlockKind::Backward, BlockKind::Optimizer})
      x = legend_entry(x, y, block_fill({.kind = kind}), name_of(kind));
    canvas_.text(x, y, chunks_ ? "number: micro-batch; lighter: later chunks of the stage" : "number: micro-batch",
                 "class=\"small\"");
    y += 18;
    canvas_.text(left - 8, y, "strip", "class=\"small end\"");
    x = left;
    for (const std::size_t activity : seen_)
      x = legend_entry(x, y, fmt::format("fill=\"{}\"", activity_colours[activity]), activity_labels[activity]);
    x = legend_entry(x, y, "fill=\"url(#idle)\" stroke=\"#ccc\" stroke-width=\".6\"", "idle");
    canvas_.text(x, y, "communication shows where nothing is computed meanwhile", "class=\"small\"");
  }

  const record::RunRecord& run_;
  std::vector<std::uint32_t> ranks_;
  bool chosen_;
  double width_;
  double plot_width_;
  std::set<std::size_t> seen_; // activities, for the legend
  bool chunks_ = false;        // a stage has several chunks
  SvgCanvas canvas_;
};

} // namespace

std::string gantt_svg(const record::RunRecord& run, const GanttOptions& options) {
  return Picture(run, options).draw();
}

} // namespace moesim::analysis
