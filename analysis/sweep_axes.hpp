// What a sweep varied, and what each variation did to a figure. Points count when they were simulated and their model
// fits into memory; of the others there is nothing to compare.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "simulator/record/sweep_table.hpp"

namespace moesim::analysis {

// A field with several values, or several fields that always vary together.
struct SweepAxis {
  std::string name;                // "training.micro_batch_size", "platform.nodes, parallel.dp"
  std::string label;               // "micro_batch_size", "nodes, dp"; as the name where that were ambiguous
  std::vector<std::string> levels; // its values: numbers ascending, words in the order of the points
  std::vector<double> numbers;     // of the levels, when all are numbers; else empty
  std::vector<std::size_t> level;  // of each point
};

// A figure of a summary that sweeps are compared by.
struct SweepFigure {
  std::string name;  // as in the table
  std::string label; // "throughput"
  bool is_better_low = false;
};

// The figures that at least one of the points that count has, throughput first.
[[nodiscard]] std::vector<SweepFigure> sweep_figures(const record::SweepTable& table);

// Numbers of the points that count.
[[nodiscard]] std::vector<std::size_t> comparable_points(const record::SweepTable& table);

// What varies among the points that count, the scenario included: numbers before words, more levels before fewer.
[[nodiscard]] std::vector<SweepAxis> sweep_axes(const record::SweepTable& table);

// The better of two values of a figure.
[[nodiscard]] bool is_better(const SweepFigure& figure, double value, double than);
// The best of the points that have the figure; of equals the first. At least one has it.
[[nodiscard]] std::size_t best_of(const record::SweepTable& table, const SweepFigure& figure,
                                  const std::vector<std::size_t>& points);

// How much an axis matters: points that agree in all other axes are a group, and a group's ratio is its largest value
// over its smallest. 1 means that the axis changes nothing.
struct Sensitivity {
  std::string axis;         // its label
  double typical_ratio = 1; // geometric mean over the groups with at least two points
  double largest_ratio = 1;
};
// Most sensitive first; axes that never vary alone are left out.
[[nodiscard]] std::vector<Sensitivity> sensitivities(const record::SweepTable& table, const SweepFigure& figure);

// The points that no other point beats: one that has at least their tokens per second with at most their peak memory
// and GPUs, and differs in one of the three; of equals the first. Ascending by memory. Empty when the table lacks one
// of these figures.
[[nodiscard]] std::vector<std::size_t> pareto_front(const record::SweepTable& table);

} // namespace moesim::analysis
