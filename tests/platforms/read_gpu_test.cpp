#include "platforms/read_gpu.hpp"

#include <gmock/gmock.h>

namespace moesim::platforms {
namespace {

using testing::HasSubstr;

Gpu read(const std::string& yaml) {
  const config::Node root = config::parse_yaml(yaml, "test.yaml");
  Problems problems;
  Gpu gpu = read_gpu(*root.find("gpu"), "gpu", problems);
  problems.throw_if_any();
  return gpu;
}

std::string error_of(const std::string& yaml) {
  try {
    (void)read(yaml);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

// A GPU inline, with the given `gemm`.
std::string with_gemm(const std::string& gemm) {
  return "gpu:\n"
         "  memory: {capacity: 80GB, bandwidth: 1TB/s}\n"
         "  peak: {fp32: 1TFLOP/s, bf16: 10TFLOP/s, fp16: 10TFLOP/s, fp8: 20TFLOP/s}\n"
         "  gemm: " +
         gemm +
         "\n"
         "  attention: {max_efficiency: 0.5}\n";
}

double efficiency_of(const Gpu& gpu, Precision precision) {
  return gemm_curve_of(gpu, precision).max_efficiency;
}

TEST(ReadGpu, OneCurveIsForAllPrecisions) {
  const Gpu gpu = read(with_gemm("{max_efficiency: 0.6, largest_tile: 4096}") + "  multiprocessors: 10\n");
  for (const Precision precision : {Precision::Fp32, Precision::Bf16, Precision::Fp16, Precision::Fp8})
    EXPECT_EQ(gemm_curve_of(gpu, precision), (GemmCurve{.max_efficiency = 0.6, .largest_tile = 4096}));
}

TEST(ReadGpu, APrecisionWithoutACurveUsesThatOfBf16) {
  const Gpu gpu = read(with_gemm("{bf16: {max_efficiency: 0.8}, fp8: {max_efficiency: 0.7}}"));
  EXPECT_EQ(efficiency_of(gpu, Precision::Bf16), 0.8);
  EXPECT_EQ(efficiency_of(gpu, Precision::Fp8), 0.7);
  EXPECT_EQ(efficiency_of(gpu, Precision::Fp16), 0.8);
  EXPECT_EQ(efficiency_of(gpu, Precision::Fp32), 0.8);
  EXPECT_EQ(efficiency_of(read(with_gemm("{fp16: {max_efficiency: 0.4}}")), Precision::Bf16), 0.4);
}

TEST(ReadGpu, ABaseKeepsTheCurvesThatAreNotChanged) {
  const Gpu plain = read("gpu: h100-sxm-80gb");
  const Gpu changed = read("gpu: {base: h100-sxm-80gb, gemm: {fp8: {max_efficiency: 0.5}}}");
  EXPECT_EQ(gemm_curve_of(changed, Precision::Bf16), gemm_curve_of(plain, Precision::Bf16));
  EXPECT_EQ(efficiency_of(changed, Precision::Fp8), 0.5);
  EXPECT_EQ(gemm_curve_of(changed, Precision::Fp8).result_bandwidth,
            gemm_curve_of(plain, Precision::Fp8).result_bandwidth);
}

TEST(ReadGpu, GroupedProductsHaveFieldsOfTheirOwnBesides) {
  const Gpu gpu = read(with_gemm("{max_efficiency: 0.8}") +
                       "  grouped_gemm: {bf16: {max_efficiency: 0.7, memory_efficiency: 0.9, idle_group: 1us, "
                       "padded_rows: 128}}\n");
  const GemmCurve grouped{
      .max_efficiency = 0.7, .idle_group = Seconds(1e-6), .padded_rows = 128, .memory_efficiency = 0.9};
  EXPECT_EQ(gemm_curve_of(gpu, Precision::Bf16, true), grouped);
  EXPECT_EQ(gemm_curve_of(gpu, Precision::Bf16), GemmCurve{.max_efficiency = 0.8});
  EXPECT_EQ(read("gpu:\n" + to_yaml(gpu, 2)).grouped_gemm, gpu.grouped_gemm);
}

// Padding of single products would be of no kernel that there is.
TEST(ReadGpu, SingleProductsHaveNoGroups) {
  for (const char* field : {"idle_group: 1us", "padded_rows: 128"})
    for (const std::string& curve : {std::string("{max_efficiency: 0.8, ") + field + "}",
                                     std::string("{bf16: {max_efficiency: 0.8, ") + field + "}}"})
      EXPECT_THAT(error_of(with_gemm(curve)), HasSubstr("unknown key"));
}

TEST(ReadGpu, UnpackingIsReadAndWritten) {
  const Gpu gpu = read(with_gemm("{max_efficiency: 0.8}") + "  unpacking_efficiency: 0.6\n");
  EXPECT_EQ(gpu.unpacking_efficiency, 0.6);
  EXPECT_EQ(read("gpu:\n" + to_yaml(gpu, 2)).unpacking_efficiency, 0.6);
}

TEST(ReadGpu, WhatIsReservedIsNotUsable) {
  EXPECT_EQ(read(with_gemm("{max_efficiency: 1}")).usable_memory(), Bytes(80e9));
  const std::string h100 = "gpu: {base: h100-sxm-80gb, memory: {capacity: 80GB, reserved: ";
  EXPECT_EQ(read(h100 + "3GB}}").usable_memory(), Bytes(77e9));
  EXPECT_EQ(read(h100 + "90GB}}").usable_memory(), Bytes(0));
}

const std::string plain_h100 = "gpu: {base: h100-sxm-80gb, communication: ";

TEST(ReadGpu, CommunicationThatIsNotGivenTakesNothing) {
  EXPECT_EQ(read(with_gemm("{max_efficiency: 1}")).communication, CommunicationKernels{});
  const std::string alone = with_gemm("{max_efficiency: 1}") + "  multiprocessors: 100\n  communication: {ep: 20}\n";
  EXPECT_EQ(read(alone).communication, CommunicationKernels{.ep = 20});
  const CommunicationKernels shipped = read("gpu: h100-sxm-80gb").communication;
  CommunicationKernels changed = read(plain_h100 + "{ep: 0}}").communication;
  EXPECT_EQ(changed.ep, 0);
  changed.ep = shipped.ep;
  EXPECT_EQ(changed, shipped);
}

TEST(ReadGpu, SaysWhatIsWrongWithCommunication) {
  EXPECT_EQ(error_of(plain_h100 + "{tp: 133}}"),
            "test.yaml:1:48: gpu.communication.tp: 133 is too large; expected a whole number from 0 to 132\n");
  EXPECT_EQ(error_of(plain_h100 + "{tp: -1}}"),
            "test.yaml:1:48: gpu.communication.tp: -1 is too small; expected a whole number from 0 to 132\n");
  EXPECT_EQ(error_of(plain_h100 + "{etp: 4}}"),
            "test.yaml:1:44: gpu.communication.etp: unknown key 'etp'; did you mean 'tp'?\n");
  EXPECT_EQ(error_of(with_gemm("{max_efficiency: 1}") + "  communication: {tp: 4}\n"),
            "test.yaml:2:3: gpu.multiprocessors: missing; expected a whole number from 1 to 100000\n");
}

TEST(ReadGpu, WritesItselfAsYamlThatReadsBack) {
  for (const std::string& yaml :
       {with_gemm("{max_efficiency: 0.6, operand_bandwidth: 5TB/s, result_bandwidth: 1.7TB/s, split_overhead: 2.2us, "
                  "largest_tile: 32768, whole_waves: true}") +
            "  multiprocessors: 108\n",
        with_gemm("{fp16: {max_efficiency: 0.7}, fp8: {max_efficiency: 0.3, backward: 0.9}}"),
        std::string("gpu: h100-sxm-80gb"),
        std::string("gpu: {base: b200-sxm-180gb, clock: {sustained: 0.9}, attention: {backward: 0.7}, "
                    "attention_mxfp8: {sinks: 0.5}}"),
        with_gemm("{max_efficiency: 1}") +
            "  multiprocessors: 100\n  roofline_exponent: 2.5\n  communication: {tp: 1, cp: 2, dp: 4, pp: 5}\n"}) {
    const Gpu gpu = read(yaml);
    const Gpu again = read("gpu:\n" + to_yaml(gpu, 2));
    EXPECT_EQ(to_yaml(again, 2), to_yaml(gpu, 2));
    EXPECT_EQ(again.gemm, gpu.gemm) << yaml;
    EXPECT_EQ(again.peak, gpu.peak) << yaml;
    EXPECT_EQ(again.usable_memory(), gpu.usable_memory()) << yaml;
    EXPECT_EQ(again.attention, gpu.attention) << yaml;
    EXPECT_EQ(again.attention_mxfp8, gpu.attention_mxfp8) << yaml;
    EXPECT_EQ(again.clock, gpu.clock) << yaml;
    EXPECT_EQ(again.roofline_exponent, gpu.roofline_exponent) << yaml;
    EXPECT_EQ(again.multiprocessors, gpu.multiprocessors) << yaml;
    EXPECT_EQ(again.communication, gpu.communication) << yaml;
  }
}

TEST(ReadGpu, SaysWhatIsWrongWithACurve) {
  EXPECT_EQ(error_of(with_gemm("{bf16: {max_efficiency: 0.8}, bf17: {max_efficiency: 0.7}}")),
            "test.yaml:4:39: gpu.gemm.bf17: unknown key 'bf17'; did you mean 'bf16'?\n");
  EXPECT_EQ(error_of(with_gemm("{fp8: {}}")),
            "test.yaml:4:15: gpu.gemm.fp8.max_efficiency: missing; expected a number from 0.001 to 1\n");
  EXPECT_EQ(error_of(with_gemm("{fp8: 0.5}")), "test.yaml:4:15: gpu.gemm.fp8: found the number 0.5; expected a map of "
                                               "fields\n");
  EXPECT_THAT(error_of(with_gemm("{}")), HasSubstr("gpu.gemm.max_efficiency: missing; expected a number"));
  EXPECT_EQ(error_of("gpu: {base: h100-sxm-80gb, clock: {sustained: 1.2}}"),
            "test.yaml:1:47: gpu.clock.sustained: 1.2 is too large; expected a number from 0.001 to 1\n");
}

TEST(ReadGpu, TilesNeedASizeAndMultiprocessors) {
  EXPECT_EQ(error_of(with_gemm("{max_efficiency: 1, result_bandwidth: 1TB/s}")),
            "test.yaml:2:3: gpu.multiprocessors: missing; expected a whole number from 1 to 100000\n"
            "test.yaml:4:9: gpu.gemm.largest_tile: missing; expected a whole number from 1024 to 65536\n");
  EXPECT_EQ(error_of(with_gemm("{max_efficiency: 1, largest_tile: 100}") + "  multiprocessors: 4\n"),
            "test.yaml:4:43: gpu.gemm.largest_tile: 100 is too small; expected a whole number from 1024 to 65536\n");
  EXPECT_THAT(error_of("gpu: {base: moe30b-gpu, attention: {tile_time: 2us}}"),
              HasSubstr("gpu.multiprocessors: missing; expected a whole number"));
}

TEST(ReadGpu, OneCurveForAllAndCurvesOfSingleOnesDoNotMix) {
  EXPECT_EQ(error_of("gpu: {base: h100-sxm-80gb, gemm: {max_efficiency: 0.5}}"),
            "test.yaml:1:51: gpu.gemm.max_efficiency: stands beside curves of single precisions; write it into the one "
            "it is meant for, as in bf16: {max_efficiency: ...}\n");
}

} // namespace
} // namespace moesim::platforms
