// How fast SimGrid itself runs a job of Execs and Comms, with nothing of moesim around it: no graph, no hashing, no
// record; completion callbacks start what comes next. This is the yardstick for the executor (executor_benchmark.cpp).
//
// With --computes timer, SimGrid's kernel timers stand for the Execs: the least that a program on SimGrid can cost.
//
//   simgrid_floor [--gpus 512] [--execs 589824] [--comms 589824] [--computes exec|timer]
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <map>
#include <string>
#include <vector>

#include <simgrid/kernel/Timer.hpp>
#include <simgrid/s4u.hpp>
#include <simgrid/version.h>

#include "tests/benchmarks/chain_shape.hpp"

namespace {

namespace s4u = simgrid::s4u;

// The differences between SimGrid 3.32 and 4.0.
#if SIMGRID_VERSION >= 40000
constexpr const char* precision = "precision/timing:1e-15";
s4u::NetZone* make_zone(s4u::Engine& engine) {
  return engine.get_netzone_root()->add_netzone_star("star");
}
s4u::Host* make_host(s4u::NetZone* zone, const std::string& name) {
  return zone->add_host(name, 1.0)->seal();
}
std::vector<s4u::LinkInRoute> make_route(s4u::NetZone* zone, const std::string& name, double bandwidth) {
  return {s4u::LinkInRoute(zone->add_link(name, bandwidth)->seal())};
}
void add_route(s4u::NetZone* zone, s4u::Host* from, s4u::Host* to, const std::vector<s4u::LinkInRoute>& route) {
  zone->add_route(from, to, route, false);
}
#else
constexpr const char* precision = "surf/precision:1e-15";
s4u::NetZone* make_zone(s4u::Engine&) {
  return s4u::create_star_zone("star");
}
s4u::Host* make_host(s4u::NetZone* zone, const std::string& name) {
  return zone->create_host(name, 1.0)->seal();
}
std::vector<s4u::LinkInRoute> make_route(s4u::NetZone* zone, const std::string& name, double bandwidth) {
  return {s4u::LinkInRoute(zone->create_link(name, bandwidth)->seal())};
}
simgrid::kernel::routing::NetPoint* end_of(s4u::Host* host) {
  return host == nullptr ? nullptr : host->get_netpoint();
}
void add_route(s4u::NetZone* zone, s4u::Host* from, s4u::Host* to, const std::vector<s4u::LinkInRoute>& route) {
  zone->add_route(end_of(from), end_of(to), nullptr, nullptr, route, false);
}
#endif

enum class Computes { Exec, Timer };

class Floor {
public:
  Floor(const ChainShape& shape, Computes computes)
      : shape_(shape), computes_(computes), gpus_(shape.gpus), groups_(2 * shape.gpus) {}

  void build(s4u::Engine& engine) {
    s4u::NetZone* zone = make_zone(engine);
    for (std::uint32_t i = 0; i < shape_.gpus; ++i) {
      gpus_[i].compute = {i, false};
      gpus_[i].comm = {i, true};
      gpus_[i].nvlink = end(zone, "gpu" + std::to_string(i), ChainShape::nvlink_bytes_per_s);
      gpus_[i].nic = end(zone, "nic" + std::to_string(i), ChainShape::nic_bytes_per_s);
    }
    zone->seal();
  }

  void start() {
#if SIMGRID_VERSION >= 40000
    s4u::Exec::on_completion_cb([this](const s4u::Exec& exec) { ended(exec); });
    s4u::Comm::on_completion_cb([this](const s4u::Comm& comm) { ended(comm); });
#else
    s4u::Activity::on_completion_cb([this](const s4u::Activity& activity) { ended(activity); });
#endif
    for (std::uint32_t gpu = 0; gpu < shape_.gpus; ++gpu)
      next_step(gpu);
  }

private:
  // What a completion callback learns from its activity.
  struct Step {
    std::uint32_t gpu = 0;
    bool is_comm = false;
  };

  struct Gpu {
    Step compute;
    Step comm;
    s4u::Host* nvlink = nullptr;
    s4u::Host* nic = nullptr;
    std::uint32_t segment = 0;
    std::uint32_t computed = 0;
    s4u::ActivityPtr running;
  };

  static s4u::Host* end(s4u::NetZone* zone, const std::string& name, double bandwidth) {
    s4u::Host* host = make_host(zone, name);
    add_route(zone, host, nullptr, make_route(zone, name + ".up", bandwidth));
    add_route(zone, nullptr, host, make_route(zone, name + ".down", bandwidth));
    return host;
  }

  // The next compute task of `gpu`, or its part in the collective, which starts when all members are there.
  void next_step(std::uint32_t gpu) {
    Gpu& state = gpus_[gpu];
    if (state.computed < shape_.computes_before(state.segment)) {
      const double seconds = ChainShape::duration(ChainShape::duration_class(gpu, state.computed++));
      compute(gpu, seconds);
      return;
    }
    const std::uint32_t size = ChainShape::group_size(state.segment);
    const std::uint32_t first = gpu / size * size;
    if (++waiting(first, state.segment) == size)
      for (std::uint32_t member = first; member < first + size; ++member)
        send(member, first + (member + 1 - first) % size);
  }

  void compute(std::uint32_t gpu, double seconds) {
    if (computes_ == Computes::Timer) {
      simgrid::kernel::timer::Timer::set(s4u::Engine::get_clock() + seconds, [this, gpu] { next_step(gpu); });
      return;
    }
    s4u::ExecPtr exec = s4u::Exec::init();
    exec->set_flops_amount(seconds)->set_host(gpus_[gpu].nvlink);
    launch(gpus_[gpu], gpus_[gpu].compute, *exec);
  }

  void send(std::uint32_t from, std::uint32_t to) {
    Gpu& state = gpus_[from];
    const bool expert = ChainShape::is_expert(state.segment);
    s4u::CommPtr comm = expert ? s4u::Comm::sendto_init(state.nic, gpus_[to].nic)
                               : s4u::Comm::sendto_init(state.nvlink, gpus_[to].nvlink);
    comm->set_payload_size(static_cast<std::uint64_t>(ChainShape::flow_bytes(state.segment)));
    launch(state, state.comm, *comm);
  }

  template <class Activity>
  static void launch(Gpu& state, Step& step, Activity& activity) {
    activity.set_data(&step);
    state.running = &activity;
    activity.start();
  }

  void ended(const s4u::Activity& activity) {
    const auto [gpu, is_comm] = *activity.get_data<Step>();
    last_ended_ = std::move(gpus_[gpu].running); // SimGrid still uses it after this callback
    if (!is_comm) {
      next_step(gpu);
      return;
    }
    const std::uint32_t size = ChainShape::group_size(gpus_[gpu].segment);
    const std::uint32_t first = gpu / size * size;
    if (--waiting(first, gpus_[gpu].segment) == 0)
      for (std::uint32_t member = first; member < first + size; ++member)
        if (++gpus_[member].segment < shape_.segments)
          next_step(member);
  }

  // Tensor and expert groups that begin with the same GPU are not in step.
  std::uint32_t& waiting(std::uint32_t first, std::uint32_t segment) {
    return groups_[2 * first + (ChainShape::is_expert(segment) ? 1 : 0)];
  }

  const ChainShape shape_;
  const Computes computes_;
  std::vector<Gpu> gpus_;
  std::vector<std::uint32_t> groups_; // per first member and kind: members that arrived, then flows left
  s4u::ActivityPtr last_ended_;
};

} // namespace

int main(int argc, char** argv) {
  std::map<std::string, std::string> options{
      {"--gpus", "512"}, {"--execs", "589824"}, {"--comms", "589824"}, {"--computes", "exec"}};
  for (int i = 1; i + 1 < argc; i += 2)
    options[argv[i]] = argv[i + 1];
  const ChainShape shape = ChainShape::of(static_cast<std::uint32_t>(std::stoul(options["--gpus"])),
                                          std::stoull(options["--execs"]), std::stoull(options["--comms"]));
  if (options.size() != 4 || shape.gpus % ChainShape::expert_group != 0 || shape.segments == 0) {
    std::fprintf(stderr, "usage: simgrid_floor [--gpus MULTIPLE_OF_16] [--execs N] [--comms AT_LEAST_GPUS] "
                         "[--computes exec|timer]\n");
    return 2;
  }
  int no_arguments = 1;
  s4u::Engine engine(&no_arguments, argv);
  for (const char* setting : {"network/model:CM02", "network/TCP-gamma:0", "network/crosstraffic:0", precision})
    s4u::Engine::set_config(setting);
  Floor floor(shape, options["--computes"] == "timer" ? Computes::Timer : Computes::Exec);
  floor.build(engine);
  const std::clock_t begin = std::clock(); // CPU time: other programs on the machine matter less
  floor.start();
  engine.run();
  const double seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  const double activities = static_cast<double>(shape.computes() + shape.flows());
  std::printf("execs %zu comms %zu seconds %.3f activities_per_s %.0f simulated %.17g\n", shape.computes(),
              shape.flows(), seconds, activities / seconds, s4u::Engine::get_clock());
  return 0;
}
