#include "platforms/gemm_curve.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace moesim::platforms {
namespace {

// Sides of tiles, in results. Libraries have more shapes between these; they change the fits by less than 0.1 %.
constexpr std::array<std::int64_t, 5> sides{16, 32, 64, 128, 256};
// Tensor cores take 64 rows at a time (wgmma of Hopper; two mma of Ampere), so one side is at least that long.
constexpr std::int64_t shortest_long_side = 64;
constexpr std::int64_t step_of_k = 16; // a tensor core instruction goes through 16 of k in 16 bits
constexpr std::int64_t largest_split = 32;
constexpr double result_bytes = 2;      // results are BF16
constexpr double partial_bytes = 2 * 4; // a partial sum is FP32, written and read

struct Tile {
  std::int64_t m;
  std::int64_t n;
};

std::int64_t ceil_div(std::int64_t amount, std::int64_t part) {
  return (amount + part - 1) / part;
}

double over(double amount, double rate) {
  return rate == 0 ? 0 : amount / rate;
}

// Share of the peak that the multiplications reach.
double efficiency_of(const Operator& op, const GemmCurve& curve) {
  return curve.max_efficiency * (op.pass == Pass::Backward ? curve.backward : 1);
}

// Goes through the choices for one product. Times are those of a whole wave: as if one multiprocessor did its tile
// alone, at its share of every rate.
class TiledProduct {
public:
  TiledProduct(const Operator& op, const GemmCurve& curve, FlopsPerSecond peak, std::int64_t multiprocessors)
      : op_(op), curve_(curve), processors_(static_cast<double>(multiprocessors)),
        multiplications_(peak.value() * efficiency_of(op, curve) / processors_),
        operands_(curve.operand_bandwidth.value() / processors_),
        results_(curve.result_bandwidth.value() / processors_) {}

  [[nodiscard]] Seconds fastest() const {
    double best = std::numeric_limits<double>::infinity();
    for (const std::int64_t m : sides)
      for (const std::int64_t n : sides)
        if (std::max(m, n) >= shortest_long_side && m * n <= curve_.largest_tile)
          best = std::min(best, with({m, n}));
    return Seconds(best);
  }

private:
  // Where waves are spread, splitting further than until every multiprocessor has a tile gains nothing.
  [[nodiscard]] double with(Tile tile) const {
    const double tiles = static_cast<double>(rows_of_tiles(tile)) * static_cast<double>(ceil_div(op_.n, tile.n));
    double best = std::numeric_limits<double>::infinity();
    for (std::int64_t parts = 1; parts <= largest_split; parts *= 2) {
      const double part_tiles = tiles * static_cast<double>(parts);
      best = std::min(best, waves_time(part_tiles, tile, parts) + reduction(parts));
      if (!curve_.whole_waves && part_tiles >= processors_)
        break;
    }
    return best;
  }

  // Groups with unequal rows have unequally many tiles, or, in weights' gradients, tiles that go through unequal k.
  [[nodiscard]] std::int64_t rows_of_tiles(Tile tile) const {
    if (op_.rows.are_equal() || op_.gives_weight_gradient)
      return op_.groups * ceil_div(op_.m, tile.m);
    std::int64_t tiles = 0;
    for (const std::int64_t rows : op_.rows.list())
      tiles += ceil_div(rows, tile.m);
    return tiles;
  }

  // Long tiles and short ones share the waves evenly, but the longest one is not shorter for it.
  [[nodiscard]] double waves_time(double tiles, Tile tile, std::int64_t parts) const {
    if (op_.rows.are_equal() || !op_.gives_weight_gradient)
      return waves(tiles) * tile_time(tile, op_.k, parts);
    double sum = 0;
    for (const std::int64_t rows : op_.rows.list())
      sum += tile_time(tile, rows, parts);
    const double mean = sum / static_cast<double>(op_.rows.list().size());
    return std::max(waves(tiles) * mean, tile_time(tile, op_.rows.list().front(), parts));
  }

  [[nodiscard]] double waves(double tiles) const {
    const double share = tiles / processors_;
    return std::max(1.0, curve_.whole_waves ? std::ceil(share) : share);
  }

  [[nodiscard]] double tile_time(Tile tile, std::int64_t k, std::int64_t parts) const {
    const auto area = static_cast<double>(tile.m * tile.n);
    // Tensor cores take factors of 8 bits and fewer as they are; what becomes 16 bits is read as such.
    const double bytes = bytes_per_element(op_.precision);
    const bool is_packed = op_.weight_bytes > 0 && op_.weight_bytes < bytes && is_cast_for_products(op_.precision);
    const double weight_bytes = is_packed ? op_.weight_bytes : bytes;
    const double operand_bytes = static_cast<double>(tile.m) * bytes + static_cast<double>(tile.n) * weight_bytes;
    const double step = std::max(2 * area / multiplications_, over(operand_bytes, operands_));
    const std::int64_t steps = ceil_div(k, parts * step_of_k) * step_of_k;
    return static_cast<double>(steps) * step + over(area * result_bytes, results_);
  }

  [[nodiscard]] double reduction(std::int64_t parts) const {
    if (parts == 1)
      return 0;
    const double results = static_cast<double>(op_.groups) * static_cast<double>(op_.m) * static_cast<double>(op_.n);
    return curve_.split_overhead.value() +
           over(results * partial_bytes * static_cast<double>(parts), curve_.operand_bandwidth.value());
  }

  const Operator& op_;
  const GemmCurve& curve_;
  double processors_;
  double multiplications_; // FLOP/s of one multiprocessor
  double operands_;        // bytes/s of one multiprocessor; 0: unlimited
  double results_;         // the same
};

} // namespace

Seconds gemm_time(const Operator& op, const GemmCurve& curve, FlopsPerSecond peak, std::int64_t multiprocessors) {
  if (curve.largest_tile == 0)
    return op.flops / (peak * efficiency_of(op, curve));
  return TiledProduct(op, curve, peak, multiprocessors).fastest();
}

} // namespace moesim::platforms
