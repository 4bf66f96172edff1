#!/usr/bin/env bash
# Times the release binary against other programs that read the same files, and writes a table of medians.
#
#   benches/compare.sh [--rounds N] [--only usr|small|large]…      text in Markdown to standard output
#
# The others: a bare read of every file (find, cat), which is the least that any program must do, and ripgrep with
# a pattern for PEM headers and OpenSSH's public keys. Every file is read once before the first counted round, and
# the programs run in turn (A B C A B C …). CPU seconds are user and system time with all children; on a machine
# that others use they are the figure to trust. Peak memory is the largest process.
set -euo pipefail
cd "$(dirname "$0")/.."

rounds=5
only=()
while [ $# -gt 0 ]; do
  case $1 in
    --rounds) rounds=${2:?--rounds needs a number}; shift 2 ;;
    --only) only+=("${2:?--only needs usr, small or large}"); shift 2 ;;
    *) echo "usage: benches/compare.sh [--rounds N] [--only usr|small|large]…" >&2; exit 2 ;;
  esac
done
case $rounds in '' | *[!0-9]* | 0*) echo "compare.sh: --rounds needs a number" >&2; exit 2 ;; esac
[ ${#only[@]} -gt 0 ] || only=(usr small large)
for tree in "${only[@]}"; do
  case $tree in usr | small | large) ;; *) echo "compare.sh: --only needs usr, small or large" >&2; exit 2 ;; esac
done

missing=()
for tool in rg:ripgrep jq:jq python3:python3 find:findutils shuf:coreutils; do
  command -v "${tool%%:*}" >/dev/null || missing+=("${tool##*:}")
done
if [ ${#missing[@]} -gt 0 ]; then
  echo "compare.sh: lacking; install with: apt-get install ${missing[*]}" >&2
  exit 1
fi

cargo build --locked --release --quiet
keymuster=${CARGO_TARGET_DIR:-target}/release/keymuster
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# 100,000 files of 64 bytes to 16 kB in directories of a hundred: pieces of this repository's sources and text, and
# in every two hundredth a key or certificate of the fixtures. The same every time.
make_small() {
  python3 - "$1" <<'EOF'
import pathlib, random, subprocess, sys

root = pathlib.Path(sys.argv[1])
draw = random.Random(20261124)
tracked = subprocess.run(["git", "ls-files", "-z"], check=True, capture_output=True).stdout.split(b"\0")
names = sorted(pathlib.Path(name.decode()) for name in tracked if name and b"\xff" not in name)
text = b"".join(
    name.read_bytes() for name in names
    if name.suffix in {".rs", ".md", ".toml", ".sh", ".lock"} and name.is_file() and name.parts[0] != "fixtures"
).replace(b"-----BEGIN ", b"-----begin ")
keys = [
    name.read_bytes() for name in names
    if name.suffix in {".pem", ".pub", ".crt", ".key", ".der"} and name.parts[0] == "fixtures" and name.is_file()
]
assert len(text) > 100_000 and len(keys) > 20
for number in range(100_000):
    directory = root / f"{number // 10_000}" / f"{number // 100 % 100:02}"
    if number % 100 == 0:
        directory.mkdir(parents=True)
    size = min(64 + int(draw.expovariate(1 / 3000)), 16384)
    start = draw.randrange(len(text) - size)
    content = text[start:start + size]
    if number % 200 == 0:
        content += b"\n" + draw.choice(keys)
    (directory / f"file{number}").write_bytes(content)
EOF
}

# Four files of 512 MB: the files of /usr in an order that looks like chance and is the same every time.
make_large() {
  find /usr -xdev -type f -size +0 -print0 | sort -z >"$work/list"
  shuf -z --random-source=<(yes) "$work/list" >"$work/shuffled"
  # The reader closes the pipe when it has enough, which ends the loop.
  { while xargs -0 -a "$work/shuffled" cat 2>/dev/null; do :; done || true; } |
    head -c 2147483648 | split -b 536870912 - "$1/part"
  rm "$work/list" "$work/shuffled"
}

cat >"$work/measure.py" <<'EOF'
"""Runs commands in turn and prints a table of medians.

Arguments: tree's name, its path, rounds, the binary, directory for outputs.
"""
import json, os, re, shlex, statistics, subprocess, sys, time

name, root, rounds, keymuster, work = sys.argv[1:]
rounds = int(rounds)
at = shlex.quote(root)
cores = os.cpu_count()
pattern = (
    "-----BEGIN [A-Z0-9 ]+-----|ssh-(rsa|ed25519|dss) AAAA|ecdsa-sha2-nistp(256|384|521) AAAA"
    "|sk-(ssh|ecdsa)-[a-z0-9@.-]+ AAAA"
)
scan = f"exec {shlex.quote(keymuster)} scan {at} --one-file-system -q -f jsonl"
commands = {
    "keymuster": f"{scan} >{work}/keymuster.jsonl",
    "bare read": f"find {at} -xdev -type f -print0 | xargs -0 -P {cores} cat >/dev/null",
    "ripgrep": f"exec rg -uuu -a -c --one-file-system -e {shlex.quote(pattern)} {at} >{work}/rg.txt",
    "keymuster, 1 thread": f"{scan} --jobs 1 >{work}/one.jsonl",
}
# 4: the sweep has gaps, which files of a living system may cause; 1: nothing found by grep.
allowed = {"keymuster": (0, 4), "keymuster, 1 thread": (0, 4), "ripgrep": (0, 1), "bare read": (0,)}


def run(label):
    begin = time.monotonic()
    child = subprocess.Popen(["bash", "-c", commands[label]], stderr=subprocess.PIPE)
    error = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.monotonic() - begin
    code = os.waitstatus_to_exitcode(status)
    child.returncode = code
    if code not in allowed[label]:
        sys.exit(f"compare.sh: {label} ended with {code}: {error.decode(errors='replace')}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


results = {label: [] for label in commands}
for number in range(rounds + 1):
    for label in commands:
        result = run(label)
        if number > 0:
            results[label].append(result)

files = size = 0
with open(f"{work}/keymuster.jsonl", "rb") as sweep:
    kinds = {}
    for line in sweep:
        record = json.loads(line)
        if record["record"] == "sighting":
            kinds[record["kind"]] = kinds.get(record["kind"], 0) + 1
        if record["record"] == "end":
            end = record
with open(f"{work}/rg.txt", "rb") as counts:
    lines = sum(int(line.rsplit(b":", 1)[-1]) for line in counts)

middle = {label: [statistics.median(column) for column in zip(*rows)] for label, rows in results.items()}
wall, cpu, memory = middle["keymuster"]
print(f"\n### {name}: {end['files']:,} files, {end['bytes'] / 1e9:.2f} GB\n")
print("| program | wall s | CPU s | peak MB | wall, keymuster to it | CPU, keymuster to it |")
print("|---|---:|---:|---:|---:|---:|")
for label, (w, c, m) in middle.items():
    print(f"| {label} | {w:.2f} | {c:.2f} | {m:.0f} | {wall / w:.2f}× | {cpu / c:.2f}× |")
found = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items(), key=lambda pair: -pair[1]))
print(f"\nFound by keymuster: {end['sightings']:,} sightings of {end['keys']:,} keys ({found}).")
print(f"Found by ripgrep: {lines:,} lines.")
one = middle["keymuster, 1 thread"][0]
print(f"One thread takes {one / wall:.2f} times as long as {cores}. {rounds} rounds; spread of keymuster's CPU seconds:", end=" ")
print(f"{min(r[1] for r in results['keymuster']):.2f} to {max(r[1] for r in results['keymuster']):.2f}.")
limit = 100 + end["sightings"] / 1024
print(f"Memory: {memory:.0f} MB of {limit:.0f} MB (100 MB and 1 kB a sighting).")
EOF

model=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
echo "$(nproc) processors (${model:-unknown}), Linux $(uname -r), $("$keymuster" --version), $(rg --version | head -n 1)"
for tree in "${only[@]}"; do
  case $tree in
    usr) root=/usr title="/usr" ;;
    small) root=$work/small title="Small files"; mkdir "$root"; make_small "$root" ;;
    large) root=$work/large title="Large files"; mkdir "$root"; make_large "$root" ;;
  esac
  python3 "$work/measure.py" "$title" "$root" "$rounds" "$keymuster" "$work"
  [ "$root" = /usr ] || rm -rf "$root"
done
