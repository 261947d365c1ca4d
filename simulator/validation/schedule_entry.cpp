#include "simulator/validation/schedule_entry.hpp"

#include <fmt/format.h>

#include "schedulers/pass_timeline.hpp"

namespace moesim::validation {
namespace {

struct ScheduleFields {
  const schedulers::PipelineSchedule* schedule = nullptr;
  schedulers::ScheduleShape shape;
  std::int64_t micro_batch_size = 0; // samples
};

std::int64_t required(const Entry& entry, const char* field) {
  const auto value = integer(entry.config, field);
  if (!value || *value < 1)
    throw Unpredictable(fmt::format("{} is not given", field));
  return *value;
}

// A published time, in milliseconds.
double time_of(const Entry& entry, const char* field) {
  const auto value = number(entry.measured, field);
  if (!value)
    throw Unpredictable(fmt::format("{} is not given, and a schedule by itself has no times of its own", field));
  return *value;
}

// Chunks of a stage of a schedule that takes any number: a layer each, as in Zero Bubble's comparisons.
std::int64_t chunks_of(const Entry& entry, const schedulers::PipelineSchedule& schedule, std::int64_t stages,
                       const config::Node& rule) {
  if (schedule.chunks > 0)
    return schedule.chunks;
  if (const auto given = integer(entry.config, "virtual_pipeline_model_parallel_size"))
    return *given;
  const std::int64_t short_layers = integer(rule, "short_layers").value_or(0);
  return (required(entry, "num_layers") + short_layers) / stages;
}

ScheduleFields fields_of(const Entry& entry, const Vocabulary& vocabulary) {
  const std::string name = text(entry.config, "schedule").value_or("");
  const config::Node* rule = first_rule(vocabulary.schedules, "schedules", name);
  if (rule == nullptr)
    throw Unpredictable(fmt::format("no rule knows the schedule '{}'", name));
  if (const config::Node* reason = rule->find("skip"))
    throw Unpredictable(reason->scalar);
  ScheduleFields fields;
  fields.schedule = &schedulers::find_schedule(rule->find("name")->scalar);
  schedulers::ScheduleShape& shape = fields.shape;
  shape.stages = required(entry, "pipeline_model_parallel_size");
  shape.micro_batches = required(entry, "num_microbatches");
  shape.chunks = chunks_of(entry, *fields.schedule, shape.stages, *rule);
  shape.costs.assign(static_cast<std::size_t>(shape.stages), {.forward = time_of(entry, "profiled_T_F_ms"),
                                                              .backward_input = time_of(entry, "profiled_T_B_ms"),
                                                              .backward_weight = time_of(entry, "profiled_T_W_ms")});
  shape.transfer = time_of(entry, "profiled_T_comm_ms");
  shape.max_in_flight = integer(*rule, "stages_in_flight").value_or(0) * shape.stages;
  if (const std::string why = schedulers::refusal(*fields.schedule, shape); !why.empty())
    throw Unpredictable(why);
  fields.micro_batch_size = integer(entry.config, "micro_batch_size").value_or(0);
  return fields;
}

// Of the stage that is busy or waits longest, and of the whole step.
Answer answer(const ScheduleFields& fields, const std::vector<Measurement>& measurements) {
  const schedulers::ScheduleShape& shape = fields.shape;
  const schedulers::PassTimeline timeline = schedulers::time_passes(
      fields.schedule->order(shape), {fields.schedule->placement, shape.stages, shape.chunks}, shape);
  const schedulers::PassCosts& costs = shape.costs.front();
  const double micro_batches = static_cast<double>(shape.micro_batches);
  const double busy = micro_batches * (costs.forward + costs.backward());
  Answer answer;
  for (const Measurement& measurement : measurements)
    if (measurement.quantity == "busy_share")
      answer.predictions.push_back({busy / timeline.stage_span, std::nullopt});
    else
      answer.predictions.push_back({micro_batches * static_cast<double>(fields.micro_batch_size) /
                                        static_cast<double>(shape.stages) / (timeline.makespan * 1e-3),
                                    std::nullopt});
  return answer;
}

} // namespace

Question schedule_question(const Entry& entry, const Vocabulary& vocabulary) {
  const ScheduleFields fields = fields_of(entry, vocabulary);
  Question question{entry.id, {}, {}};
  const auto add = [&](const char* quantity, double value) {
    Measurement& of = question.measurements.emplace_back();
    of.id = entry.id;
    of.quantity = quantity;
    of.value = value;
    of.size = static_cast<double>(fields.shape.micro_batches);
    of.size_unit = "micro-batches";
    of.labels.model = text(entry.config, "model").value_or("");
    of.labels.kind = std::string(fields.schedule->name) + " " + quantity;
  };
  if (const auto bubble = number(entry.measured, "bubble_rate_calculated"))
    add("busy_share", 1 - *bubble);
  if (const auto rate = number(entry.measured, "samples_per_gpu_per_s"); rate && fields.micro_batch_size > 0)
    add("samples_per_gpu_per_s", *rate);
  if (question.measurements.empty())
    throw Unpredictable("it has no figure that a rule knows");
  question.answer = [fields, measurements = question.measurements] { return answer(fields, measurements); };
  return question;
}

} // namespace moesim::validation
