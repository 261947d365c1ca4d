#include "analysis/transfer_pairs.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

namespace moesim::analysis {
namespace {

// What both ends of a transfer have in common: receiver, its stream, times, and whose data it is.
using Key = std::tuple<std::uint32_t, std::uint8_t, double, double, std::int32_t, std::uint8_t, std::uint8_t>;

std::uint8_t index_of(const std::vector<std::string>& words, std::string_view word) {
  return static_cast<std::uint8_t>(std::find(words.begin(), words.end(), word) - words.begin());
}

class Pairing {
public:
  Pairing(const record::RunRecord& run, std::span<const std::uint32_t> ranks)
      : run_(run), ranks_(ranks), send_next_(index_of(run.tasks.streams, "pp-send-next")),
        send_prev_(index_of(run.tasks.streams, "pp-send-prev")),
        receive_next_(index_of(run.tasks.streams, "pp-recv-next")),
        receive_prev_(index_of(run.tasks.streams, "pp-recv-prev")),
        stages_(run.ranks.pp.empty() ? 1 : *std::max_element(run.ranks.pp.begin(), run.ranks.pp.end()) + 1) {}

  std::vector<TransferPair> pairs() {
    for (const std::uint32_t rank : ranks_)
      for (const std::size_t row : rows_on(rank, receive_next_, receive_prev_))
        receives_[key(row, rank, run_.tasks.stream[row])] = row;
    for (const std::uint32_t rank : ranks_) {
      add_pairs(rank, send_next_, receive_prev_);
      add_pairs(rank, send_prev_, receive_next_);
    }
    return std::move(pairs_);
  }

private:
  [[nodiscard]] std::vector<std::size_t> rows_on(std::uint32_t rank, std::uint8_t stream, std::uint8_t other) const {
    const record::RowRange range = rows_of(run_, rank);
    std::vector<std::size_t> rows;
    for (std::size_t row = range.first; row < range.last; ++row)
      if (run_.tasks.stream[row] == stream || run_.tasks.stream[row] == other)
        rows.push_back(row);
    return rows;
  }

  void add_pairs(std::uint32_t sender, std::uint8_t send_stream, std::uint8_t receive_stream) {
    const std::vector<std::size_t> rows = rows_on(sender, send_stream, send_stream);
    for (const std::uint32_t receiver : ranks_) {
      if (!are_neighbours(sender, receiver, send_stream == send_next_))
        continue;
      for (const std::size_t row : rows)
        if (const auto receive = receives_.find(key(row, receiver, receive_stream)); receive != receives_.end())
          pairs_.push_back({sender, receiver, row, receive->second});
    }
  }

  [[nodiscard]] Key key(std::size_t row, std::uint32_t receiver, std::uint8_t stream) const {
    const record::TaskTable& tasks = run_.tasks;
    return {receiver,         stream,          tasks.start[row], tasks.end[row], tasks.micro_batch[row],
            tasks.chunk[row], tasks.phase[row]};
  }

  // The last stage sends on to the first, when stages have several chunks.
  [[nodiscard]] bool are_neighbours(std::uint32_t sender, std::uint32_t receiver, bool to_next) const {
    const record::RankTable& ranks = run_.ranks;
    const std::uint32_t step = to_next ? 1 : stages_ - 1;
    return (ranks.pp[sender] + step) % stages_ == ranks.pp[receiver] && ranks.tp[sender] == ranks.tp[receiver] &&
           ranks.cp[sender] == ranks.cp[receiver] && ranks.dp[sender] == ranks.dp[receiver];
  }

  const record::RunRecord& run_;
  std::span<const std::uint32_t> ranks_;
  std::uint8_t send_next_, send_prev_, receive_next_, receive_prev_;
  std::uint32_t stages_;
  std::map<Key, std::size_t> receives_;
  std::vector<TransferPair> pairs_;
};

} // namespace

std::vector<TransferPair> transfer_pairs(const record::RunRecord& run, std::span<const std::uint32_t> ranks) {
  return Pairing(run, ranks).pairs();
}

} // namespace moesim::analysis
