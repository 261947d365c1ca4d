// What clients of a server see that decides before every step which requests run in it: iteration-level scheduling (Yu
// et al., "Orca", OSDI 2022), as vLLM, SGLang and TensorRT-LLM do it. Requests wait in line; a step takes prompts from
// its head as long as there are slots and tokens left, and further tokens of every request that has begun. When a
// request ends its client sends the next one at once.
#pragma once

#include <cstdint>
#include <vector>

#include "simulator/base/units.hpp"

namespace moesim::validation {

// A time at an amount, linear between the points that are known, and beyond the outer ones (never below 0).
using Line = std::vector<std::pair<double, double>>;
[[nodiscard]] double at(const Line& line, double amount);

// How long steps take. In a step with both, products go over prompts and tokens at once, and attention over each.
struct StepTimes {
  Line prompts; // s, by tokens of prompts
  // s, by sequences that get a token; each at these tokens per sequence, the first few enough to cost no attention.
  struct Decode {
    double context = 0;
    Line by_sequences;
  };
  std::vector<Decode> decode;

  [[nodiscard]] double of(double prompt_tokens, double sequences, double context) const;
};

// How a server makes up its steps.
struct Policy {
  std::int64_t tokens_per_step = 1; // of prompts and, where those may be cut, of the tokens beside them
  bool cuts_prompts = false;        // where tokens run out (Agrawal et al., "Sarathi-Serve", OSDI 2024); else a longer
                                    // one is a step of its own
  bool mixes = true;                // prompts with tokens of requests that have begun, which otherwise wait
  std::int64_t looks_every = 1;     // steps without prompts after which it looks for what clients have sent
  std::int64_t drafted = 0;         // tokens that a step tries for each sequence, besides the one that is sure
  double accepted = 0;              // of these, on average
};

struct Clients {
  std::int64_t requests = 1;      // in all
  std::int64_t concurrency = 1;   // of them sent and not ended, at most
  std::int64_t slots = 1;         // of these, that the server runs; the others wait
  std::int64_t prompt_length = 1; // tokens, the longest
  std::int64_t output_length = 1; // the same
  Seconds request{};              // that one takes to the server and back, beside others
  Seconds prompt_token{};         // of reading a prompt, one prompt after the other
  double shortest = 1;            // of either, as a share of the longest: lengths are spread evenly between
};

struct Served {
  Seconds ttft; // mean over requests, from sending to the first token
  Seconds tpot; // mean over requests of their mean time from one token to the next; 0 where none has two
  Seconds time; // from the first request to the last token
  double output_tokens = 0;
};

[[nodiscard]] Served serve(const StepTimes& times, const Clients& clients, const Policy& policy);

} // namespace moesim::validation
