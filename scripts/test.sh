#!/usr/bin/env bash
# Builds moesim and runs its tests: every test that needs no daemon and no browser, or really every test with --all.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

case "$*" in
  "") all=false ;;
  --all) all=true ;;
  *)
    echo "usage: scripts/test.sh [--all]   (--all: also the tests that need a browser or a service)" >&2
    exit 2
    ;;
esac

special='^(browser|service)$' # ctest labels

# How many tests ctest would run with these arguments.
count() { ctest --preset release --show-only "$@" | sed -n 's/^Total Tests: *//p'; }

scripts/install_packages.sh build test

echo "==> Building moesim and its tests in build/release"
cmake --preset release -DMOESIM_BUILD_TESTS=ON >/dev/null # problems go to stderr
cmake --build --preset release

special_count=$(count --label-regex "$special")
select=(--label-exclude "$special")
if $all; then
  select=()
  ((special_count == 0)) || scripts/install_packages.sh all
fi

number=$(count "${select[@]}")
echo "==> Running $number tests"
if ! ctest --preset release --progress --parallel "$(nproc)" --no-tests=error "${select[@]}"; then
  cat <<END

Some tests failed: the list is above, the whole output in build/release/Testing/Temporary/LastTest.log.
To run only those again: ctest --preset release --rerun-failed
END
  exit 1
fi

echo
echo "All $number tests passed in $SECONDS s (building included)."
if $all || ((special_count == 0)); then
  echo "Nothing was left out."
else
  echo "Left out: what needs a browser or a service (tests: $special_count). To install that and run every test:"
  echo "  scripts/test.sh --all"
fi
echo "Next: scripts/quickstart.sh simulates 512 GPUs; scripts/check.sh also checks format and style before a commit."
