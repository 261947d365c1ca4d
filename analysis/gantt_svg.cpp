#include "analysis/gantt_svg.hpp"

#include "analysis/palette.hpp"
#include "analysis/summary.hpp"
#include "analysis/svg_lane.hpp"
#include "analysis/text_flow.hpp"
#include "analysis/time_axis.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace moesim::analysis {
namespace {

constexpr double margin = 10;        // at the edges of the picture
constexpr double label_gap = 8;      // between the names of lanes and the lanes
constexpr double tick_distance = 75; // at least, of labels on the axis
constexpr double swatch_width = 14;  // of a legend entry
constexpr double swatch_height = 10;

// Without seconds there is no communication but the delays of transfers, during which a stage is as idle as ever.
double bubble_share(const TimeBudget& budget, TimeUnit unit) {
  const double idle = budget.bubble() + (unit == TimeUnit::Arbitrary ? budget.exposed_communication() : 0);
  return budget.makespan > 0 ? idle / budget.makespan : 0;
}

class Picture {
public:
  Picture(const record::RunRecord& run, const GanttOptions& options)
      : run_(run), ranks_(shown_ranks(run, options.ranks)), chosen_(!options.ranks.empty()), unit_(options.unit),
        style_(options.width), budgets_(time_budgets(run)), right_(margin + text_width("00.0 %x", style_.text)),
        window_(window_of(options)), painter_(run, window_, style_, options.unit) {}

  std::string draw() {
    std::string body = draw_body();
    canvas_.raw(style_.definitions());
    canvas_.rectangle({0, 0, style_.width, bottom_}, "fill=\"#fff\"");
    canvas_.raw(body);
    return canvas_.document(style_.width, bottom_);
  }

private:
  [[nodiscard]] std::string lane_name(std::uint32_t rank) const {
    return chosen_ ? fmt::format("rank {}", rank) : fmt::format("stage {}", run_.ranks.pp[rank]);
  }
  // A rank of a schedule by itself is its stage.
  [[nodiscard]] std::string lane_detail(std::uint32_t rank) const {
    if (unit_ == TimeUnit::Arbitrary)
      return "";
    return chosen_ ? coordinates(run_.ranks, rank) : fmt::format("rank {}", rank);
  }

  [[nodiscard]] TimeWindow window_of(const GanttOptions& options) const {
    double names = text_width("passes", style_.small);
    for (const std::uint32_t rank : ranks_)
      names = std::max({names, text_width(lane_name(rank), 1.1 * style_.text), // bold
                        text_width(lane_detail(rank), style_.small)});
    TimeWindow window;
    window.left = margin + names + label_gap;
    window.width = style_.width - window.left - right_;
    window.from = std::clamp(options.from, 0.0, run_.figures.makespan);
    window.to = std::clamp(options.to, window.from, run_.figures.makespan);
    return window;
  }
  [[nodiscard]] bool is_cut() const { return window_.from > 0 || window_.to < run_.figures.makespan; }

  std::string draw_body();
  void draw_heading(SvgCanvas& canvas);
  [[nodiscard]] std::vector<std::string> figures() const;
  void draw_axis(SvgCanvas& canvas, double top);
  void draw_lane(SvgCanvas& canvas, std::uint32_t rank, double y);
  void draw_legend(SvgCanvas& canvas);
  void draw_pass_legend(SvgCanvas& canvas);
  void draw_strip_legend(SvgCanvas& canvas);
  void start_legend_line(SvgCanvas& canvas, const char* name);
  void make_room(double width);
  void add_swatch(SvgCanvas& canvas, const std::string& fill, std::string_view label);
  void add_split_swatch(SvgCanvas& canvas, std::string_view label);
  void add_note(SvgCanvas& canvas, std::string_view text);

  const record::RunRecord& run_;
  std::vector<std::uint32_t> ranks_;
  bool chosen_;
  TimeUnit unit_;
  PictureStyle style_;
  TimeBudgets budgets_;
  double right_; // of the plot: room for what the lanes' bubbles are
  TimeWindow window_;
  LanePainter painter_;
  double bottom_ = margin; // of what is drawn so far
  double pen_ = 0;         // where the next entry of the legend goes
  SvgCanvas canvas_;
};

std::string Picture::draw_body() {
  SvgCanvas canvas;
  draw_heading(canvas);
  const double top = bottom_;
  const double gap = style_.is_narrow() ? 8 : 13;
  SvgCanvas lanes;
  for (const std::uint32_t rank : ranks_) {
    draw_lane(lanes, rank, bottom_);
    bottom_ += painter_.height() + gap;
  }
  bottom_ += 6 - gap;
  draw_axis(canvas, top); // behind the lanes
  canvas.raw(lanes.body());
  draw_legend(canvas);
  return canvas.body();
}

std::vector<std::string> Picture::figures() const {
  const Summary summary = summarize(run_);
  std::vector<std::string> figures;
  if (unit_ == TimeUnit::Arbitrary)
    figures = {fmt::format("makespan {}", format_time(run_.figures.makespan, unit_)),
               fmt::format("bubble {:.1f} %", 100 * bubble_share(budgets_.mean, unit_))};
  else
    figures = {fmt::format("iteration {}", format_time(summary.iteration_time_s, unit_)),
               fmt::format("bubble {:.1f} %", 100 * summary.bubble_fraction),
               fmt::format("exposed communication {:.1f} %", 100 * summary.exposed_communication_fraction),
               fmt::format("MFU {:.1f} %", 100 * summary.mfu)};
  if (is_cut())
    figures.push_back(fmt::format("shown: {} to {}", format_time(window_.from, unit_), format_time(window_.to, unit_)));
  return figures;
}

void Picture::draw_heading(SvgCanvas& canvas) {
  const double width = style_.width - 2 * margin;
  for (const std::string& line : lines_of(words_of(run_.figures.name), " ", width, 1.1 * style_.title)) // bold
    canvas.text(margin, bottom_ += style_.title + 2, line, "class=\"title\"");
  for (const std::string& line : lines_of(figures(), " · ", width, style_.text))
    canvas.text(margin, bottom_ += style_.line, line, "");
  canvas.text(window_.left + window_.width + 6, bottom_ += style_.line, "bubble", "class=\"small\"");
  bottom_ += 6;
}

void Picture::draw_axis(SvgCanvas& canvas, double top) {
  const double bottom = bottom_;
  const int most = std::clamp(static_cast<int>(window_.width / tick_distance), 2, 12);
  const TimeAxis axis = time_axis(window_.from, window_.to, most, unit_);
  for (const Tick& tick : axis.ticks) {
    const double x = window_.x_of(tick.time);
    canvas.line(x, top - 4, x, bottom, "class=\"grid\"");
    canvas.line(x, bottom, x, bottom + 4, "class=\"axis\"");
    canvas.text(x, bottom + style_.text + 4, tick.label, "class=\"middle\"");
  }
  canvas.line(window_.left, bottom, window_.left + window_.width, bottom, "class=\"axis\"");
  bottom_ += style_.text + 4 + style_.line;
  canvas.text(window_.left + window_.width / 2, bottom_, fmt::format("time ({})", axis.unit), "class=\"middle\"");
}

void Picture::draw_lane(SvgCanvas& canvas, std::uint32_t rank, double y) {
  const double x = window_.left - label_gap;
  const std::string detail = lane_detail(rank);
  const double middle = y + painter_.band_height() / 2 + 0.36 * style_.text;
  canvas.open_group(fmt::format("id=\"rank{}\"", rank));
  canvas.text(x, detail.empty() ? middle : middle - 4, lane_name(rank), "class=\"lane end\"");
  if (!detail.empty())
    canvas.text(x, middle - 4 + style_.small + 2, detail, "class=\"small end\"");
  canvas.text(window_.left + window_.width + 6, middle,
              fmt::format("{:.1f} %", 100 * bubble_share(budgets_.ranks[rank], unit_)), "");
  painter_.draw(canvas, rank, y);
  canvas.close_group();
}

void Picture::draw_legend(SvgCanvas& canvas) {
  bottom_ += 6;
  draw_pass_legend(canvas);
  draw_strip_legend(canvas);
  bottom_ += margin;
}

void Picture::draw_pass_legend(SvgCanvas& canvas) {
  const Drawn& drawn = painter_.drawn();
  start_legend_line(canvas, "passes");
  for (std::size_t kind = 0; kind < block_kind_count; ++kind)
    if (drawn.kinds[kind])
      add_swatch(canvas, fmt::format("fill=\"{}\"", block_colour(static_cast<BlockKind>(kind), 0)),
                 name_of(static_cast<BlockKind>(kind)));
  if (drawn.together)
    add_split_swatch(canvas, "forward and backward together");
  if (!painter_.has_strip())
    add_swatch(canvas, "fill=\"url(#idle)\" stroke=\"#ccc\" stroke-width=\".6\"", "bubble");
  add_note(canvas, drawn.chunks ? "number: micro-batch; lighter: later chunk of the stage" : "number: micro-batch");
}

void Picture::draw_strip_legend(SvgCanvas& canvas) {
  if (!painter_.has_strip())
    return;
  start_legend_line(canvas, "strip");
  for (std::size_t i = 0; i < busy_activity_count; ++i)
    if (painter_.drawn().activities[i])
      add_swatch(canvas, fmt::format("fill=\"{}\"", activity_colours[i]), activity_labels[i]);
  add_swatch(canvas, "fill=\"url(#idle)\" stroke=\"#ccc\" stroke-width=\".6\"", "idle");
  add_note(canvas, "communication shows where nothing is computed meanwhile");
}

void Picture::start_legend_line(SvgCanvas& canvas, const char* name) {
  bottom_ += style_.line;
  pen_ = window_.left;
  canvas.text(window_.left - label_gap, bottom_, name, "class=\"small end\"");
}

void Picture::make_room(double width) {
  if (pen_ > window_.left && pen_ + width > style_.width - margin) {
    bottom_ += style_.line;
    pen_ = window_.left;
  }
}

void Picture::add_swatch(SvgCanvas& canvas, const std::string& fill, std::string_view label) {
  const double text = text_width(label, style_.text);
  make_room(swatch_width + 5 + text);
  canvas.rectangle({pen_, bottom_ - swatch_height + 1, swatch_width, swatch_height}, fill);
  canvas.text(pen_ + swatch_width + 5, bottom_, label, "");
  pen_ += swatch_width + 5 + text + 14;
}

void Picture::add_split_swatch(SvgCanvas& canvas, std::string_view label) {
  make_room(swatch_width + 5 + text_width(label, style_.text));
  const Box upper{pen_, bottom_ - swatch_height + 1, swatch_width, swatch_height / 2};
  add_swatch(canvas, fmt::format("fill=\"{}\"", block_colour(BlockKind::Backward, 0)), label);
  canvas.rectangle(upper, fmt::format("fill=\"{}\"", block_colour(BlockKind::Forward, 0)));
}

// Word by word, where it does not fit into what is left of the line.
void Picture::add_note(SvgCanvas& canvas, std::string_view text) {
  make_room(text_width(text, style_.small));
  const double width = style_.width - margin - pen_;
  const std::vector<std::string> lines = lines_of(words_of(text), " ", width, style_.small);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    bottom_ += i > 0 ? style_.line : 0;
    canvas.text(pen_, bottom_, lines[i], "class=\"small\"");
  }
}

} // namespace

std::string gantt_svg(const record::RunRecord& run, const GanttOptions& options) {
  return Picture(run, options).draw();
}

} // namespace moesim::analysis
