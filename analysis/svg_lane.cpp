#include "analysis/svg_lane.hpp"

#include "analysis/palette.hpp"
#include "analysis/pixels.hpp"
#include "analysis/time_axis.hpp"

#include <fmt/format.h>

namespace moesim::analysis {
namespace {

constexpr double strip_height = 9;
constexpr double strip_gap = 2;
constexpr double digit_share = 0.61; // of the font size, in width

// The palette of pieces: kinds of blocks by shade, two that run together, and nothing.
constexpr std::size_t shades = last_shade + 1;
constexpr std::size_t together = shades * block_kind_count;
constexpr std::size_t blank = together + 1;

std::size_t palette_index(const PassBlock& block) {
  return static_cast<std::size_t>(block.kind) * shades + std::min(block.chunk, last_shade);
}

std::string fill_of(const PassBlock& block) {
  return fmt::format("fill=\"{}\"", block_colour(block.kind, block.chunk));
}

bool is_in(const PassBlock& block, const TimeWindow& window) {
  return block.end > window.from && block.start < window.to;
}

// Whether the block after `first` runs together with it.
bool overlaps_next(const std::vector<PassBlock>& blocks, std::size_t first) {
  return first + 1 < blocks.size() && blocks[first + 1].start < blocks[first].end;
}

// Gaps below a pixel are closed, so that they do not cost the blocks beside them their numbers.
std::vector<Piece> band_pieces(const std::vector<PassBlock>& blocks, const TimeWindow& window) {
  std::vector<Piece> pieces;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const bool is_pair = overlaps_next(blocks, i);
    const double end = is_pair ? std::max(blocks[i].end, blocks[i + 1].end) : blocks[i].end;
    const double x = window.x_of(blocks[i].start);
    const double before = pieces.empty() ? window.left : pieces.back().end;
    if (x - before >= 1)
      pieces.push_back({before, x, blank, Piece::none});
    else if (!pieces.empty())
      pieces.back().end = x;
    pieces.push_back({x, window.x_of(end), is_pair ? together : palette_index(blocks[i]), i});
    i += is_pair ? 1 : 0;
  }
  return fit_to_pixels(pieces, blank + 1);
}

bool communicates(const record::TaskTable& tasks) {
  const RowMeanings meanings(tasks);
  for (std::size_t row = 0; row < tasks.size(); ++row)
    if (!meanings.is_compute(row))
      return true;
  return false;
}

} // namespace

LanePainter::LanePainter(const record::RunRecord& run, const TimeWindow& window, const PictureStyle& style,
                         TimeUnit unit)
    : run_(run), window_(window), style_(style), unit_(unit), has_strip_(communicates(run.tasks)) {}

double LanePainter::band_height() const {
  return style_.is_narrow() && !has_strip_ ? 26 : 30;
}

double LanePainter::height() const {
  return band_height() + (has_strip_ ? strip_gap + strip_height : 0);
}

void LanePainter::draw(SvgCanvas& canvas, std::uint32_t rank, double y) {
  draw_stretches(canvas, rank, y);
  draw_band(canvas, rank, y);
}

// One path per activity: a subpath is a third of a rectangle element. Idle time is as high as the lane.
void LanePainter::draw_stretches(SvgCanvas& canvas, std::uint32_t rank, double y) {
  std::vector<Piece> pieces;
  for (const Stretch& stretch : stretches(run_, rank))
    if (stretch.end > window_.from && stretch.start < window_.to)
      pieces.push_back(
          {window_.x_of(stretch.start), window_.x_of(stretch.end), static_cast<std::size_t>(stretch.activity), 0});
  std::array<std::string, busy_activity_count + 1> paths;
  const double strip = y + band_height() + strip_gap;
  for (const Piece& piece : fit_to_pixels(pieces, paths.size())) {
    const bool is_idle = piece.colour == static_cast<std::size_t>(Activity::Idle);
    drawn_.activities.set(piece.colour);
    const std::string width = svg_number(piece.end - piece.start);
    paths[piece.colour] += fmt::format("M{} {}h{}v{}h-{}z", svg_number(piece.start), svg_number(is_idle ? y : strip),
                                       width, svg_number(is_idle ? height() : strip_height), width);
  }
  if (!paths.back().empty())
    canvas.path(paths.back(), "class=\"bubble\" fill=\"url(#idle)\"");
  for (std::size_t i = 0; has_strip_ && i < busy_activity_count; ++i)
    if (!paths[i].empty())
      canvas.path(paths[i], fmt::format("fill=\"{}\"", activity_colours[i]));
}

void LanePainter::draw_band(SvgCanvas& canvas, std::uint32_t rank, double y) {
  std::vector<PassBlock> blocks = pass_blocks(run_, rank);
  std::erase_if(blocks, [&](const PassBlock& block) { return !is_in(block, window_); });
  for (const PassBlock& block : blocks) {
    drawn_.kinds.set(static_cast<std::size_t>(block.kind));
    drawn_.chunks |= block.chunk > 0;
  }
  for (const Piece& piece : band_pieces(blocks, window_)) {
    const Box box{piece.start, y, piece.end - piece.start, band_height()};
    drawn_.together |= piece.colour == together;
    if (piece.source != Piece::none && piece.colour == together) {
      draw_together(canvas, blocks[piece.source], blocks[piece.source + 1], y);
    } else if (piece.source != Piece::none) {
      draw_block(canvas, blocks[piece.source], box);
    } else if (piece.colour == together) {
      canvas.rectangle({box.x, y, box.width, box.height / 2}, fill_of({.kind = BlockKind::Forward}));
      canvas.rectangle({box.x, y + box.height / 2, box.width, box.height / 2}, fill_of({.kind = BlockKind::Backward}));
    } else if (piece.colour < together) {
      canvas.rectangle(box, fill_of({.kind = static_cast<BlockKind>(piece.colour / shades),
                                     .chunk = static_cast<std::uint8_t>(piece.colour % shades)}));
    }
  }
  canvas.rectangle({window_.left, y, window_.width, band_height()}, "class=\"frame\"");
}

// The forward above, the backward below.
void LanePainter::draw_together(SvgCanvas& canvas, const PassBlock& a, const PassBlock& b, double y) const {
  const double half = band_height() / 2;
  for (const PassBlock* block : {&a, &b}) {
    const double x = window_.x_of(block->start);
    const double top = block->kind == BlockKind::Forward ? y : y + half;
    draw_block(canvas, *block, {x, top, window_.x_of(block->end) - x, half});
  }
}

// The letter and the number, or the number alone, or nothing, as there is room.
void LanePainter::draw_block(SvgCanvas& canvas, const PassBlock& block, const Box& box) const {
  const std::string number = block.kind == BlockKind::Optimizer ? "opt" : fmt::format("{}", block.micro_batch);
  const auto width = [](const std::string& label, double font) {
    return digit_share * font * static_cast<double>(label.size());
  };
  const std::string full = block.kind == BlockKind::Optimizer ? number : letter_of(block.kind) + number;
  const bool fits = box.width >= width(number, style_.number) + 3;
  const bool fits_small = fits || box.width >= width(number, style_.tiny) + 1;
  const std::string& label = box.width >= width(full, style_.number) + 3 ? full : number;
  const double font = fits ? style_.number : style_.tiny;
  const std::string tooltip =
      fmt::format("{}: {} to {}", describe(block), format_time(block.start, unit_), format_time(block.end, unit_));
  canvas.rectangle(box, (box.width > 3 ? "class=\"block\" " : "") + fill_of(block), fits_small ? tooltip : "");
  if (fits_small)
    canvas.text(
        box.x + box.width / 2, box.y + box.height / 2 + 0.36 * font, label,
        fmt::format("class=\"number{}{}\"", fits ? "" : " tiny", is_light(block.kind, block.chunk) ? " dark" : ""));
}

std::string LanePainter::describe(const PassBlock& block) const {
  if (block.kind == BlockKind::Optimizer)
    return std::string(name_of(block.kind));
  return fmt::format("{} of micro-batch {}{}", name_of(block.kind), block.micro_batch,
                     drawn_.chunks ? fmt::format(", chunk {}", block.chunk) : "");
}

} // namespace moesim::analysis
