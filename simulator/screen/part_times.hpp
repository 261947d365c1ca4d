// How long a rank takes for one micro-batch in each part of the model, when nothing but the part itself keeps it
// waiting: kernels and the collectives between them in turn, and of those that run beside kernels the longer.
//
// What is kept is made from its key alone - the shape of a micro-batch, and what a rank sees of the cluster - so that
// it cannot be another candidate's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "simulator/screen/communication_times.hpp"
#include "simulator/screen/rank_chains.hpp"
#include "simulator/screen/two_batch_clock.hpp"
#include "workloads/inference.hpp"
#include "workloads/training.hpp"

namespace moesim::screen {

// Every LayerKind, as an index.
inline constexpr std::size_t layer_kind_count = 6;
[[nodiscard]] constexpr std::size_t index_of(workloads::LayerKind kind) {
  return (kind.has_experts ? 3 : 0) + static_cast<std::size_t>(kind.reach);
}

struct PartTimes {
  struct Passes {
    Seconds forward, backward;
    Seconds needed;                                      // of the forward: up to what the backward needs
    Seconds weight;                                      // of the backward: products that give weights' gradients
    Seconds forward_all_to_alls, backward_all_to_alls{}; // of them: experts' all-to-alls by themselves
  };
  std::array<Passes, layer_kind_count> layers{}; // of kinds that the model has
  Passes embedding, head;                        // the head with modules for multi-token prediction
};

// The same of inference: of the first step (the prefill), the second and the last, and of all from the second to the
// one before the last together.
struct StepTimes {
  Seconds first, second, between, last;
};
struct InferenceTimes { // with two-batch overlap, layers are left out
  std::array<StepTimes, layer_kind_count> layers{};
  StepTimes embedding, head;
};

// What a micro-batch keeps the streams of a rank busy with that runs all of the model: layers, embedding and head,
// without modules for multi-token prediction.
struct BusyTimes {
  std::array<Seconds, graph::stream_count> streams{};
};

class PartTimesTable {
public:
  // All must outlive this.
  PartTimesTable(const platforms::Cluster& cluster, CommunicationTimes& communication, const RankChains& chains)
      : cluster_(cluster), communication_(communication), chains_(chains) {}

  // Forgets what was kept when the model is another one. To be called before what follows, of jobs of this model.
  void set_model(const workloads::ModelSpec& model);
  [[nodiscard]] const std::vector<workloads::LayerKind>& kinds() const { return kinds_; } // of the model's layers

  // What the jobs of one micro-batch share: an index.
  using Shape = std::uint32_t;
  [[nodiscard]] Shape shape_of(const workloads::MicroBatchShape& micro_batch);

  [[nodiscard]] const PartTimes& of(Shape shape, PlaceId place);
  [[nodiscard]] const BusyTimes& busy(Shape shape, PlaceId place); // of training
  [[nodiscard]] const InferenceTimes& of(const workloads::InferenceJob& job, PlaceId place);
  // Of the layers of a stage together, when two halves of a micro-batch take turns.
  [[nodiscard]] StepTimes of_two_batches(const workloads::InferenceJob& job, std::int64_t stage, PlaceId place);

private:
  // Kernels that run one after the other, or a collective.
  struct Piece {
    Seconds kernels; // at 1 times the GPU's speed
    Seconds weight;  // of them, what gives weights' gradients
    graph::Kind kind = graph::Kind::Compute;
    graph::Dimension over = graph::Dimension::Tp;
    Bytes bytes;
    graph::TokenRouting routing;
    bool beside_next = false;
  };
  using Pieces = std::vector<Piece>;
  struct PartPieces {
    Pieces forward, backward;
    Pieces needed{}; // of a layer's forward
  };
  struct ShapePieces {
    std::array<PartPieces, layer_kind_count> layers;
    PartPieces embedding, head, module_input; // the head by itself
  };
  struct ShapeHash {
    std::size_t operator()(const workloads::MicroBatchShape& shape) const;
  };
  struct InferenceKey {
    Shape prefill;
    PlaceId place;
    std::int64_t output_length;
    bool overlaps_two_batches;
    bool operator==(const InferenceKey&) const = default;
  };
  struct InferenceHash {
    std::size_t operator()(const InferenceKey& key) const;
  };

  [[nodiscard]] Pieces pieces_of(const workloads::Segments& segments) const;
  [[nodiscard]] ShapePieces pieces_of(const workloads::MicroBatchShape& shape) const;
  [[nodiscard]] Seconds communication_time(const Piece& piece, const Place& place);
  [[nodiscard]] Seconds span(const Pieces& pieces, const Place& place);
  [[nodiscard]] Seconds all_to_alls(const Pieces& pieces, const Place& place);
  [[nodiscard]] PartTimes::Passes span(const PartPieces& pieces, const Place& place);
  [[nodiscard]] PartTimes times_of(const ShapePieces& pieces, const Place& place);
  [[nodiscard]] BusyTimes busy_times_of(const ShapePieces& pieces, const Place& place);
  [[nodiscard]] InferenceTimes times_of(const workloads::InferenceJob& job, PlaceId place);
  [[nodiscard]] std::vector<TwoBatchTurn> turns_of(const Pieces& pieces, const Place& place);

  const platforms::Cluster& cluster_;
  CommunicationTimes& communication_;
  const RankChains& chains_;
  workloads::ModelSpec model_;
  std::vector<workloads::LayerKind> kinds_;
  std::unordered_map<workloads::MicroBatchShape, Shape, ShapeHash> shapes_;
  std::vector<ShapePieces> pieces_;                    // by Shape
  std::unordered_map<std::uint64_t, PartTimes> times_; // by Shape and PlaceId
  std::unordered_map<std::uint64_t, BusyTimes> busy_times_;
  std::unordered_map<InferenceKey, InferenceTimes, InferenceHash> inference_times_;
};

} // namespace moesim::screen
