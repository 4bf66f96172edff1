//! Outputs that cannot be written: a message that says so, exit code 2, the old file as it was and nothing beside it.
//! A full disk under `scan`, a closed directory and things that are no file are in `cli::outputs`.

use crate::support::{BINARY, arg, check, err, expect, in_namespace, lay_out, out, wait_until};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Where an output is to go, and what was there before.
const OLD: &str = "the old one\n";

/// The names in a directory.
fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Each command that writes, with its output in that file.
fn writers(hosts: &Path, sweep: &Path, target: &Path) -> Vec<Vec<String>> {
    let (hosts, sweep, target) = (arg(hosts), arg(sweep), arg(target));
    let inventory = "fixtures/estate/inventory.csv";
    [
        vec!["scan", "--hosts-under", hosts, "-f", "json", "-o", target],
        vec!["scan", "--hosts-under", hosts, "--sweep", target],
        vec![
            "reconcile",
            sweep,
            "-i",
            inventory,
            "-f",
            "json",
            "-o",
            target,
        ],
        vec!["explain", "web01", sweep, "-f", "json", "-o", target],
    ]
    .into_iter()
    .map(|args| args.into_iter().map(str::to_owned).collect())
    .collect()
}

/// The estate, and a sweep of it.
fn swept_estate() -> (tempfile::TempDir, std::path::PathBuf, std::path::PathBuf) {
    let dir = lay_out();
    let (hosts, sweep) = (dir.path().join("hosts"), dir.path().join("sweep"));
    let args = ["scan", "--hosts-under", arg(&hosts), "--sweep", arg(&sweep)];
    expect(0, &args);
    (dir, hosts, sweep)
}

/// Runs each writer in a mount namespace of its own after `prepare`, which finds the target's directory in `$disk`.
fn each_fails(prepare: &str, limits: &str, reason: &str) {
    let (dir, hosts, sweep) = swept_estate();
    let disk = dir.path().join("disk");
    fs::create_dir(&disk).unwrap();
    let script = format!(
        "keymuster=$1 disk=$2; shift 2
        mount -t tmpfs -o size=1m none \"$disk\"
        printf '{}' >\"$disk/report\"
        {prepare}
        code=0; ({limits} exec \"$keymuster\" \"$@\") || code=$?
        echo \"[$(ls -A \"$disk\")]\" >&2
        cat \"$disk/report\"
        exit $code",
        OLD.escape_default()
    );
    for args in writers(&hosts, &sweep, &disk.join("report")) {
        let args: Vec<&str> = [arg(&disk)]
            .into_iter()
            .chain(args.iter().map(String::as_str))
            .collect();
        let output = in_namespace(&script, &args);
        check(&output, 2, &format!("{args:?}"));
        let said = err(&output);
        assert!(said.contains(reason), "{args:?}: {said}");
        assert!(said.contains("report: cannot be written"), "{said}");
        assert!(said.ends_with("[report]\n"), "{args:?}: {said}");
        assert_eq!(out(&output), OLD, "{args:?}");
    }
}

#[test]
fn a_full_disk_is_said_by_every_command() {
    let fill =
        "dd if=/dev/zero of=\"$disk/report\" oflag=append conv=notrunc bs=4k 2>/dev/null || true
        truncate -s 12 \"$disk/report\"; fallocate -l 1020k \"$disk/.\" 2>/dev/null || true
        mount -o remount,size=8k \"$disk\"";
    each_fails(fill, "", "No space left on device");
}

#[test]
fn a_read_only_file_system_is_said_by_every_command() {
    let close = "mount -o remount,ro \"$disk\"";
    each_fails(close, "", "Read-only file system");
}

#[test]
fn a_limit_on_the_size_of_files_is_said_by_every_command() {
    // Its signal would end the program, with what is half written left behind. Units of 512 bytes.
    each_fails("", "ulimit -f 8;", "File too large");
}

#[test]
fn a_disk_without_room_for_another_file_is_said_by_every_command() {
    let close = "mount -o remount,nr_inodes=2 \"$disk\"";
    each_fails(close, "", "No space left on device");
}

#[test]
fn a_directory_is_no_target_and_stays_as_it_was() {
    let (dir, hosts, sweep) = swept_estate();
    let target = dir.path().join("target");
    fs::create_dir(&target).unwrap();
    fs::write(target.join("inside"), OLD).unwrap();
    let before = names(dir.path());
    for args in writers(&hosts, &sweep, &target) {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let said = err(&expect(2, &args));
        assert!(said.contains(arg(&target)), "{said}");
        assert!(said.contains("is no regular file"), "{said}");
    }
    // Nor is a path through a file, or one without a name.
    let through = sweep.join("report");
    for target in [through.as_path(), Path::new("/"), Path::new("..")] {
        for args in writers(&hosts, &sweep, target) {
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            assert!(err(&expect(2, &args)).contains(arg(target)), "{args:?}");
        }
    }
    assert_eq!(names(&target), ["inside"]);
    assert_eq!(names(dir.path()), before);
}

/// Waits until a file beside the target is open, then ends the program by this signal; gives what it ended with.
fn ended_while_it_writes(args: &[&str], dir: &Path, signal: Signal) -> Output {
    let child = Command::new(BINARY)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let handles = format!("/proc/{}/fd", child.id());
    wait_until("the output is open", || {
        fs::read_dir(&handles).is_ok_and(|handles| {
            handles
                .filter_map(|handle| fs::read_link(handle.unwrap().path()).ok())
                .any(|aim| aim.starts_with(dir))
        })
    });
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
    // Standard input is closed here, so that a program that survives ends, too.
    child.wait_with_output().unwrap()
}

#[test]
fn a_program_that_is_killed_leaves_nothing_half_written() {
    // A file system that is known to have files without a name; on others a kill that cannot be taken over leaves one.
    let dir = tempfile::tempdir_in("/dev/shm").unwrap();
    let target = dir.path().join("report");
    fs::write(&target, OLD).unwrap();
    // It waits for a sweep on standard input.
    let args = ["reconcile", "-", "-f", "json", "-o", arg(&target)];
    for signal in [Signal::INT, Signal::TERM, Signal::HUP, Signal::KILL] {
        let output = ended_while_it_writes(&args, dir.path(), signal);
        assert_ne!(output.status.code(), Some(0), "{signal:?}");
        assert_eq!(names(dir.path()), ["report"], "{signal:?}");
        assert_eq!(fs::read_to_string(&target).unwrap(), OLD);
    }
}
