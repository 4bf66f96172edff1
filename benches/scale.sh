#!/usr/bin/env bash
# Times `keymuster reconcile` on generated data, beside `sha256sum` and `cat` over the same sweeps.
#
#   benches/scale.sh [--rounds N] [--keep DIRECTORY] [SIGHTINGS]…      Markdown to standard output; 100000 and 1000000 if none is given
#
# For each number: sweeps of a thousand hosts with so many sightings in all, one file a host, and an inventory of as many rows in CSV. Seven
# rows in ten name something that was swept, each kind by another identifier. The same every time. The programs run in turn; CPU seconds are
# user and system time with all children, on a machine that others use the figure to trust. KEYMUSTER names a binary that is there already.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() { echo "usage: benches/scale.sh [--rounds N] [--keep DIRECTORY] [SIGHTINGS]…" >&2; exit 2; }
rounds=3
work=
numbers=()
while [ $# -gt 0 ]; do
  case $1 in
    --rounds) rounds=${2:?--rounds needs a number}; shift 2 ;;
    --keep) work=${2:?--keep needs a directory}; shift 2 ;;
    '' | *[!0-9]*) usage ;;
    *) numbers+=("$1"); shift ;;
  esac
done
case $rounds in '' | *[!0-9]* | 0*) usage ;; esac
[ ${#numbers[@]} -gt 0 ] || numbers=(100000 1000000)
command -v python3 >/dev/null || { echo "scale.sh: lacking; install with: apt-get install python3" >&2; exit 1; }

if [ -z "${KEYMUSTER:-}" ]; then
  cargo build --locked --release --quiet
  KEYMUSTER=${CARGO_TARGET_DIR:-target}/release/keymuster
fi
if [ -z "$work" ]; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
fi

model=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
echo "$(nproc) processors (${model:-unknown}), Linux $(uname -r), $("$KEYMUSTER" --version), load $(cut -d' ' -f1-3 /proc/loadavg)"
for number in "${numbers[@]}"; do
  [ -e "$work/$number/inventory.csv" ] || python3 benches/scale/generate.py "$number" "$work/$number"
done
python3 benches/scale/measure.py "$KEYMUSTER" "$work" "$rounds" "${numbers[@]}"
