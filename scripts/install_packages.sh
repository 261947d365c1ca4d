#!/usr/bin/env bash
# Installs the Debian packages of the named sections of packages.txt that are missing; does nothing when all are there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if (($# == 0)); then
  echo "usage: scripts/install_packages.sh SECTION...   (build, test, all, develop: see scripts/packages.txt)" >&2
  exit 2
fi

wanted=()
for section in "$@"; do
  mapfile -t packages < <(awk -v section="$section" '$1 == section { print $2 }' scripts/packages.txt)
  if ((${#packages[@]} == 0)); then
    echo "install_packages.sh: packages.txt has no section '$section'" >&2
    exit 2
  fi
  wanted+=("${packages[@]}")
done

if ! command -v dpkg-query >/dev/null; then
  echo "==> This is not Debian: please make sure that the equivalents of these are installed: ${wanted[*]}"
  exit 0
fi

installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "${wanted[@]}" 2>/dev/null || true)
missing=()
for package in "${wanted[@]}"; do
  grep -qxF "$package installed" <<<"$installed" || missing+=("$package")
done
if ((${#missing[@]} == 0)); then
  echo "==> Debian packages: all ${#wanted[@]} are installed"
  exit 0
fi

as_root=()
if ((EUID != 0)); then
  if ! command -v sudo >/dev/null; then
    echo "These Debian packages are missing, and installing them needs root (there is no sudo here). As root, run:" >&2
    echo "  apt-get update && apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi
echo "==> Debian packages: installing ${missing[*]}${as_root:+ (through sudo)}"
apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q "$@"; }
apt update
apt install --yes --no-install-recommends "${missing[@]}"
