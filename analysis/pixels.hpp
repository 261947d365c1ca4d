// Keeps pictures small: a picture never has more shapes than pixels, however many tasks there were.
#pragma once

#include <cstddef>
#include <vector>

namespace moesim::analysis {

// A piece of a horizontal strip; `colour` indexes a palette.
struct Piece {
  double start = 0; // pixels
  double end = 0;
  std::size_t colour = 0;
  std::size_t source = none; // index of the piece it was; none: several were merged
  static constexpr std::size_t none = static_cast<std::size_t>(-1);
};

// Pieces that follow one another without gaps, in order. Those of at least a pixel stay as they are; smaller ones are
// merged to a pixel. Its colour is the one that has been short-changed most so far, so that over many pixels the
// colours have the shares that they had before (error diffusion, Floyd and Steinberg 1976).
[[nodiscard]] std::vector<Piece> fit_to_pixels(const std::vector<Piece>& pieces, std::size_t colours);

} // namespace moesim::analysis
