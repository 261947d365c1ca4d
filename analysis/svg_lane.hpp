// Draws the lane of a rank: a band with its passes as blocks and, where ranks communicate, beneath it a strip with what
// the rank is seen doing. Idle time is hatched.
#pragma once

#include <bitset>

#include "analysis/gantt_lanes.hpp"
#include "analysis/gantt_options.hpp"
#include "analysis/svg_canvas.hpp"
#include "analysis/svg_style.hpp"

namespace moesim::analysis {

// The time that a picture shows, and where.
struct TimeWindow {
  double from = 0;
  double to = 0;
  double left = 0; // pixels
  double width = 0;

  [[nodiscard]] double x_of(double time) const {
    return to > from ? left + (std::clamp(time, from, to) - from) / (to - from) * width : left;
  }
};

// What was drawn, for the legend.
struct Drawn {
  std::bitset<block_kind_count> kinds;
  std::bitset<busy_activity_count + 1> activities;
  bool chunks = false;   // a stage has several
  bool together = false; // a forward and a backward
};

class LanePainter {
public:
  LanePainter(const record::RunRecord& run, const TimeWindow& window, const PictureStyle& style, TimeUnit unit);

  [[nodiscard]] double height() const;
  [[nodiscard]] double band_height() const;
  [[nodiscard]] bool has_strip() const { return has_strip_; }
  void draw(SvgCanvas& canvas, std::uint32_t rank, double y);
  [[nodiscard]] const Drawn& drawn() const { return drawn_; }

private:
  void draw_stretches(SvgCanvas& canvas, std::uint32_t rank, double y);
  void draw_band(SvgCanvas& canvas, std::uint32_t rank, double y);
  void draw_block(SvgCanvas& canvas, const PassBlock& block, const Box& box) const;
  void draw_together(SvgCanvas& canvas, const PassBlock& a, const PassBlock& b, double y) const;
  [[nodiscard]] std::string describe(const PassBlock& block) const;

  const record::RunRecord& run_;
  TimeWindow window_;
  const PictureStyle& style_;
  TimeUnit unit_;
  bool has_strip_;
  Drawn drawn_;
};

} // namespace moesim::analysis
