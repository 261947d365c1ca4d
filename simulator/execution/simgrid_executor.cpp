#include "simulator/execution/simgrid_executor.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <map>
#include <memory>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "simulator/base/check.hpp"
#include "simulator/execution/delays.hpp"
#include "simulator/execution/run_state.hpp"
#include "simulator/execution/simgrid_compat.hpp"

namespace moesim::execution {

namespace {

namespace sg = simgrid_compat;
using simgrid::kernel::timer::Timer;

// SimGrid takes whole bytes. In units of 2^-16 byte a flow of a fraction of a byte is right, too, and one of 100 TB
// fits; a power of two leaves every time as it is.
constexpr double units_per_byte = 65536;
constexpr double largest_flow = 1e14; // bytes

// A flow with everything looked up that SimGrid wants to know.
struct Journey {
  sg::s4u::Host* from = nullptr;
  sg::s4u::Host* to = nullptr;
  std::uint64_t units = 0;
  const Flow* flow = nullptr;
};

// A flow under way: the owner of its SimGrid communication.
struct LiveFlow {
  sg::s4u::CommPtr comm;
  const Flow* flow = nullptr;
  std::uint32_t task = 0;
  Seconds start;
};

// The SimGrid side of Costs: every route that some flow takes joins an ordered pair of hosts that no other route joins.
// Nothing here needs to know which links belong to one GPU or one direction.
class Platform {
public:
  Platform(sg::s4u::Engine& engine, const Costs& costs) {
    sg::s4u::NetZone* zone = sg::make_root(engine);
    std::vector<sg::s4u::Link*> links;
    links.reserve(costs.links.size());
    for (std::size_t i = 0; i < costs.links.size(); ++i) // by number: names of users might clash
      links.push_back(sg::make_link(zone, fmt::format("link{}", i), costs.links[i].capacity.value() * units_per_byte));
    for (const Communication& communication : costs.communications)
      if (communication.sharing == Sharing::Links)
        for_each_wave(communication, [this](Seconds, const std::vector<Flow>& flows, std::uint32_t) {
          for (const Flow& flow : flows)
            if (flow.bytes > Bytes())
              pairs_.try_emplace(flow.route, pairs_.size());
        });
    // n hosts have n (n - 1) ordered pairs.
    std::size_t hosts = 2;
    while (hosts * (hosts - 1) < pairs_.size())
      ++hosts;
    for (std::size_t i = 0; i < hosts; ++i)
      hosts_.push_back(sg::make_host(zone, fmt::format("end{}", i)));
    for (const auto& [route, pair] : pairs_) {
      std::vector<const sg::s4u::Link*> crossed;
      for (const Crossing& crossing : route) // a link that is named n times is shared as by n flows
        crossed.insert(crossed.end(), crossing.times, links[crossing.link]);
      sg::join(zone, from(pair), to(pair), crossed);
    }
    zone->seal();
  }

  [[nodiscard]] Journey journey(const Flow& flow) const {
    MOESIM_CHECK(flow.bytes.value() <= largest_flow, "a flow has at most 100 TB");
    const double units = std::max(1.0, std::round(flow.bytes.value() * units_per_byte));
    const std::size_t pair = pairs_.at(flow.route);
    return {from(pair), to(pair), static_cast<std::uint64_t>(units), &flow};
  }

private:
  using Route = decltype(Flow::route);

  [[nodiscard]] sg::s4u::Host* from(std::size_t pair) const { return hosts_[pair / (hosts_.size() - 1)]; }
  [[nodiscard]] sg::s4u::Host* to(std::size_t pair) const {
    const std::size_t others = pair % (hosts_.size() - 1);
    return hosts_[others + (others >= pair / (hosts_.size() - 1) ? 1 : 0)];
  }

  std::map<Route, std::size_t> pairs_; // route: number of its pair of hosts
  std::vector<sg::s4u::Host*> hosts_;
};

// The flows of all communications that share links, wave by wave.
class Waves {
public:
  struct Wave {
    Seconds latency;
    std::size_t first = 0; // of its journeys
    std::size_t last = 0;  // after its journeys
  };

  Waves(const Platform& platform, const Costs& costs) {
    first_wave_.push_back(0);
    for (const Communication& communication : costs.communications) {
      if (communication.sharing == Sharing::Links)
        for_each_wave(communication, [&](Seconds latency, const std::vector<Flow>& flows, std::uint32_t times) {
          const std::size_t first = journeys_.size();
          for (const Flow& flow : flows)
            if (flow.bytes > Bytes())
              journeys_.push_back(platform.journey(flow));
          waves_.insert(waves_.end(), times, {latency, first, journeys_.size()});
        });
      first_wave_.push_back(waves_.size());
    }
  }

  [[nodiscard]] std::size_t count(std::uint32_t communication) const {
    return first_wave_[communication + 1] - first_wave_[communication];
  }
  [[nodiscard]] const Wave& wave(std::uint32_t communication, std::size_t number) const {
    return waves_[first_wave_[communication] + number];
  }
  [[nodiscard]] std::span<const Journey> journeys(const Wave& wave) const {
    return std::span(journeys_).subspan(wave.first, wave.last - wave.first);
  }

private:
  std::vector<Journey> journeys_;
  std::vector<Wave> waves_;
  std::vector<std::size_t> first_wave_; // per communication
};

// One run. One SimGrid timer is set to the next date on which a delay is over. A flow is a SimGrid communication whose
// completion calls flow_ended().
class Simulation {
public:
  Simulation(const graph::TaskGraph& graph, const Costs& costs, const Platform& platform, RunSink& sink,
             const Progress& progress)
      : costs_(costs), sink_(sink), state_(graph, sink, progress), delays_(graph, costs), waves_(platform, costs) {
    delays_.leave_out_flows();
  }

  ~Simulation() { // whole, or cut short by an exception of the sink or of progress
    delete ringing_;
    for (const LiveFlow& flow : live_)
      if (flow.comm)
        sg::abandon(*flow.comm);
  }
  Simulation(const Simulation&) = delete; // SimGrid calls back
  Simulation& operator=(const Simulation&) = delete;

  Seconds run(sg::s4u::Engine& engine) {
    sg::on_completion<LiveFlow>([this](LiveFlow& flow) { flow_ended(flow); });
    state_.begin([this](std::uint32_t task) { delays_.start(task, Seconds()); });
    double_horizon();
    set_timer();
    engine.run();
    return state_.finish();
  }

private:
  // SimGrid never sees an event that its clock, rounded, has passed by more than the timing precision, and rounding
  // grows with the clock. So the precision is that of the horizon, and a timer stops the clock there to move both on.
  void double_horizon() {
    horizon_ *= 2;
    sg::set_timing_precision(1e-15 * horizon_);
    Timer::set(horizon_, [this] {
      if (!delays_.empty() || idle_slots_.size() < live_.size())
        double_horizon();
    });
  }

  void end(std::uint32_t task, Seconds now) {
    delays_.end(task, now);
    state_.end(task, now, [this, now](std::uint32_t next) { delays_.start(next, now); });
  }

  void delay_ended(std::uint32_t task, Seconds now) {
    if (!delays_.communicates(task)) {
      end(task, now);
      return;
    }
    const std::uint32_t number = costs_.of_task[task];
    if (costs_.communications[number].sharing == Sharing::None) {
      state_.report_flows(task, costs_.communications[number], costs_.links, now);
      end(task, now);
    } else if (!start_flows(task, now)) {
      wave_ended(task, now);
    }
  }

  // Starts those of the wave that the communication has come to. Returns whether there is any.
  bool start_flows(std::uint32_t task, Seconds now) {
    const auto later = later_waves_.find(task);
    const std::span<const Journey> journeys =
        waves_.journeys(waves_.wave(costs_.of_task[task], later == later_waves_.end() ? 0 : later->second));
    state_.wait_for_flows(task, static_cast<std::uint32_t>(journeys.size()));
    for (const Journey& journey : journeys) {
      LiveFlow& flow = idle_slot();
      flow = {sg::send(journey.from, journey.to, journey.units, flow), journey.flow, task, now};
    }
    return !journeys.empty();
  }

  void wave_ended(std::uint32_t task, Seconds now) {
    const std::uint32_t number = costs_.of_task[task];
    if (waves_.count(number) > 1) {
      const std::size_t next = ++later_waves_[task];
      if (next < waves_.count(number)) {
        delays_.go_on(task, waves_.wave(number, next).latency, now);
        return;
      }
      later_waves_.erase(task);
    }
    end(task, now);
  }

  LiveFlow& idle_slot() {
    if (idle_slots_.empty())
      return live_.emplace_back();
    LiveFlow& slot = *idle_slots_.back();
    idle_slots_.pop_back();
    return slot;
  }

  void flow_ended(LiveFlow& ended) {
    const Seconds now(sg::s4u::Engine::get_clock());
    const std::uint32_t task = ended.task;
    sink_.flow_ran(*ended.flow, ended.start, now);
    // SimGrid still uses a communication after its callback, so it lives on until the next one has ended.
    last_ended_ = std::move(ended.comm);
    idle_slots_.push_back(&ended);
    if (state_.one_flow_less(task) == 0) {
      wave_ended(task, now);
      set_timer();
    }
  }

  // Called by the timer: ends every delay whose date has come. SimGrid's clock may be a rounding error late, so the
  // date itself counts; a chain of delays then ends at exactly their sum.
  void ring() {
    ringing_ = std::exchange(timer_, nullptr);
    const Seconds clock(sg::s4u::Engine::get_clock());
    while (!delays_.empty() && delays_.next_date() <= clock) {
      const Entry entry = delays_.take();
      delay_ended(entry.task, entry.date);
    }
    ringing_ = nullptr;
    set_timer();
  }

  // Makes sure that the timer is set to the next date on which a delay is over.
  void set_timer() {
    if (delays_.empty() || (timer_ != nullptr && timer_->get_date() <= delays_.next_date().value()))
      return;
    if (timer_ != nullptr)
      timer_->remove();
    timer_ = Timer::set(delays_.next_date().value(), [this] { ring(); });
  }

  const Costs& costs_;
  RunSink& sink_;
  RunState state_;
  Delays delays_;
  Waves waves_;
  std::unordered_map<std::uint32_t, std::size_t> later_waves_; // of the tasks that are past their first: which one
  Timer* timer_ = nullptr;                                     // owned by SimGrid until it rings
  Timer* ringing_ = nullptr;                                   // SimGrid deletes it unless ring() throws
  std::deque<LiveFlow> live_;                                  // stays where it is: SimGrid points into it
  std::vector<LiveFlow*> idle_slots_;                          // of live_
  sg::s4u::CommPtr last_ended_;
  double horizon_ = 0.5; // seconds
};

// Whether this process has not run a simulation before.
bool claim_process() {
  static bool claimed = false; // SimGrid's clock, settings and callbacks are global, too
  return !std::exchange(claimed, true) && !sg::s4u::Engine::is_initialized() && sg::s4u::Engine::get_clock() == 0;
}

} // namespace

Seconds SimGridExecutor::run(const graph::TaskGraph& graph, const Costs& costs, RunSink& sink,
                             const Progress& progress) {
  check(graph, costs);
  MOESIM_CHECK(claim_process(), "SimGrid runs one simulation per process");
  const std::unique_ptr<sg::s4u::Engine> engine = sg::make_engine();
  const Platform platform(*engine, costs);
  Simulation simulation(graph, costs, platform, sink, progress);
  return simulation.run(*engine);
}

} // namespace moesim::execution
