#!/usr/bin/env bash
# From a fresh clone to a simulated 512-GPU training iteration: installs what is missing, builds, runs, draws.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if (($# > 0)); then
  echo "usage: scripts/quickstart.sh   (takes no arguments)" >&2
  exit 2
fi

name=moe30b-gpus512
scenario=workloads/scenarios/moe30b-gpus512-tp8-pp4-ep16.yaml
moesim=build/release/bin/moesim

scripts/install_packages.sh build

echo "==> Building moesim in build/release"
configure=(cmake --preset release)
# The first build leaves the tests out; scripts/test.sh adds them to the same folder.
[[ -f build/release/CMakeCache.txt ]] || configure+=(-DMOESIM_BUILD_TESTS=OFF)
"${configure[@]}" >/dev/null # problems go to stderr
cmake --build --preset release --target moesim

mkdir -p results
echo "==> $moesim run $scenario -o results/$name.h5"
"$moesim" run "$scenario" -o "results/$name.h5"
echo "==> $moesim gantt results/$name.h5 -o results/$name.svg"
"$moesim" gantt "results/$name.h5" -o "results/$name.svg"
echo "==> $moesim gantt results/$name.h5 -o results/$name.html"
"$moesim" gantt "results/$name.h5" -o "results/$name.html"

cat <<END

Done. Open results/$name.html in a browser: the timeline of one GPU of each pipeline stage, to look into: where the
bubbles are, and what they wait for. results/$name.svg is the same as a picture.
Everything that happened is in results/$name.h5 (HDF5: h5py, pandas). Try next:
  $moesim run $scenario --set training.global_batch_size=1024
  $moesim check $scenario
  $moesim list models
  $moesim --help
  scripts/test.sh
END
