#!/usr/bin/env bash
# Times the release binary against other programs that read the same files, and writes a table of medians.
#
#   benches/compare.sh [--rounds N] [--only usr|small|large|archive|image|git]…      text in Markdown to standard output
#
# Of usr, small and large the bytes are compared as they lie, with archives left closed (--shallow); what it takes to open them stands beside
# that. Archive is one tar.zst, image an OCI layout of a Debian root, git a repository of ten thousand commits: these are opened.
# The others: a bare read of every file (find, cat), which is the least that any program must do, and ripgrep with
# a pattern for PEM headers and OpenSSH's public keys. Every file is read once before the first counted round, and
# the programs run in turn (A B C A B C …). CPU seconds are user and system time with all children; on a machine
# that others use they are the figure to trust. Peak memory is the largest process.
set -euo pipefail
cd "$(dirname "$0")/.."

rounds=5
trees=(usr small large archive image git)
only=()
while [ $# -gt 0 ]; do
  case $1 in
    --rounds) rounds=${2:?--rounds needs a number}; shift 2 ;;
    --only) only+=("${2:?--only needs ${trees[*]}}"); shift 2 ;;
    *) echo "usage: benches/compare.sh [--rounds N] [--only TREE]… (${trees[*]})" >&2; exit 2 ;;
  esac
done
case $rounds in '' | *[!0-9]* | 0*) echo "compare.sh: --rounds needs a number" >&2; exit 2 ;; esac
[ ${#only[@]} -gt 0 ] || only=("${trees[@]}")
for tree in "${only[@]}"; do
  [[ " ${trees[*]} " == *" $tree "* ]] || { echo "compare.sh: --only needs ${trees[*]}" >&2; exit 2; }
done

missing=()
for tool in rg:ripgrep jq:jq python3:python3 find:findutils shuf:coreutils zstd:zstd tar:tar git:git; do
  command -v "${tool%%:*}" >/dev/null || missing+=("${tool##*:}")
done
[[ " ${only[*]} " != *" image "* ]] || for tool in umoci:umoci debootstrap:debootstrap; do
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

# About a gigabyte of /usr, as one archive.
make_archive() {
  find /usr -xdev -type f -size +0 -size -20M -print0 | sort -z | shuf -z --random-source=<(yes) >"$work/list"
  python3 - "$work/list" >"$work/some" <<'EOF'
import os, sys

left = 1 << 30
for name in open(sys.argv[1], "rb").read().split(b"\0"):
    if name and left > 0:
        left -= os.stat(name).st_size
        sys.stdout.buffer.write(name + b"\0")
EOF
  tar -cf - --null -T "$work/some" 2>/dev/null | zstd -q -T0 -8 -o "$1/image.tar.zst"
  rm "$work/list" "$work/some"
}

# A Debian root of about a gigabyte as an image of two layers: the least one, and compilers with what they need. Without a mirror, a
# part of /usr takes its place, which is told.
make_image() {
  local log=$work/debootstrap.log bundle=$work/bundle
  umoci init --layout "$1/layout"
  umoci new --image "$1/layout:debian"
  umoci unpack --image "$1/layout:debian" "$bundle" >/dev/null
  if debootstrap --variant=minbase bookworm "$bundle/rootfs" >"$log" 2>&1; then
    umoci repack --image "$1/layout:debian" --refresh-bundle "$bundle" >/dev/null
    DEBIAN_FRONTEND=noninteractive chroot "$bundle/rootfs" sh -c 'apt-get update && apt-get install -y --no-install-recommends \
      ca-certificates openssl build-essential python3 golang-go && apt-get clean' >>"$log" 2>&1 ||
      { tail -n 5 "$log" >&2; echo "compare.sh: the image's second layer is not whole" >&2; }
  else
    echo "compare.sh: no Debian root could be made; the image holds a part of /usr instead" >&2
    find /usr -xdev -type f -size +0 -size -20M -print0 | sort -z | shuf -z --random-source=<(yes) >"$work/list"
    tar -cf - --null -T "$work/list" 2>/dev/null | head -c 1G | tar -xf - -C "$bundle/rootfs" 2>/dev/null || true
  fi
  umoci repack --image "$1/layout:debian" "$bundle" >/dev/null
  umoci gc --layout "$1/layout" >/dev/null
  rm -rf "$bundle" "$log"
}

# Ten thousand commits to four hundred files of text; the same every time.
make_git() {
  git init -q --bare "$1/repository.git"
  python3 - <<'EOF' | git -C "$1/repository.git" fast-import --quiet
import random

draw = random.Random(7)
letters = "abcdefghijklmnopqrstuvwxyz"
words = ["".join(draw.choice(letters) for _ in range(draw.randint(2, 10))) for _ in range(5000)]


def line():
    return " ".join(draw.choice(words) for _ in range(draw.randint(3, 12)))


files = {f"src/d{i % 20}/e{i % 7}/f{i}.c": [line() for _ in range(draw.randint(30, 900))] for i in range(400)}
names = list(files)
mark = 0
for number in range(10_000):
    changes = []
    for name in names if number == 0 else draw.sample(names, draw.randint(1, 4)):
        lines = files[name]
        for _ in range(draw.randint(1, 6) if number else 0):
            at = draw.randrange(len(lines))
            lines[at:at + draw.randint(0, 2)] = [line() for _ in range(draw.randint(1, 3))]
        data = "\n".join(lines) + "\n"
        mark += 1
        print(f"blob\nmark :{mark}\ndata {len(data)}\n{data}")
        changes.append(f"M 100644 :{mark} {name}")
    message = line()
    print(f"commit refs/heads/main\ncommitter A <a@example> {1_500_000_000 + 600 * number} +0000")
    print(f"data {len(message)}\n{message}", *changes, "", sep="\n")
EOF
  git -C "$1/repository.git" gc --quiet
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
opens = {
    "Archive": ("zstd -dc, cat", f"zstd -dc {at}/image.tar.zst | cat >/dev/null"),
    "Image": (
        "gzip -dc, tar -xO",
        f"for layer in $(find {at} -type f -size +1M); do gzip -dc $layer | tar -xO >/dev/null || exit 1; done",
    ),
    "Repository": (
        "git cat-file",
        f"git -C {at}/repository.git cat-file --batch --batch-all-objects --unordered >/dev/null",
    ),
}
commands = {
    "keymuster": f"{scan} >{work}/keymuster.jsonl",
    opens[name][0]: opens[name][1],
    "keymuster, 1 thread": f"{scan} --jobs 1 >{work}/one.jsonl",
} if name in opens else {
    "keymuster": f"{scan} --shallow >{work}/keymuster.jsonl",
    "bare read": f"find {at} -xdev -type f -print0 | xargs -0 -P {cores} cat >/dev/null",
    "ripgrep": f"exec rg -uuu -a -c --one-file-system -e {shlex.quote(pattern)} {at} >{work}/rg.txt",
    "keymuster, 1 thread": f"{scan} --shallow --jobs 1 >{work}/one.jsonl",
    "keymuster, archives opened": f"{scan} >{work}/deep.jsonl",
}
# 4: the sweep has gaps, which files of a living system may cause; 1: nothing found by grep.
allowed = {"ripgrep": (0, 1)}


def run(label):
    begin = time.monotonic()
    child = subprocess.Popen(["bash", "-c", commands[label]], stderr=subprocess.PIPE)
    error = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.monotonic() - begin
    code = os.waitstatus_to_exitcode(status)
    child.returncode = code
    if code not in ((0, 4) if label.startswith("keymuster") else allowed.get(label, (0,))):
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
lines = None
if name not in opens:
    counts = open(f"{work}/rg.txt", "rb")
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
if lines is not None:
    print(f"Found by ripgrep: {lines:,} lines.")
one = middle["keymuster, 1 thread"][0]
print(f"One thread takes {one / wall:.2f} times as long as {cores}. {rounds} rounds; spread of keymuster's CPU seconds:", end=" ")
print(f"{min(r[1] for r in results['keymuster']):.2f} to {max(r[1] for r in results['keymuster']):.2f}.")
limit = (200 if name in opens else 100) + end["sightings"] / 1024
print(f"Memory: {memory:.0f} MB of {limit:.0f} MB.")
EOF

model=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
echo "$(nproc) processors (${model:-unknown}), Linux $(uname -r), $("$keymuster" --version), $(rg --version | head -n 1)"
for tree in "${only[@]}"; do
  case $tree in
    usr) root=/usr title="/usr" ;;
    small) root=$work/small title="Small files"; mkdir "$root"; make_small "$root" ;;
    large) root=$work/large title="Large files"; mkdir "$root"; make_large "$root" ;;
    archive) root=$work/archive title="Archive"; mkdir "$root"; make_archive "$root" ;;
    image) root=$work/image title="Image"; mkdir "$root"; make_image "$root" ;;
    git) root=$work/git title="Repository"; mkdir "$root"; make_git "$root" ;;
  esac
  python3 "$work/measure.py" "$title" "$root" "$rounds" "$keymuster" "$work"
  [ "$root" = /usr ] || rm -rf "$root"
done
