// The parts of SimGrid that moesim uses, with the differences between 3.32 (Debian 12) and 4.0 (Debian 13) hidden here
// and nowhere else. Included by simgrid_*.cpp only.
#pragma once

#include <csignal>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <simgrid/kernel/Timer.hpp>
#include <simgrid/s4u.hpp>
#include <simgrid/version.h>
#include <xbt/log.h>

namespace moesim::execution::simgrid_compat {

namespace s4u = simgrid::s4u;

#if SIMGRID_VERSION >= 40000
inline constexpr const char* timing_precision = "precision/timing";
#else
inline constexpr const char* timing_precision = "surf/precision";
#endif

// A SimGrid that prints errors only and leaves Ctrl-C to the program. The default network model is tuned for TCP over a
// LAN; with these settings a lone flow takes size / bandwidth.
inline std::unique_ptr<s4u::Engine> make_engine() {
  xbt_log_control_set("root.thres:error");
  struct sigaction interrupt {};
  sigaction(SIGINT, nullptr, &interrupt);
  auto engine = std::make_unique<s4u::Engine>("moesim");
  sigaction(SIGINT, &interrupt, nullptr);
  s4u::Engine::set_config("network/model:CM02");
  s4u::Engine::set_config("network/TCP-gamma:0");
  s4u::Engine::set_config("network/crosstraffic:0");
  return engine;
}

// From now on, flows whose ends are less than `seconds` apart end together.
inline void set_timing_precision(double seconds) {
  s4u::Engine::set_config(timing_precision, seconds);
}

// The root of the platform, in which every route is given.
inline s4u::NetZone* make_root(s4u::Engine& engine) {
#if SIMGRID_VERSION >= 40000
  return engine.get_netzone_root()->add_netzone_full("root");
#else
  static_cast<void>(engine);
  return s4u::create_full_zone("root");
#endif
}

inline s4u::Host* make_host(s4u::NetZone* zone, const std::string& name) {
#if SIMGRID_VERSION >= 40000
  return zone->add_host(name, 1.0)->seal();
#else
  return zone->create_host(name, 1.0)->seal();
#endif
}

inline s4u::Link* make_link(s4u::NetZone* zone, const std::string& name, double capacity) {
#if SIMGRID_VERSION >= 40000
  return zone->add_link(name, capacity)->seal();
#else
  return zone->create_link(name, capacity)->seal();
#endif
}

// What goes from one host to the other, in this direction, crosses `links`.
inline void join(s4u::NetZone* zone, s4u::Host* from, s4u::Host* to, const std::vector<const s4u::Link*>& links) {
#if SIMGRID_VERSION >= 40000
  std::vector<s4u::LinkInRoute> route(links.begin(), links.end());
  zone->add_route(from, to, route, false);
#else
  std::vector<s4u::LinkInRoute> route(links.begin(), links.end());
  zone->add_route(from->get_netpoint(), to->get_netpoint(), nullptr, nullptr, route, false);
#endif
}

// `ended` is called for each communication that completes, with the `owner` that was given to send().
template <class Owner>
void on_completion(std::function<void(Owner& owner)> ended) {
#if SIMGRID_VERSION >= 40000
  s4u::Comm::on_completion_cb([ended = std::move(ended)](const s4u::Comm& comm) { ended(*comm.get_data<Owner>()); });
#else
  s4u::Activity::on_completion_cb(
      [ended = std::move(ended)](const s4u::Activity& activity) { ended(*activity.get_data<Owner>()); });
#endif
}

// Starts to send `size` units. Keep what it returns until on_completion() was called for it and has returned.
template <class Owner>
[[nodiscard]] s4u::CommPtr send(s4u::Host* from, s4u::Host* to, std::uint64_t size, Owner& owner) {
  s4u::CommPtr comm = s4u::Comm::sendto_init(from, to);
  comm->set_payload_size(size);
  comm->set_data(&owner);
  comm->start();
  return comm;
}

// For a run that stops before its end: SimGrid would print a backtrace for a communication that goes before it
// completes.
inline void abandon(s4u::Comm& comm) {
  comm.set_state(s4u::Activity::State::CANCELED);
}

} // namespace moesim::execution::simgrid_compat
