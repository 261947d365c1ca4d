// write_sample OUT.h5: writes a made-up result file, which the tests read with h5py.
#include "simulator/record/result_file.hpp"
#include "tests/record/sample_record.hpp"

#include <cstdio>
#include <exception>

int main(int count, char** arguments) try {
  if (count != 2)
    return 2;
  moesim::record::write(moesim::testing::sample_record(), arguments[1]);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
