// Which layers of a model have experts, and how far each reaches.
#pragma once

#include "simulator/config/map_reader.hpp"
#include "workloads/model_family.hpp"

namespace moesim::workloads {

// Reads layer_kinds and attention_span, after num_layers and experts.
void read_layer_kinds(config::MapReader& map, const Family& family, ModelSpec& model);

} // namespace moesim::workloads
