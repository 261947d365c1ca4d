#!/usr/bin/env bash
# What a commit should pass: format, shell scripts, layers, build and tests; with --tidy also clang-tidy (minutes).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

case "$*" in
  "" | --tidy) ;;
  *)
    echo "usage: scripts/check.sh [--tidy]" >&2
    exit 2
    ;;
esac

# Tracked and new files of these patterns that exist.
sources() {
  git ls-files --cached --others --exclude-standard -- "$@" | while read -r file; do
    [[ ! -f $file ]] || echo "$file"
  done
}

skip() { echo "    skipped: $1; scripts/install_packages.sh develop installs it on Debian 12"; }

echo "==> Format"
format=$(command -v clang-format-14 clang-format | head -n 1 || true)
if [[ -n $format ]] && "$format" --version | grep -q "version 14\."; then
  sources '*.cpp' '*.hpp' '*.js' | xargs -r "$format" --dry-run --Werror
else
  skip "clang-format 14 is not installed (other versions format differently)"
fi

echo "==> Shell scripts"
if command -v shellcheck >/dev/null; then
  shellcheck .ci/run scripts/*.sh
else
  skip "shellcheck is not installed"
fi

echo "==> Layers"
scripts/check_layers.py

scripts/test.sh

# clang 14 cannot parse std::views of GCC 12's library: such a file is named, and is checked with Debian 13's clang-tidy.
tidy() {
  local output
  if output=$(clang-tidy --quiet -p build/release --extra-arg=-Wno-unknown-warning-option "$1" 2>/dev/null); then return 0; fi
  if grep -q '\[clang-diagnostic-error\]' <<<"$output"; then
    echo "    not parsed by this clang-tidy: $1"
    return 0
  fi
  echo "$output"
  return 1
}

if [[ ${1:-} == --tidy ]]; then
  echo "==> clang-tidy"
  command -v clang-tidy >/dev/null || { skip "clang-tidy is not installed"; exit 1; }
  export -f tidy
  sources 'simulator/*.cpp' 'platforms/*.cpp' 'workloads/*.cpp' 'schedulers/*.cpp' 'analysis/*.cpp' |
    xargs -r -P "$(nproc)" -I FILE bash -c "tidy 'FILE'"
fi
echo "All checks passed."
