#include "analysis/pixels.hpp"

#include <algorithm>

namespace moesim::analysis {
namespace {

class Merger {
public:
  explicit Merger(std::size_t colours) : owed_(colours, 0) {}

  void add(Piece piece) {
    if (piece.end - piece.start >= 1 && pending_ == 0) {
      result_.push_back(piece);
      return;
    }
    // Fills the pixel begun before; the rest of a long piece stands by itself.
    const double taken = std::min(1 - pending_, piece.end - piece.start);
    owed_[piece.colour] += taken;
    pending_ += taken;
    if (pending_ < 1 - 1e-9)
      return;
    flush(piece.start + taken);
    piece.start += taken;
    if (piece.end - piece.start > 1e-9)
      add(piece);
  }

  std::vector<Piece> finish(double end) {
    if (pending_ > 0)
      flush(end);
    return std::move(result_);
  }

private:
  void flush(double end) {
    const auto most = std::max_element(owed_.begin(), owed_.end());
    const auto colour = static_cast<std::size_t>(most - owed_.begin());
    *most -= pending_;
    const bool continues = !result_.empty() && result_.back().colour == colour && result_.back().source == Piece::none;
    if (continues)
      result_.back().end = end;
    else
      result_.push_back({end - pending_, end, colour, Piece::none});
    pending_ = 0;
  }

  std::vector<double> owed_; // pixels that each colour should have had and has not
  double pending_ = 0;       // width of the pixel that is being filled
  std::vector<Piece> result_;
};

} // namespace

std::vector<Piece> fit_to_pixels(const std::vector<Piece>& pieces, std::size_t colours) {
  Merger merger(colours);
  for (const Piece& piece : pieces)
    merger.add(piece);
  return pieces.empty() ? std::vector<Piece>() : merger.finish(pieces.back().end);
}

} // namespace moesim::analysis
