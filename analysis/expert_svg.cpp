#include "analysis/expert_svg.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "analysis/expert_load.hpp"
#include "analysis/load_colours.hpp"
#include "analysis/text_flow.hpp"
#include "analysis/time_axis.hpp"
#include "simulator/base/check.hpp"

namespace moesim::analysis {
namespace {

constexpr double margin = 10;
constexpr double names = 62;         // of layers and ranks
constexpr double tick_distance = 75; // of a time axis
constexpr double column = 2;         // pixels, of lanes
constexpr double least_row = 3;
constexpr double most_row = 14;

// As high as it takes for rows to be told apart, within reason.
double row_height(std::size_t rows) {
  return std::clamp(420.0 / static_cast<double>(rows), least_row, most_row);
}

class Picture {
public:
  Picture(const record::RunRecord& run, double width)
      : run_(run), style_(width), loads_(relative_loads(run.experts)), group_(least_even_group(run)),
        plot_width_(style_.width - 2 * margin - names) {
    MOESIM_CHECK(!loads_.empty(), "a picture of experts needs a run with experts");
    double most = std::ranges::max(loads_);
    for (const std::vector<ExpertStep>& steps : group_.steps)
      for (const ExpertStep& step : steps)
        most = std::max(most, step.load);
    colours_ = LoadColours(most);
  }

  std::string document() {
    draw_heading();
    draw_heat_map();
    if (!group_.ranks.empty())
      draw_lanes();
    draw_legend();
    SvgCanvas canvas;
    canvas.raw(style_.definitions());
    canvas.rectangle({0, 0, style_.width, bottom_ + margin}, "fill=\"#fff\"");
    canvas.raw(canvas_.body());
    return canvas.document(style_.width, bottom_ + margin);
  }

private:
  void draw_heading();
  void draw_heat_map();
  void draw_lanes();
  void draw_lane(const std::vector<ExpertStep>& steps, double y, double height, CellPainter& cells) const;
  void draw_time_axis(double y);
  void draw_legend();
  void draw_title(const std::string& title, const std::string& detail);
  void draw_row_name(double y, double height, double& free_from, const std::string& name);
  [[nodiscard]] std::string busiest_expert() const;
  [[nodiscard]] std::string busiest_rank() const;
  [[nodiscard]] double left() const { return margin + names; }

  const record::RunRecord& run_;
  PictureStyle style_;
  std::vector<double> loads_;
  ExpertGroup group_;
  double plot_width_;
  LoadColours colours_{1};
  double bottom_ = margin; // of what is drawn so far
  SvgCanvas canvas_;
};

void Picture::draw_heading() {
  for (const std::string& line :
       lines_of(words_of(run_.figures.name), " ", style_.width - 2 * margin, 1.1 * style_.title))
    canvas_.text(margin, bottom_ += style_.title + 2, line, "class=\"title\"");
}

void Picture::draw_title(const std::string& title, const std::string& detail) {
  bottom_ += style_.line;
  canvas_.text(margin, bottom_ += style_.line, title, "class=\"lane\"");
  for (const std::string& line : lines_of(words_of(detail), " ", style_.width - 2 * margin, style_.small))
    canvas_.text(margin, bottom_ += style_.line, line, "class=\"small\"");
  bottom_ += 6;
}

// Names the row where there is room below the name before it.
void Picture::draw_row_name(double y, double height, double& free_from, const std::string& name) {
  const double middle = y + height / 2;
  if (middle - style_.small / 2 < free_from)
    return;
  canvas_.text(left() - 5, middle + 0.35 * style_.small, name, "class=\"small end\"");
  free_from = middle + style_.small / 2 + 1;
}

std::string Picture::busiest_expert() const {
  const auto most = std::ranges::max_element(loads_);
  const auto at = static_cast<std::size_t>(most - loads_.begin());
  return fmt::format("The busiest is expert {} of layer {}, with {:.2f} x the mean of its layer.",
                     at % run_.experts.experts, run_.experts.layers[at / run_.experts.experts], *most);
}

void Picture::draw_heat_map() {
  draw_title(fmt::format("Tokens of each of {} experts, by layer", run_.experts.experts), busiest_expert());
  const std::size_t layers = run_.experts.layers.size();
  const double height = row_height(layers);
  const double width = plot_width_ / static_cast<double>(run_.experts.experts);
  CellPainter cells;
  double free_from = 0;
  for (std::size_t row = 0; row < layers; ++row) {
    const double y = bottom_ + height * static_cast<double>(row);
    draw_row_name(y, height, free_from, fmt::format("layer {}", run_.experts.layers[row]));
    for (std::size_t expert = 0; expert < run_.experts.experts; ++expert)
      cells.add(left() + width * static_cast<double>(expert), y, width, height,
                colours_.colour_of(loads_[row * run_.experts.experts + expert]));
  }
  cells.draw(canvas_);
  bottom_ += height * static_cast<double>(layers);
  const int most = std::clamp(static_cast<int>(plot_width_ / tick_distance), 2, 16);
  for (const Tick& tick : time_axis(0, static_cast<double>(run_.experts.experts - 1), most, TimeUnit::Arbitrary).ticks)
    if (tick.time == std::floor(tick.time))
      canvas_.text(left() + width * (tick.time + 0.5), bottom_ + style_.small + 3, tick.label,
                   "class=\"small middle\"");
  bottom_ += style_.small + 3;
}

std::string Picture::busiest_rank() const {
  std::size_t rank = 0;
  const ExpertStep* busiest = nullptr;
  for (std::size_t i = 0; i < group_.steps.size(); ++i)
    for (const ExpertStep& step : group_.steps[i])
      if (busiest == nullptr || step.load > busiest->load) {
        busiest = &step;
        rank = i;
      }
  return fmt::format(
      "A step's busiest rank computes {:.2f} x its mean one, on average; at most {:.2f} x: rank {} in layer "
      "{} of micro-batch {}, {}.",
      group_.max_over_mean, busiest->load, group_.ranks[rank], busiest->layer, busiest->micro_batch,
      run_.tasks.phases[busiest->phase]);
}

// Each column has the mean load of the steps that it shows.
void Picture::draw_lane(const std::vector<ExpertStep>& steps, double y, double height, CellPainter& cells) const {
  const double seconds_per_column = run_.figures.makespan * column / plot_width_;
  std::vector<double> time(static_cast<std::size_t>(std::ceil(plot_width_ / column)));
  std::vector<double> load(time.size());
  for (const ExpertStep& step : steps)
    for (auto at = static_cast<std::size_t>(step.start / seconds_per_column); at < time.size(); ++at) {
      const double from = static_cast<double>(at) * seconds_per_column;
      if (from >= step.end)
        break;
      const double shown = std::min(step.end, from + seconds_per_column) - std::max(step.start, from);
      time[at] += shown;
      load[at] += shown * step.load;
    }
  for (std::size_t at = 0; at < time.size(); ++at)
    if (time[at] > 0)
      cells.add(left() + column * static_cast<double>(at), y, column, height, colours_.colour_of(load[at] / time[at]));
}

void Picture::draw_lanes() {
  draw_title(fmt::format("Experts' work of each of {} ranks that share experts, over time", group_.ranks.size()),
             busiest_rank());
  const double height = row_height(group_.ranks.size());
  const double all = height * static_cast<double>(group_.ranks.size());
  canvas_.rectangle({left(), bottom_, plot_width_, all}, "fill=\"url(#idle)\"");
  CellPainter cells;
  double free_from = 0;
  for (std::size_t i = 0; i < group_.ranks.size(); ++i) {
    const double y = bottom_ + height * static_cast<double>(i);
    draw_row_name(y, height, free_from, fmt::format("rank {}", group_.ranks[i]));
    draw_lane(group_.steps[i], y, height, cells);
  }
  cells.draw(canvas_);
  draw_time_axis(bottom_ += all);
}

void Picture::draw_time_axis(double y) {
  const int most = std::clamp(static_cast<int>(plot_width_ / tick_distance), 2, 12);
  const TimeAxis axis = time_axis(0, run_.figures.makespan, most);
  for (const Tick& tick : axis.ticks) {
    const double x = left() + plot_width_ * tick.time / run_.figures.makespan;
    canvas_.line(x, y, x, y + 4, "class=\"axis\"");
    canvas_.text(x, y + style_.small + 4, tick.label, "class=\"small middle\"");
  }
  canvas_.line(left(), y, left() + plot_width_, y, "class=\"axis\"");
  bottom_ = y + style_.small + 4 + style_.line;
  canvas_.text(left() + plot_width_ / 2, bottom_, fmt::format("time ({})", axis.unit), "class=\"middle\"");
}

void Picture::draw_legend() {
  bottom_ += style_.line;
  colours_.draw_legend(canvas_, left(), bottom_, std::min(300.0, plot_width_ - 30), style_);
  bottom_ += style_.text + style_.small + 4;
}

} // namespace

std::string expert_svg(const record::RunRecord& run, double width) {
  return Picture(run, width).document();
}

} // namespace moesim::analysis
