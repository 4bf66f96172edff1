//! What is covered: hosts, roots, depth, exclusions, file systems, and the dry run that reads nothing.

use super::{Case, paths_below, sweep};
use crate::support::{
    arg, as_nobody, check, err, expect, gaps, in_namespace, lay_out, of_kind, open_directory, out,
    plant, public_binary, records, set_mode,
};
use serde_json::Value;
use std::fs;

fn end(records: &[Value]) -> &Value {
    of_kind(records, "end")[0]
}

#[test]
fn the_host_is_named_as_asked_or_as_the_machine_is() {
    let case = Case::new();
    let header = |options: &[&str]| sweep(0, &case.tree(), options)[0].clone();
    let name = std::process::Command::new("uname").arg("-n").output();
    assert_eq!(header(&[])["host"], out(&name.unwrap()).trim());
    assert_eq!(header(&["--host", "web01"])["host"], "web01");
    assert_eq!(header(&[])["roots"], serde_json::json!([arg(&case.tree())]));
}

#[test]
fn roots_of_other_hosts_are_told_as_these_see_them() {
    let dir = lay_out();
    let hosts = dir.path().join("hosts");
    let under = expect(0, &["scan", "--hosts-under", arg(&hosts), "-f", "jsonl"]);
    let under = records(&under.stdout);
    let names: Vec<String> = of_kind(&under, "sweep")
        .iter()
        .map(|sweep| sweep["host"].as_str().unwrap().to_owned())
        .collect();
    let mut sorted = names.clone();
    sorted.sort();
    assert_eq!(names, sorted);
    assert_eq!(names.len(), 3);
    // Each named by hand gives the same, in the same order.
    let roots: Vec<String> = names
        .iter()
        .rev()
        .map(|name| format!("{name}={}", hosts.join(name).display()))
        .collect();
    let mut args = vec!["scan", "-f", "jsonl"];
    roots
        .iter()
        .for_each(|root| args.extend(["--host-root", root]));
    let named = records(&expect(0, &args).stdout);
    let without_times = |records: &[Value]| -> Vec<Value> {
        let mut records = records.to_vec();
        for record in &mut records {
            for member in ["started", "finished", "sha256"] {
                record.as_object_mut().unwrap().remove(member);
            }
        }
        records
    };
    assert_eq!(without_times(&under), without_times(&named));
    for sighting in of_kind(&under, "sighting") {
        let path = sighting["location"]["path"].as_str().unwrap();
        assert!(!path.contains("/hosts/"), "{path}");
    }
    // A path is taken from the host's root, and a link there does not lead out of it.
    let web = format!("web01={}", hosts.join("web01").display());
    std::os::unix::fs::symlink("/etc", hosts.join("web01/escape")).unwrap();
    let part = expect(
        0,
        &[
            "scan",
            "etc/nginx",
            "/escape",
            "--host-root",
            &web,
            "-f",
            "jsonl",
        ],
    );
    let part = records(&part.stdout);
    assert!(!of_kind(&part, "sighting").is_empty());
    for sighting in of_kind(&part, "sighting") {
        let path = sighting["location"]["path"].as_str().unwrap();
        assert!(path.starts_with("/etc/"), "{path}");
        assert!(hosts.join("web01").join(&path[1..]).exists(), "{path}");
    }
}

#[test]
fn what_is_left_out_by_choice_is_named_and_reduces_the_scope() {
    let case = Case::new();
    let tree = case.tree();
    plant("identity/rsa2048/pkcs8.pem", &tree, "a/b/c/deep.pem");
    let all = sweep(0, &tree, &[]);
    assert_eq!(end(&all)["scope"], "full");
    assert_eq!(paths_below(&all, &tree).len(), 4);
    for (options, found, left_out) in [
        (
            &["--exclude", "tls"][..],
            &["a/b/c/deep.pem", "ssh/id"][..],
            &["/tls"][..],
        ),
        (
            &["--exclude", "*.key", "--exclude", "deep.*"],
            &["ssh/id", "tls/a.crt"],
            &["/a/b/c/deep.pem", "/tls/a.key"],
        ),
        (
            &["--max-depth", "2"],
            &["ssh/id", "tls/a.crt", "tls/a.key"],
            &["/a/b"],
        ),
        (&["--max-depth", "1"], &[], &["/a", "/ssh", "/tls"]),
    ] {
        let some = sweep(0, &tree, options);
        assert_eq!(paths_below(&some, &tree), found, "{options:?}");
        assert_eq!(end(&some)["scope"], "reduced", "{options:?}");
        assert_eq!(end(&some)["complete"], true, "{options:?}");
        let expected: Vec<(String, String)> = left_out
            .iter()
            .map(|path| (format!("{}{path}", arg(&tree)), "not_swept".to_owned()))
            .collect();
        assert_eq!(gaps(&some), expected, "{options:?}");
        let args = [&["scan", arg(&tree)], options].concat();
        let said = out(&expect(0, &args));
        assert!(said.contains("scope reduced"), "{said}");
    }
    // The options are told in the sweep, as they shape what it covers.
    let some = sweep(0, &tree, &["--exclude", "tls", "--max-depth", "7"]);
    assert_eq!(
        some[0]["options"],
        serde_json::json!({"exclude": ["tls"], "max_depth": 7})
    );
}

#[test]
fn a_row_whose_place_was_left_out_is_not_missing() {
    let case = Case::new();
    let digest = "00".repeat(32);
    let text = format!(
        "ID,Owner,State,Fingerprint,Location\nK-7,alice,Active,{digest},web01:{}/tls/gone.crt\n",
        case.tree().display()
    );
    let inventory = case.write("gone.csv", &text);
    let status = |options: &[&str]| {
        let tree = case.tree();
        let scan = [
            "scan",
            arg(&tree),
            "--host",
            "web01",
            "-i",
            arg(&inventory),
            "-f",
            "json",
        ];
        let args = [&scan[..], &["--fail-on", "none"], options].concat();
        let report: Value = serde_json::from_slice(&expect(0, &args).stdout).unwrap();
        report["entries"][0]["status"].as_str().unwrap().to_owned()
    };
    assert_eq!(status(&[]), "missing");
    assert_eq!(status(&["--exclude", "ssh"]), "missing");
    assert_eq!(status(&["--exclude", "tls"]), "not_covered");
    assert_eq!(status(&["--max-depth", "1"]), "not_covered");
    assert_eq!(status(&["--exclude", "gone.crt"]), "missing");
}

#[test]
fn one_file_system_is_not_left() {
    let case = Case::new();
    let tree = case.tree();
    fs::create_dir(tree.join("mount")).unwrap();
    let script = "
        mount -t tmpfs none \"$2/mount\"
        cp \"$2/tls/a.crt\" \"$2/mount/copy.crt\"
        program=$1; shift; exec \"$program\" scan -f jsonl \"$@\"";
    let run = |options: &[&str]| {
        let output = in_namespace(script, &[&[arg(&tree)], options].concat());
        check(&output, 0, "in a namespace");
        records(&output.stdout)
    };
    let all = run(&[]);
    assert!(paths_below(&all, &tree).contains(&"mount/copy.crt".to_owned()));
    assert_eq!(end(&all)["scope"], "full");
    let one = run(&["--one-file-system"]);
    assert_eq!(paths_below(&one, &tree).len(), 3);
    assert_eq!(end(&one)["scope"], "reduced");
    let place = format!("{}/mount", arg(&tree));
    assert_eq!(gaps(&one), [(place, "not_swept".to_owned())]);
}

/// Nobody may not hide that he reads: on a file system that keeps every access time, each file's is told before and
/// after. A scan changes them, so that the test can see reading at all; a dry run does not.
#[test]
fn a_dry_run_counts_and_reads_no_content() {
    let dir = open_directory();
    let disk = dir.path().join("disk");
    fs::create_dir(&disk).unwrap();
    let program = public_binary(dir.path());
    let fixture = fs::canonicalize("fixtures/identity/p256/certificate.pem").unwrap();
    let script = "
        disk=$2 program=$3 fixture=$4 shown=$2/../shown; shift 4
        mount -t tmpfs -o strictatime,mode=755 none \"$disk\"
        mkdir \"$disk/sub\"
        for name in a b sub/c; do
            cat \"$fixture\" >\"$disk/$name\"
            chmod 644 \"$disk/$name\"
            touch -a -d '2001-02-03 04:05:06' \"$disk/$name\"
        done
        head -c 1000 /dev/zero >\"$disk/closed\"; chmod 0 \"$disk/closed\"
        mkfifo \"$disk/pipe\"
        code=0
        setpriv --reuid 65534 --regid 65534 --clear-groups \"$program\" scan \"$disk\" \"$@\" >\"$shown\" || code=$?
        stat -c %X \"$disk/a\" \"$disk/b\" \"$disk/sub/c\" | sort -u
        cat \"$shown\"
        exit $code";
    let run = |options: &[&str]| {
        let args = [&[arg(&disk), arg(&program), arg(&fixture)], options].concat();
        in_namespace(script, &args)
    };
    let untouched = "981173106";
    let scanned = run(&["-q"]);
    check(&scanned, 4, "a scan");
    assert!(!out(&scanned).contains(untouched), "{}", out(&scanned));
    let dry = run(&["--dry-run", "-f", "json"]);
    check(&dry, 0, "a dry run");
    let said = out(&dry);
    let (times, survey) = said.split_once('\n').unwrap();
    assert_eq!(times, untouched);
    let survey: Value = serde_json::from_str(survey).unwrap();
    assert_eq!(survey["directories"], 2);
    assert_eq!(survey["files"], 4);
    let size = fs::metadata(&fixture).unwrap().len();
    assert_eq!(survey["bytes"], 3 * size + 1000);
    let text = out(&run(&["--dry-run", "--exclude", "sub"]));
    assert!(text.contains("1 directories, 3 files"), "{text}");
    assert!(text.contains("/disk/sub"), "{text}");
}

#[test]
fn changed_access_times_are_told_once() {
    let case = Case::new();
    for name in ["tree/tls/a.key", "tree/tls/a.crt", "tree/ssh/id"] {
        set_mode(&case.at(name), 0o644);
    }
    let program = public_binary(case.dir.path());
    let run = |quiet: &[&str]| {
        let output = as_nobody(&program)
            .args(["scan", arg(&case.tree())])
            .args(quiet)
            .output()
            .unwrap();
        check(&output, 0, "as nobody");
        err(&output)
    };
    assert_eq!(run(&[]).matches("access times").count(), 1);
    assert_eq!(run(&["-q"]), "");
    let own = expect(0, &["scan", arg(&case.tree())]);
    assert_eq!(err(&own), "");
}
