#include "workloads/kv_cache.hpp"

#include <algorithm>

namespace moesim::workloads {

std::int64_t kv_elements(const ModelSpec& model, std::int64_t tp) {
  if (model.mla)
    return model.mla->kv_lora_rank + model.mla->qk_rope_head_dim;
  return std::max<std::int64_t>(1, model.num_kv_heads / tp) * (model.qk_head_dim() + model.v_head_dim());
}

std::int64_t kept_tokens(const ModelSpec& model, LayerKind kind, std::int64_t block_size, std::int64_t length) {
  const std::int64_t tokens = model.keys_seen(kind, length);
  return (tokens + block_size - 1) / block_size * block_size;
}

} // namespace moesim::workloads
