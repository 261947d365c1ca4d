#include "simulator/calibration/measurements.hpp"

#include <gtest/gtest.h>

#include "simulator/base/input_error.hpp"

namespace moesim::calibration {
namespace {

const std::string header = "kernel,precision,groups,m,n,k,launches,microseconds\n";

std::string error_of(const std::string& text) {
  try {
    (void)read_measurements(text, "m.csv");
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(Measurements, RowsAreOperators) {
  const auto rows = read_measurements(header + "gemm,fp8,4,100,200,300,30,12.5\n"
                                               "attention-backward,bf16,8,1024,1024,128,5,900\n"
                                               "copy,fp32,1,1000,10,1,7,2\n",
                                      "m.csv");
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].op.kind, OperatorKind::Gemm);
  EXPECT_EQ(rows[0].op.precision, Precision::Fp8);
  EXPECT_EQ(rows[0].op.groups, 4);
  EXPECT_EQ(rows[0].op.m, 100);
  EXPECT_EQ(rows[0].op.flops, Flops(2.0 * 4 * 100 * 200 * 300));
  EXPECT_EQ(rows[0].launches, 30);
  EXPECT_DOUBLE_EQ(rows[0].time.value(), 12.5e-6);
  EXPECT_EQ(rows[1].op.pass, Pass::Backward);
  EXPECT_EQ(rows[1].op.flops, Flops(2 * 4.0 * 8 * 1024 * 1024 / 2 * 128)); // four products of the lower half
  EXPECT_EQ(rows[2].op.bytes, Bytes(2 * 4 * 10'000.0));
  EXPECT_EQ(rows[2].op.flops, Flops(0));
}

TEST(Measurements, ColumnsComeInAnyOrder) {
  const auto rows =
      read_measurements("microseconds,k,n,m,groups,launches,precision,kernel\n5,4,3,2,1,9,bf16,gemm\n", "");
  EXPECT_EQ(rows.at(0).op.m, 2);
  EXPECT_EQ(rows.at(0).op.k, 4);
  EXPECT_EQ(rows.at(0).launches, 9);
}

TEST(Measurements, SaysEverythingThatIsWrong) {
  EXPECT_EQ(error_of(header + "gem,bf17,0,1.5,2,3,1,-4\n"),
            "m.csv:2:1: kernel: 'gem' is not known; expected one of gemm, attention, attention-backward, copy\n"
            "m.csv:2:5: precision: 'bf17' is not known; expected one of fp32, bf16, fp16, fp8, "
            "fp8-block, mxfp8, nvfp4\n"
            "m.csv:2:10: groups: found '0'; expected a whole number from 1 to 1000000000\n"
            "m.csv:2:12: m: found '1.5'; expected a whole number from 1 to 1000000000\n"
            "m.csv:2:22: microseconds: found '-4'; expected a time from 0.001 to 1e12\n");
  EXPECT_EQ(error_of(header + "gemm,bf16,1\n"), "m.csv:2:1: the row has 3 cells; expected 8, one for each column\n");
  EXPECT_EQ(error_of(header), "m.csv:1:1: the table has no rows; expected a line "
                              "kernel,precision,groups,m,n,k,launches,microseconds, and a line for each kernel\n");
}

TEST(Measurements, SaysWhatIsWrongWithTheHeader) {
  const std::string expected = "expected kernel,precision,groups,m,n,k,launches,microseconds\n";
  EXPECT_EQ(error_of("kernel,precision,groups,m,n,k,launches,seconds\ngemm,bf16,1,1,1,1,1,1\n"),
            "m.csv:1:1: microseconds: the table has no such column; " + expected +
                "m.csv:1:40: 'seconds' is no column; " + expected);
  EXPECT_EQ(error_of("\"kernel\n"), "m.csv:1:1: the quotes are not closed; expected \" at the end of the cell\n");
}

} // namespace
} // namespace moesim::calibration
