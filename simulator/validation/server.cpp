#include "simulator/validation/server.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <iterator>
#include <queue>

#include "simulator/base/check.hpp"

namespace moesim::validation {
namespace {

struct Request {
  std::int64_t prompt = 1; // tokens
  std::int64_t output = 1;
  std::int64_t left = 1;  // of the prompt, that no step has taken yet
  double sent = 0;        // s
  double read = 0;        // s, when the front end hands it on
  double first_token = 0; // s
  std::int64_t steps = 0; // that it decodes in
  std::int64_t last_step = 0;
};

bool ends_later(const Request& one, const Request& other) {
  return one.last_step > other.last_step;
}

// Lengths between the shortest and the longest, as evenly as a sequence can be that never repeats: multiples of an
// irrational number modulo 1 (Weyl). Another number for outputs, so that long prompts do not go with long outputs.
std::int64_t length_of(std::int64_t request, std::int64_t longest, double shortest, double irrational) {
  const double whole = static_cast<double>(request) * irrational;
  const double share = shortest + (1 - shortest) * (whole - std::floor(whole));
  return std::max<std::int64_t>(1, std::llround(static_cast<double>(longest) * share));
}

class Server {
public:
  Server(const StepTimes& times, const Clients& clients, const Policy& policy)
      : times_(times), clients_(clients), policy_(policy) {}

  Served run() {
    while (sent_ < std::min(clients_.concurrency, clients_.requests))
      send();
    while (!unseen_.empty() || !waiting_.empty() || !running_.empty())
      step();
    const auto requests = static_cast<double>(clients_.requests);
    return {Seconds(ttft_ / requests), Seconds(with_two_ == 0 ? 0 : tpot_ / static_cast<double>(with_two_)),
            Seconds(now_), tokens_};
  }

private:
  void send() {
    constexpr double golden_ratio = 0.6180339887498949;
    constexpr double root_of_two = 0.4142135623730951;
    const std::int64_t prompt = length_of(sent_, clients_.prompt_length, clients_.shortest, golden_ratio);
    front_end_free_ = std::max(front_end_free_, now_) + static_cast<double>(prompt) * clients_.prompt_token.value();
    unseen_.push_back({.prompt = prompt,
                       .output = length_of(sent_, clients_.output_length, clients_.shortest, root_of_two),
                       .left = prompt,
                       .sent = now_,
                       .read = front_end_free_ + clients_.request.value()});
    ++sent_;
  }

  // What clients have sent and the front end has read joins the line: at once where nothing runs, which waits for it,
  // and after a step with prompts.
  void look() {
    if (++unlooked_ < policy_.looks_every && !running_.empty())
      return;
    unlooked_ = 0;
    if (running_.empty() && waiting_.empty() && !unseen_.empty())
      now_ = std::max(now_, unseen_.front().read);
    for (; !unseen_.empty() && unseen_.front().read <= now_; unseen_.pop_front())
      waiting_.push_back(unseen_.front());
  }

  // Tokens of prompts that the next step takes. Requests whose prompts end in it go to `begun`.
  std::int64_t take_prompts(std::vector<Request>& begun) {
    const auto running = static_cast<std::int64_t>(running_.size());
    const std::int64_t most = policy_.tokens_per_step - (policy_.cuts_prompts && policy_.mixes ? running : 0);
    std::int64_t tokens = 0;
    while (!waiting_.empty() && static_cast<std::int64_t>(begun.size()) < clients_.slots - running) {
      Request& first = waiting_.front();
      const std::int64_t room = std::max<std::int64_t>(tokens == 0 ? 1 : 0, most - tokens);
      const bool fits = first.left <= room || (tokens == 0 && !policy_.cuts_prompts);
      const std::int64_t taken = fits ? first.left : policy_.cuts_prompts ? room : 0;
      tokens += taken;
      first.left -= taken;
      if (!fits)
        break;
      begun.push_back(first);
      waiting_.pop_front();
    }
    return tokens;
  }

  void step() {
    look();
    std::vector<Request> begun;
    const std::int64_t prompt_tokens = take_prompts(begun);
    if (prompt_tokens > 0)
      unlooked_ = policy_.looks_every;
    double decoding = 0; // sequences
    if (prompt_tokens == 0 || policy_.mixes) {
      decoding = static_cast<double>(running_.size());
      ++step_;
    }
    now_ += times_.of(static_cast<double>(prompt_tokens), decoding, decoding == 0 ? 0 : context_ / decoding);
    context_ += decoding * tokens_of_step();
    for (Request& request : begun)
      begin(request);
    while (!running_.empty() && running_.top().last_step == step_)
      end();
  }

  // Of a request that has begun.
  [[nodiscard]] double tokens_of_step() const { return 1 + policy_.accepted; }

  void begin(Request& request) {
    request.first_token = now_;
    request.steps = static_cast<std::int64_t>(std::ceil(static_cast<double>(request.output - 1) / tokens_of_step()));
    request.last_step = step_ + request.steps;
    ttft_ += now_ - request.sent;
    context_ += static_cast<double>(request.prompt);
    running_.push(request);
  }

  void end() {
    const Request request = running_.top();
    running_.pop();
    context_ -= static_cast<double>(request.prompt) + static_cast<double>(request.steps) * tokens_of_step();
    tokens_ += static_cast<double>(request.output);
    if (request.output > 1) {
      tpot_ += (now_ - request.first_token) / static_cast<double>(request.output - 1);
      ++with_two_;
    }
    if (sent_ < clients_.requests)
      send();
  }

  const StepTimes& times_;
  const Clients& clients_;
  const Policy& policy_;
  double now_ = 0;            // s
  std::int64_t step_ = 0;     // of those that decode
  std::int64_t unlooked_ = 0; // steps since it last looked
  std::int64_t sent_ = 0;
  std::int64_t with_two_ = 0; // that have ended
  double context_ = 0;        // tokens of all that run
  double ttft_ = 0;           // s, sums
  double tpot_ = 0;
  double tokens_ = 0;
  double front_end_free_ = 0;  // s, when it has read what was sent
  std::deque<Request> unseen_; // sent since it last looked, in order
  std::deque<Request> waiting_;
  std::priority_queue<Request, std::vector<Request>, decltype(&ends_later)> running_{&ends_later};
};

} // namespace

double at(const Line& line, double amount) {
  MOESIM_CHECK(!line.empty(), "a line has a point");
  if (line.size() == 1)
    return line.front().second;
  auto upper = std::upper_bound(line.begin(), line.end(), amount,
                                [](double value, const auto& point) { return value < point.first; });
  upper = std::clamp(upper, line.begin() + 1, line.end() - 1);
  const auto& [x, y] = *(upper - 1);
  const auto& [next_x, next_y] = *upper;
  return std::max(0.0, y + (next_y - y) * (amount - x) / (next_x - x));
}

double StepTimes::of(double prompt_tokens, double sequences, double context) const {
  const double of_prompts = prompt_tokens == 0 ? 0 : at(prompts, prompt_tokens);
  if (sequences == 0)
    return of_prompts;
  Line by_context;
  for (const Decode& one : decode)
    by_context.emplace_back(one.context, at(one.by_sequences, sequences));
  const double tokens = at(by_context, context);
  if (prompt_tokens == 0)
    return tokens;
  const double products = by_context.front().second;
  return std::max(of_prompts, products) + tokens - products;
}

Served serve(const StepTimes& times, const Clients& clients, const Policy& policy) {
  return Server(times, clients, policy).run();
}

} // namespace moesim::validation
