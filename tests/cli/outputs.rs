//! Where output goes: whole or not at all, private, never through a link, and never swept itself.

use super::{Case, paths_below, sweep};
use crate::support::{
    arg, check, command, err, expect, in_namespace, lay_out, of_kind, out, plant, records, set_mode,
};
use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn outputs_are_private_and_leave_nothing_else() {
    let case = Case::new();
    let tree = case.tree();
    let place = case.at("out");
    fs::create_dir(&place).unwrap();
    // A report that was readable by all before is so no longer.
    fs::write(place.join("report"), "old").unwrap();
    set_mode(&place.join("report"), 0o666);
    let (report, kept) = (place.join("report"), place.join("sweep"));
    for format in ["text", "json", "jsonl"] {
        let args = ["scan", arg(&tree), "-f", format, "-o", arg(&report)];
        let output = expect(0, &[&args[..], &["--sweep", arg(&kept)]].concat());
        assert!(output.stdout.is_empty());
        for file in [&report, &kept] {
            let facts = fs::metadata(file).unwrap();
            assert_eq!(facts.permissions().mode() & 0o7777, 0o600);
            assert!(facts.len() > 100);
        }
        assert_eq!(names(&place), ["report", "sweep"]);
    }
    // The sweep that is kept is the one that is written.
    assert_eq!(fs::read(&report).unwrap(), fs::read(&kept).unwrap());
    // The same through `-`.
    let written = expect(0, &["scan", arg(&tree), "-f", "text", "-o", "-"]);
    assert!(out(&written).contains("Coverage"));
}

#[test]
fn a_link_at_the_target_is_replaced_and_what_it_points_at_untouched() {
    let case = Case::new();
    let tree = case.tree();
    let aim = case.write("aim", "kept");
    let link = case.at("link");
    let output_options = ["-o", "--sweep"];
    for option in output_options {
        let _ = fs::remove_file(&link);
        symlink(&aim, &link).unwrap();
        expect(0, &["scan", arg(&tree), option, arg(&link)]);
        assert_eq!(fs::read(&aim).unwrap(), b"kept");
        assert!(fs::symlink_metadata(&link).unwrap().is_file());
    }
    // A hard link of the target is left as it was, too.
    let second = case.at("second");
    fs::hard_link(&aim, &second).unwrap();
    expect(0, &["scan", arg(&tree), "-o", arg(&second)]);
    assert_eq!(fs::read(&aim).unwrap(), b"kept");
    // What is no file is no target, nor is a link to such.
    let pipe = case.at("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let device = case.at("device");
    symlink("/dev/null", &device).unwrap();
    let directory = case.at("directory");
    symlink(&tree, &directory).unwrap();
    for target in [&tree, &pipe, &device, &directory] {
        for option in output_options {
            expect(2, &["scan", arg(&tree), option, arg(target)]);
        }
    }
    assert!(fs::symlink_metadata(&device).unwrap().is_symlink());
    assert!(fs::symlink_metadata(&directory).unwrap().is_symlink());
}

#[test]
fn a_target_that_cannot_be_written_fails_before_anything_is_swept() {
    let case = Case::new();
    // A FIFO as root of the sweep would be told in the sweep; here nothing may be swept at all, which a tree that
    // takes far longer than the test may take shows.
    let nowhere = case.at("none/report");
    fs::create_dir(case.at("closed")).unwrap();
    let begun = std::time::Instant::now();
    for option in ["-o", "--sweep"] {
        let output = expect(2, &["scan", "/", option, arg(&nowhere)]);
        assert!(
            err(&output).contains("cannot be written"),
            "{}",
            err(&output)
        );
        assert!(output.stdout.is_empty());
    }
    // As a user who may not write there.
    let program = crate::support::public_binary(case.dir.path());
    for option in ["-o", "--sweep"] {
        let output = crate::support::as_nobody(&program)
            .args(["scan", "/", option])
            .arg(case.at("closed/report"))
            .output()
            .unwrap();
        check(&output, 2, "a closed directory");
        assert!(
            err(&output).contains("Permission denied"),
            "{}",
            err(&output)
        );
    }
    // And with one good target, that leaves nothing behind either.
    let good = case.at("closed/good");
    expect(
        2,
        &["scan", "/", "-o", arg(&good), "--sweep", arg(&nowhere)],
    );
    assert_eq!(names(&case.at("closed")), [""; 0]);
    assert!(begun.elapsed().as_secs() < 20);
    // One file cannot be both.
    let both = ["-o", arg(&good), "--sweep", arg(&good)];
    expect(2, &[&["scan", arg(&case.tree())], &both[..]].concat());
    assert_eq!(names(&case.at("closed")), [""; 0]);
    let both = ["-o", "-", "--sweep", "-"];
    expect(2, &[&["scan", arg(&case.tree())], &both[..]].concat());
}

#[test]
fn a_full_disk_leaves_the_old_output_and_no_half_of_a_new_one() {
    let dir = lay_out();
    let hosts = dir.path().join("hosts");
    let disk = dir.path().join("disk");
    fs::create_dir(&disk).unwrap();
    // The sweep of the estate is larger than this disk.
    let script = "
        keymuster=$1 disk=$2; shift 2
        mount -t tmpfs -o size=64k none \"$disk\"
        echo 'the old one' >\"$disk/report\"
        code=0; \"$keymuster\" \"$@\" || code=$?
        ls -A \"$disk\" >&2
        cat \"$disk/report\"
        exit $code";
    let report = disk.join("report");
    for (option, format) in [("-o", "jsonl"), ("-o", "json"), ("--sweep", "text")] {
        let scan = ["scan", "--hosts-under", arg(&hosts), "-f", format];
        let args = [&[arg(&disk)], &scan[..], &[option, arg(&report)]].concat();
        let output = in_namespace(script, &args);
        check(&output, 2, option);
        assert_eq!(out(&output), "the old one\n", "{option}");
        let said = err(&output);
        assert!(said.contains("No space left"), "{said}");
        assert!(said.ends_with("\nreport\n"), "{said}");
        assert_eq!(
            said.lines().filter(|line| line.contains("report")).count(),
            2
        );
    }
    // And standard output that is full.
    let full = File::options().write(true).open("/dev/full").unwrap();
    let output = command(&["scan", "--hosts-under", arg(&hosts)])
        .stdout(full)
        .output()
        .unwrap();
    check(&output, 2, "/dev/full");
    assert!(err(&output).contains("standard output"), "{}", err(&output));
}

#[test]
fn a_sweep_never_reads_its_own_outputs() {
    let case = Case::new();
    let tree = case.tree();
    let found = ["ssh/id", "tls/a.crt", "tls/a.key"];
    let before = sweep(0, &tree, &[]);
    let files = |records: &[serde_json::Value]| of_kind(records, "end")[0]["files"].clone();
    assert_eq!(files(&before), 3);
    // The targets hold keys, so that reading them could not go unnoticed.
    let report = plant("identity/rsa2048/pkcs8.pem", &tree, "report");
    let kept = plant("identity/rsa3072/pkcs8.pem", &tree, "kept");
    let options = ["-f", "jsonl", "-o", arg(&report), "--sweep", arg(&kept)];
    expect(0, &[&["scan", arg(&tree)], &options[..]].concat());
    let after = records(&fs::read(&report).unwrap());
    assert_eq!(paths_below(&after, &tree), found);
    assert_eq!(files(&after), 3);
    // The same when the shell redirects, also when it appends.
    for (name, append) in [("report", false), ("report", true)] {
        plant("identity/rsa2048/pkcs8.pem", &tree, name);
        fs::remove_file(&kept).ok();
        let file = if append {
            File::options().append(true).open(&report).unwrap()
        } else {
            File::create(&report).unwrap()
        };
        let before = file.metadata().unwrap().size();
        let output = command(&["scan", arg(&tree), "-f", "jsonl"])
            .stdout(file)
            .output()
            .unwrap();
        check(&output, 0, "redirected");
        let written = fs::read(&report).unwrap();
        let after = records(&written[usize::try_from(before).unwrap()..]);
        assert_eq!(paths_below(&after, &tree), found, "append {append}");
        assert_eq!(files(&after), 3);
    }
    // Standard error that goes into the tree is an output, too.
    let log = plant("identity/rsa2048/pkcs8.pem", &tree, "report");
    let output = command(&["scan", arg(&tree), "-f", "jsonl"])
        .stderr(File::options().append(true).open(&log).unwrap())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(paths_below(&records(&output.stdout), &tree), found);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let dir = lay_out();
    let hosts = dir.path().join("hosts");
    for format in ["text", "json", "jsonl"] {
        let script = "set -o pipefail; \"$0\" scan --hosts-under \"$1\" -f \"$2\" | head -n 1";
        let output = std::process::Command::new("bash")
            .args(["-c", script, crate::support::BINARY, arg(&hosts), format])
            .output()
            .unwrap();
        check(&output, 0, format);
        assert_eq!(out(&output).lines().count(), 1);
        assert_eq!(err(&output), "");
    }
}
