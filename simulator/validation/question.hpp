// What is to be predicted for an entry, and how: what every kind of entry is turned into.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace moesim::validation {

// What groups of figures are made by; empty where it does not apply.
struct Labels {
  std::string hardware;
  std::string model;
  std::string framework;
  std::string precision;
  std::string kind;       // of collective or kernel
  std::string size_class; // of collectives
  std::string release;    // of the framework
};

// The quantity of a peak of memory, in bytes, which has figures of its own.
inline constexpr std::string_view memory_quantity = "memory_bytes";

// One figure that was measured, in the unit that its quantity has in the file.
struct Measurement {
  std::string id;
  std::string quantity; // name of the field or column
  double value = 0;
  Labels labels;
  // What makes a rate of it, to rank layouts by: the tokens of a step over the GPUs, of a time; 0: it is a rate.
  double work = 0;
  double size = 0;       // of what was measured, to plot errors against; 0: it has none
  std::string size_unit; // "bytes"
  // Measurements of the same are comparable: one model, sequence, precision and GPUs, in another layout; empty: none
  // is.
  std::string comparable;
};

struct Prediction {
  double value = 0;                 // as the measurement
  std::optional<double> efficiency; // model FLOP/s over the peak, of a training step
};

struct Answer {
  std::vector<Prediction> predictions;  // of each measurement
  std::vector<std::string> assumptions; // what the source leaves out and was chosen
};

struct Skipped {
  std::string id;
  std::string reason;
};

struct Question {
  std::string id;
  std::vector<Measurement> measurements;
  // Runs in a process of its own. May throw Unpredictable or InputError.
  std::function<Answer()> answer;
  std::vector<Skipped> left_out{}; // measurements that say too little
};

using Prepared = std::variant<Question, Skipped>;

} // namespace moesim::validation
