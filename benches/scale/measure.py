"""Times `reconcile`, `sha256sum` and `cat` in turn, and prints a table of medians.

Arguments: the binary, the directory of the generated data, rounds, the numbers of sightings.
"""
import collections, json, os, pathlib, statistics, subprocess, sys, time

keymuster, work, rounds, *numbers = sys.argv[1:]
work = pathlib.Path(work)


def run(command, output, allowed=(0,)):
    begin = time.monotonic()
    with open(output, "wb") as out:
        child = subprocess.Popen(command, stdout=out, stderr=subprocess.PIPE)
        error = child.stderr.read()
        _, status, usage = os.wait4(child.pid, 0)
    wall = time.monotonic() - begin
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in allowed:
        sys.exit(f"scale.sh: {command[0]} ended with {child.returncode}: {error.decode(errors='replace')}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def judged(report):
    """How the keys and rows were judged, by the report itself."""
    counts = collections.Counter()
    with open(report, "rb") as lines:
        for line in lines:
            record = json.loads(line)
            if record["record"] == "key":
                counts["keys"] += 1
                counts.update(f"`{flag}`" for flag in {f["flag"] for f in record["flags"]})
            elif record["record"] == "entry":
                counts[f"rows {record['status']}"] += 1
    return ", ".join(f"{count:,} {what}" for what, count in sorted(counts.items(), key=lambda pair: -pair[1]))


print("\n| sightings and rows | program | wall s | CPU s | peak MB | CPU, keymuster to both |")
print("|---|---|---:|---:|---:|---:|")
seconds, found = [], []
for number in numbers:
    directory = work / number
    sweeps = sorted(str(path) for path in (directory / "sweeps").iterdir())
    size = sum(os.stat(path).st_size for path in sweeps)
    rows = os.stat(directory / "inventory.csv").st_size
    report = directory / "report.jsonl"
    commands = {
        "`keymuster reconcile`": [keymuster, "reconcile", *sweeps, "--inventory", str(directory / "inventory.csv"),
                                  "--now", "2026-11-21", "-q", "-f", "jsonl", "-o", str(report)],
        "`sha256sum`": ["sha256sum", *sweeps],
        "`cat`": ["cat", *sweeps],
    }
    results = {label: [] for label in commands}
    for path in sweeps:
        pathlib.Path(path).read_bytes()
    for _ in range(int(rounds)):
        for label, command in commands.items():
            # 1: findings, 4: something is not settled.
            allowed = (0, 1, 4, 5) if command[0] == keymuster else (0,)
            report.unlink(missing_ok=True) if command[0] == keymuster else None
            results[label].append(run(command, os.devnull if command[0] != "cat" else directory / "copy", allowed))
    (directory / "copy").unlink()
    middle = {label: [statistics.median(column) for column in zip(*values)] for label, values in results.items()}
    own, *others = middle.values()
    ratio = own[1] / sum(other[1] for other in others)
    seconds.append((int(number), own[1]))
    title = f"{int(number):,}: {size / 1e6:,.0f} MB of sweeps, {rows / 1e6:,.0f} MB of CSV, {os.stat(report).st_size / 1e6:,.0f} MB of report"
    for label, (wall, cpu, memory) in middle.items():
        last = f"{ratio:.2f}×" if label == "`keymuster reconcile`" else ""
        print(f"| {title} | {label} | {wall:.2f} | {cpu:.2f} | {memory:,.0f} | {last} |", flush=True)
        title = ""
    found.append(f"Judged of {int(number):,}: {judged(report)}.")
for (less, before), (more, after) in zip(seconds, seconds[1:]):
    print(f"\nFrom {less:,} to {more:,}: {after / before:.1f} times the CPU seconds.")
print("", *found, sep="\n")
