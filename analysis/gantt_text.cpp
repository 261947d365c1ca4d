#include "analysis/gantt_text.hpp"

#include "analysis/gantt_lanes.hpp"

#include <bitset>
#include <cctype>
#include <cmath>

#include <fmt/format.h>

namespace moesim::analysis {
namespace {

enum class Labels : std::uint8_t { Full, Letters };

using Blocks = std::vector<PassBlock>;

// The longest time that all starts and ends are multiples of, within rounding; 0: none that is not far shorter.
double unit_of(const std::vector<Blocks>& lanes, double makespan) {
  const double rounding = 1e-9 * makespan;
  double unit = 0;
  for (const Blocks& blocks : lanes)
    for (const PassBlock& block : blocks)
      for (double time : {block.start, block.end}) {
        while (time > rounding) { // Euclid's algorithm
          const double rest = std::remainder(unit, time);
          unit = time;
          time = std::abs(rest);
        }
        if (unit > 0 && unit < 1e-4 * makespan)
          return 0;
      }
  return unit;
}

std::string label_of(const PassBlock& block) {
  if (block.kind == BlockKind::Optimizer)
    return "opt";
  const char letter = letter_of(block.kind);
  return fmt::format("{}{}", block.chunk % 2 == 0 ? letter : static_cast<char>(std::tolower(letter)),
                     block.micro_batch);
}

// What is drawn as one: a pass, or two that run together.
struct Cell {
  double start;
  double end;
  std::string label;
  BlockKind kind;
  [[nodiscard]] bool is_pair() const { return label.find('&') != std::string::npos; }
};

std::vector<Cell> cells_of(const Blocks& blocks) {
  std::vector<Cell> cells;
  for (const PassBlock& block : blocks) {
    if (!cells.empty() && block.start < cells.back().end) {
      cells.back().label += "&" + label_of(block);
      cells.back().end = std::max(cells.back().end, block.end);
    } else {
      cells.push_back({block.start, block.end, label_of(block), block.kind});
    }
  }
  return cells;
}

// Of the terminal's 256, near those of the pictures (svg_style.hpp).
std::string coloured(const std::string& text, BlockKind kind, Colour colour) {
  constexpr std::array<int, block_kind_count> colours{32, 36, 175, 32, 97, 245};
  return colour == Colour::Off ? text
                               : fmt::format("\033[38;5;{}m{}\033[0m", colours[static_cast<std::size_t>(kind)], text);
}

class Drawing {
public:
  Drawing(const record::RunRecord& run, Colour colour) : makespan_(run.figures.makespan), colour_(colour) {
    std::vector<Blocks> lanes;
    for (const std::uint32_t rank : shown_ranks(run, {}))
      lanes.push_back(pass_blocks(run, rank));
    unit_ = unit_of(lanes, makespan_);
    for (const Blocks& blocks : lanes)
      lanes_.push_back(cells_of(blocks));
    name_width_ = fmt::format("stage {}  ", lanes.size()).size();
  }

  [[nodiscard]] std::optional<std::string> draw(std::size_t columns) const {
    if (unit_ == 0)
      return {};
    const std::size_t room = columns - name_width_;
    const std::size_t width = label_cell();
    if (units(makespan_) * width <= room)
      return lines(width, Labels::Full);
    if (units(makespan_) <= room)
      return lines(1, Labels::Letters);
    return {};
  }

private:
  [[nodiscard]] std::size_t units(double time) const { return static_cast<std::size_t>(std::lround(time / unit_)); }

  // Characters of a unit of time that leave room for every label and a space.
  [[nodiscard]] std::size_t label_cell() const {
    std::size_t width = 1;
    for (const std::vector<Cell>& lane : lanes_)
      for (const Cell& cell : lane)
        if (const std::size_t length = units(cell.end) - units(cell.start); length > 0)
          width = std::max(width, (cell.label.size() + length) / length);
    return width;
  }

  [[nodiscard]] std::string lines(std::size_t width, Labels labels) const {
    std::string text;
    for (std::size_t stage = 0; stage < lanes_.size(); ++stage) {
      text += fmt::format("{:<{}}", fmt::format("stage {}", stage), name_width_);
      std::size_t at = 0;
      for (const Cell& cell : lanes_[stage]) {
        text += idle(units(cell.start) - at, width);
        at = units(cell.end);
        text += body(cell, (at - units(cell.start)) * width, labels);
      }
      text += idle(units(makespan_) - at, width);
      text.erase(text.find_last_not_of(' ') + 1); // of this line
      text += '\n';
    }
    return text + legend();
  }

  [[nodiscard]] std::string legend() const {
    std::bitset<block_kind_count> kinds;
    bool chunks = false;
    bool together = false;
    for (const std::vector<Cell>& lane : lanes_)
      for (const Cell& cell : lane) {
        kinds.set(static_cast<std::size_t>(cell.kind));
        chunks |= std::islower(cell.label.front()) != 0;
        together |= cell.is_pair();
      }
    std::string text;
    for (std::size_t i = 0; i < kinds.size(); ++i)
      if (const auto kind = static_cast<BlockKind>(i); kinds[i])
        text += coloured(fmt::format("{} {}", letter_of(kind), name_of(kind)), kind, colour_) + "  ";
    text += together ? "& both together  " : "";
    text += chunks ? "small letters: odd chunks  " : "";
    return std::string(name_width_, ' ') + text + ". idle\n";
  }

  static std::string idle(std::size_t units, std::size_t width) {
    std::string text;
    for (std::size_t i = 0; i < units; ++i)
      text += fmt::format("{:<{}}", ".", width);
    return text;
  }

  [[nodiscard]] std::string body(const Cell& cell, std::size_t size, Labels labels) const {
    if (size == 0)
      return {};
    if (labels == Labels::Letters)
      return coloured(std::string(size, cell.is_pair() ? '&' : cell.label.front()), cell.kind, colour_);
    return coloured(cell.label + std::string(size - cell.label.size() - 1, '-'), cell.kind, colour_) + " ";
  }

  double makespan_;
  Colour colour_;
  double unit_ = 0;
  std::vector<std::vector<Cell>> lanes_;
  std::size_t name_width_ = 0;
};

} // namespace

std::optional<std::string> gantt_text(const record::RunRecord& run, std::size_t columns, Colour colour) {
  return Drawing(run, colour).draw(columns);
}

} // namespace moesim::analysis
