#!/usr/bin/env bash
# Builds moesim and runs its tests: every test that needs no daemon and no browser, or really every test with --all.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

all=false
case "$*" in
  "") ;;
  --all) all=true ;;
  *)
    echo "usage: scripts/test.sh [--all]   (--all: also the tests that need a browser or a service)" >&2
    exit 2
    ;;
esac

special='^(browser|service)$' # ctest labels
select=()
sections=(build test)
if $all; then sections+=(all); else select=(--label-exclude "$special"); fi

# How many tests ctest would run with these arguments.
count() { ctest --preset release --show-only "$@" | sed -n 's/^Total Tests: *//p'; }

scripts/install_packages.sh "${sections[@]}"

echo "==> Building moesim and its tests in build/release"
cmake --preset release -DMOESIM_BUILD_TESTS=ON --log-level=WARNING
cmake --build --preset release

number=$(count "${select[@]}")
echo "==> Running $number tests"
if ! ctest --preset release --parallel "$(nproc)" --no-tests=error "${select[@]}"; then
  cat <<END

Some tests failed: the list is above, the whole output in build/release/Testing/Temporary/LastTest.log.
To run only those again: ctest --preset release --rerun-failed
END
  exit 1
fi

echo
echo "All $number tests passed in $SECONDS s (building included)."
if ! $all; then
  left_out=$(count --label-regex "$special")
  echo "Left out: $left_out tests that need a browser or a service; scripts/test.sh --all installs those and runs every test."
fi
echo "Next: scripts/quickstart.sh simulates 512 GPUs; scripts/check.sh also checks format and style before a commit."
