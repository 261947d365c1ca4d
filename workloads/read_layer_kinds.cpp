#include "workloads/read_layer_kinds.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "simulator/config/quote.hpp"
#include "workloads/optional_fields.hpp"

namespace moesim::workloads {
namespace {

constexpr config::IntegerRange layer_count{.min = 1, .max = 10'000};
constexpr config::IntegerRange span{.min = 1, .max = 1'000'000'000};

// Layers with experts, by any of the rules that configurations know: not the first k (DeepSeek), every n-th from the
// first (DeepSeek) or counted from one (Qwen, Llama 4), none of a list (Qwen).
void read_expert_layers(config::MapReader& map, ModelSpec& model) {
  map.alias("interleave_moe_layer_step", "decoder_sparse_step");
  const std::int64_t first = integer_if_given(map, "first_k_dense_replace", 0, {.min = 0, .max = layer_count.max});
  const std::int64_t frequency = integer_if_given(map, "moe_layer_freq", 1, layer_count);
  const std::int64_t step = integer_if_given(map, "decoder_sparse_step", 1, layer_count);
  std::vector<std::int64_t> dense;
  if (is_given(map, "mlp_only_layers"))
    dense = map.integers_or_empty("mlp_only_layers", {.min = 0, .max = layer_count.max});
  for (std::int64_t layer = 0; layer < model.num_layers; ++layer)
    model.layer_kinds[static_cast<std::size_t>(layer)].has_experts =
        model.moe && layer >= first && layer % frequency == 0 && (layer + 1) % step == 0 &&
        std::ranges::find(dense, layer) == dense.end();
}

std::optional<Reach> reach_named(const config::Node& node) {
  for (const Reach reach : {Reach::Full, Reach::Sliding, Reach::Chunked})
    if (node.kind == config::Node::Kind::Scalar && node.scalar == name_of(reach))
      return reach;
  return std::nullopt;
}

// The list may go on: a model cut down to its first layers keeps it as it is.
void read_layer_types(config::MapReader& map, const config::Node& list, ModelSpec& model) {
  if (list.kind != config::Node::Kind::Sequence || list.items.size() < model.layer_kinds.size())
    return map.problem("layer_types",
                       fmt::format("expected a list of at least num_hidden_layers = {} names", model.num_layers));
  for (std::size_t layer = 0; layer < model.layer_kinds.size(); ++layer) {
    const std::optional<Reach> reach = reach_named(list.items[layer]);
    if (!reach)
      return map.problem("layer_types", fmt::format("item {} is {}; expected full_attention, sliding_attention or "
                                                    "chunked_attention",
                                                    layer, config::description(list.items[layer])));
    model.layer_kinds[layer].reach = *reach;
  }
}

void read_reach(config::MapReader& map, const Family& family, ModelSpec& model) {
  const bool is_chunked = is_given(map, "attention_chunk_size");
  model.attention_span = integer_if_given(map, is_chunked ? "attention_chunk_size" : "sliding_window", 0, span);
  const bool is_used = map.boolean_or("use_sliding_window", !family.window_is_opt_in);
  const std::int64_t first = integer_if_given(map, "max_window_layers", 0, {.min = 0, .max = layer_count.max});
  if (is_given(map, "layer_types"))
    return read_layer_types(map, *map.node("layer_types"), model);
  if (model.attention_span == 0 || !is_used)
    return;
  for (std::int64_t layer = first; layer < model.num_layers; ++layer)
    if (family.full_reach_every == 0 || (layer + 1) % family.full_reach_every != 0)
      model.layer_kinds[static_cast<std::size_t>(layer)].reach = is_chunked ? Reach::Chunked : Reach::Sliding;
}

} // namespace

void read_layer_kinds(config::MapReader& map, const Family& family, ModelSpec& model) {
  model.layer_kinds.resize(static_cast<std::size_t>(model.num_layers));
  read_expert_layers(map, model);
  read_reach(map, family, model);
  const bool all_reach_fully =
      std::ranges::all_of(model.layer_kinds, [](const LayerKind& kind) { return kind.reach == Reach::Full; });
  if (all_reach_fully)
    model.attention_span = 0;
  else if (model.attention_span == 0)
    map.problem("layer_types",
                "some layers do not reach fully; give sliding_window or attention_chunk_size, in tokens");
}

} // namespace moesim::workloads
