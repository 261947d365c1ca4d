// What a stage does once the gradients of its micro-batches are summed: sums over others than data-parallel ranks, and
// the step itself. Where gradients are sharded (ZeRO stages 2 and 3) each rank does so for its share, once per
// iteration.
#pragma once

#include "workloads/program_tables.hpp"
#include "workloads/stage_units.hpp"
#include "workloads/stage_writer.hpp"

namespace moesim::workloads {

// Sums over tp, where each rank saw its part of the sequence, the gradients of norms, router and the like (Megatron
// Core, finalize_model_grads.py); and those of biases that are added outside of tensor-parallel regions.
[[nodiscard]] Bytes replicated_gradients(const PipelineStage& stage); // none without sequence parallelism
void reduce_replicated_gradients(const PipelineStage& stage, ProgramTables& tables, StageWriter& writer);

// A table that stands on the first and on the last stage: each sends its gradient to the
// other and adds what it gets, an all-reduce of two (Megatron Core's embedding group, finalize_model_grads.py).
[[nodiscard]] bool exchanges_embedding_gradient(const PipelineStage& stage);
[[nodiscard]] Bytes exchanged_embedding_gradient(const TrainingJob& job); // what each of the two sends
[[nodiscard]] Operator add_embedding_gradient(const TrainingJob& job);
void exchange_embedding_gradient(const PipelineStage& stage, ProgramTables& tables, StageWriter& writer);

// Of two copies of the model (DualPipe) each part's gradients are added up where its optimizer is, and its stepped
// parameters sent to where the other copy is: together as much as an all-reduce of two.
void add_gradients_of_copies(const PipelineStage& stage, ProgramTables& tables, StageWriter& writer);
void send_parameters_to_copies(const PipelineStage& stage, ProgramTables& tables, StageWriter& writer);

// Adam, for the parameters of a rank.
[[nodiscard]] Operator adam(const TrainingJob& job, const RankParameters& parameters);
void step_optimizer(const PipelineStage& stage, ProgramTables& tables, StageWriter& writer);

} // namespace moesim::workloads
