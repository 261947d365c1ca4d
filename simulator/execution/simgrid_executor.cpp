#include "simulator/execution/simgrid_executor.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <map>
#include <memory>
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
      for (const Flow& flow : communication.flows)
        if (flow.bytes > Bytes())
          pairs_.try_emplace(flow.route, pairs_.size());
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

// One run. One SimGrid timer is set to the next date on which a delay is over. A flow is a SimGrid communication whose
// completion calls flow_ended().
class Simulation {
public:
  Simulation(const graph::TaskGraph& graph, const Costs& costs, RunSink& sink, const Progress& progress)
      : costs_(costs), sink_(sink), state_(graph, sink, progress), delays_(graph, costs) {}

  ~Simulation() { // whole, or cut short by an exception of the sink or of progress
    delete ringing_;
    for (const LiveFlow& flow : live_)
      if (flow.comm)
        sg::abandon(*flow.comm);
  }
  Simulation(const Simulation&) = delete; // SimGrid calls back
  Simulation& operator=(const Simulation&) = delete;

  // Has SimGrid share the links: only the latency remains of the delay of a communication.
  void use_flows(const Platform& platform) {
    first_journey_.push_back(0);
    for (const Communication& communication : costs_.communications) {
      for (const Flow& flow : communication.flows)
        if (flow.bytes > Bytes())
          journeys_.push_back(platform.journey(flow));
      first_journey_.push_back(journeys_.size());
    }
    delays_.leave_out_flows();
    double_horizon();
  }

  Seconds run(sg::s4u::Engine& engine) {
    sg::on_completion<LiveFlow>([this](LiveFlow& flow) { flow_ended(flow); });
    state_.begin([this](std::uint32_t task) { delays_.start(task, Seconds()); });
    set_timer();
    engine.run();
    return state_.finish();
  }

private:
  [[nodiscard]] bool shares_links() const { return !first_journey_.empty(); }

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
    if (delays_.communicates(task)) {
      if (shares_links() && start_flows(task, now))
        return;
      if (!shares_links())
        state_.report_flows(task, costs_.communications[costs_.of_task[task]], now);
    }
    end(task, now);
  }

  // Returns whether there is any.
  bool start_flows(std::uint32_t task, Seconds now) {
    const std::size_t first = first_journey_[costs_.of_task[task]];
    const std::size_t last = first_journey_[costs_.of_task[task] + 1];
    state_.wait_for_flows(task, static_cast<std::uint32_t>(last - first));
    for (std::size_t i = first; i < last; ++i) {
      const Journey& journey = journeys_[i];
      LiveFlow& flow = idle_slot();
      flow = {sg::send(journey.from, journey.to, journey.units, flow), journey.flow, task, now};
    }
    return first < last;
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
      end(task, now);
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
  Timer* timer_ = nullptr;                 // owned by SimGrid until it rings
  Timer* ringing_ = nullptr;               // SimGrid deletes it unless ring() throws
  std::vector<Journey> journeys_;          // of all communications, one after the other
  std::vector<std::size_t> first_journey_; // per communication: where its journeys begin
  std::deque<LiveFlow> live_;              // stays where it is: SimGrid points into it
  std::vector<LiveFlow*> idle_slots_;      // of live_
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
  Simulation simulation(graph, costs, sink, progress);
  const bool shares_links = network_ == Network::Fluid;
  const Platform platform(*engine, shares_links ? costs : Costs{}); // SimGrid wants one in any case
  if (shares_links)
    simulation.use_flows(platform);
  return simulation.run(*engine);
}

} // namespace moesim::execution
