//! What reaches people: messages or silence, colour, and no control character from outside.

use super::Case;
use crate::support::{
    BINARY, arg, err, expect, in_namespace, keymuster, of_kind, out, plant, torn,
};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::process::Command;

#[test]
fn quiet_is_silent_and_verbose_tells_all() {
    let case = Case::new();
    let tree = case.tree();
    let text = super::rows(&[
        super::server(),
        super::server(),
        super::server(),
        super::server(),
        "K-9,SSH key,carol,Active,not-a-fingerprint,,\n".to_owned(),
    ]);
    let inventory = case.write("faulty.csv", &text);
    for name in 0..30 {
        plant("identity/rsa2048/pkcs8.pem", &tree, &format!("many/{name}"));
        fs::write(tree.join(format!("torn{name}")), torn()).unwrap();
    }
    let scan = [
        "scan",
        arg(&tree),
        "-i",
        arg(&inventory),
        "--fail-on",
        "none",
    ];
    let run = |option: &[&str]| expect(0, &[&scan[..], option].concat());
    let (plain, quiet, verbose) = (run(&[]), run(&["-q"]), run(&["-v"]));
    assert_eq!(err(&quiet), "");
    assert_eq!(out(&quiet), out(&plain), "-q is about messages");
    let (plain, verbose) = (out(&plain), out(&verbose));
    assert!(plain.lines().count() < 50, "a screen: {plain}");
    assert!(verbose.len() > plain.len());
    for told in ["torn0", "torn29", "faulty.csv:6"] {
        assert!(verbose.contains(told), "{told}: {verbose}");
        assert!(!plain.contains(told), "{told}: {plain}");
    }
    // An error is told even then, for a code alone helps nobody.
    let failed = expect(2, &["scan", "-q", "/no/such/place"]);
    assert!(err(&failed).contains("/no/such/place"));
}

/// Runs the program on a terminal of its own; gives everything that the terminal gets.
fn on_a_terminal(environment: &[(&str, &str)], args: &[&str]) -> String {
    let quoted: Vec<String> = args.iter().map(|arg| format!("'{arg}'")).collect();
    let output = Command::new("script")
        .args([
            "-qec",
            &format!("{BINARY} {}", quoted.join(" ")),
            "/dev/null",
        ])
        .env("TERM", "xterm-256color")
        .env_remove("NO_COLOR")
        .envs(environment.iter().copied())
        .output()
        .expect("script (package bsdutils) must be installed");
    assert!(output.status.success(), "{}", out(&output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn colour_is_for_terminals_that_want_it() {
    let case = Case::new();
    let tree = case.tree();
    let scan = ["scan", arg(&tree), "-q"];
    assert!(!out(&expect(0, &scan)).contains('\x1b'));
    let coloured = on_a_terminal(&[], &scan);
    assert!(coloured.contains("\x1b[1m"), "{coloured:?}");
    assert!(coloured.contains("Coverage"));
    let plain = on_a_terminal(&[("NO_COLOR", "1")], &scan);
    assert!(!plain.contains('\x1b'), "{plain:?}");
    // Set and empty is not set, as no-color.org has it.
    assert!(on_a_terminal(&[("NO_COLOR", "")], &scan).contains("\x1b[1m"));
    // A file is no terminal although the program runs on one.
    let report = case.at("report");
    on_a_terminal(&[], &["scan", arg(&tree), "-q", "-o", arg(&report)]);
    assert!(!fs::read_to_string(&report).unwrap().contains('\x1b'));
    // Nor has JSON any colour.
    let json = on_a_terminal(&[], &["scan", arg(&tree), "-q", "-f", "json"]);
    assert!(!json.contains('\x1b'), "{json:?}");
}

#[test]
fn the_summary_fits_its_screen() {
    let args = [
        "scan",
        "-q",
        "--fail-on",
        "none",
        "--hosts-under",
        "fixtures/estate/hosts",
        "-i",
        "fixtures/estate/inventory.csv",
    ];
    for (rows, columns) in [(24, 80), (40, 120)] {
        let size = format!(
            "stty rows {rows} cols {columns}; {BINARY} {}",
            args.join(" ")
        );
        let output = Command::new("script")
            .args(["-qec", &size, "/dev/null"])
            .env("NO_COLOR", "1")
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let lines: Vec<&str> = text.lines().map(|l| l.trim_end_matches('\r')).collect();
        assert!(lines.len() < rows, "{} lines: {text}", lines.len());
        assert!(lines.iter().all(|l| l.chars().count() <= columns), "{text}");
        for told in [
            "Inventory",
            "Coverage",
            "Verdict",
            "Worst findings",
            "Set aside",
        ] {
            assert!(text.contains(told), "{told}: {text}");
        }
        let ids = lines.iter().filter(|line| {
            line.split_whitespace()
                .last()
                .is_some_and(|word| word.starts_with("f:"))
        });
        assert!(ids.count() >= 2, "each finding tells its id: {text}");
    }
}

#[test]
fn progress_is_shown_on_terminals_alone() {
    let case = Case::new();
    let tree = case.tree();
    let noise = b"-----BEGIN PRIVATE KEY-----\nMIIB\n".repeat(1 << 16);
    for number in 0..4 {
        fs::write(tree.join(format!("noise{number}")), &noise).unwrap();
    }
    let args = ["scan", arg(&tree)];
    let shown = on_a_terminal(&[], &args);
    assert!(shown.contains(" files, "), "{shown:?}");
    assert!(shown.contains(" found  "), "{shown:?}");
    assert!(!on_a_terminal(&[], &["scan", arg(&tree), "-q"]).contains(" found  "));
    assert_eq!(err(&expect(0, &args)), "");
}

/// Characters that steer a terminal, reorder or hide text.
fn unsafe_characters(text: &str) -> Vec<char> {
    text.chars()
        .filter(|c| {
            (c.is_control() && *c != '\n')
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        })
        .collect()
}

#[test]
fn no_control_character_from_outside_reaches_a_terminal() {
    let case = Case::new();
    let tree = case.tree();
    // In names of files and directories, in a subject, in a comment, in options, in patterns of hosts, in rows.
    plant("x509/name_control.pem", &tree, "subject.pem");
    let bad = OsStr::from_bytes(b"a\x1b]0;owned\x07\x9b31m\x7f\r\n\xe2\x80\xaeb");
    fs::create_dir(tree.join(bad)).unwrap();
    fs::copy(tree.join("ssh/id"), tree.join(bad).join(bad)).unwrap();
    std::os::unix::fs::symlink(tree.join(bad).join(bad), tree.join("link\x1b[1m")).unwrap();
    fs::hard_link(tree.join(bad).join(bad), tree.join("zhard\x1b[2m")).unwrap();
    fs::write(tree.join(bad).join("torn"), torn()).unwrap();
    let public = fs::read_to_string("fixtures/identity/ed25519/openssh_public.pub").unwrap();
    let [algorithm, blob] = [0, 1].map(|n| public.split(' ').nth(n).unwrap());
    let line =
        format!("command=\"echo \x1b[31m\" {algorithm} {blob} bob\x1b[31m@\u{9b}host\u{202e}\n");
    fs::write(tree.join("authorized_keys"), line).unwrap();
    let known = format!("host\x1b[31m {algorithm} {blob} note\x07\n");
    fs::write(tree.join("known_hosts"), known).unwrap();
    let text = format!(
        "ID,Name,Owner,Fingerprint,State,Location\n\
         K\x1b[1m1,name\x07,own\u{202e}er,{},Acti\x1bve,\n\
         K2,x,bob,{},Active,\n\
         K3,\x1b[31m,\x07,{},Active,web01:/no/\x1b[31mwhere\n",
        super::person_ssh(),
        super::server_certificate(),
        "00".repeat(32)
    );
    let inventory = case.write("inventory\x1b[5m.csv", &text);
    let kept = case.at("kept");
    let host = "h\x1b[31m";
    let scan = [
        "scan",
        arg(&tree),
        "--host",
        host,
        "-i",
        arg(&inventory),
        "--fail-on",
        "none",
    ];
    let mut outputs = vec![
        keymuster(&[&scan[..], &["--sweep", arg(&kept)]].concat()),
        keymuster(&[&scan[..], &["-v"]].concat()),
        keymuster(&["scan", arg(&tree), "-v", "--host", host]),
        keymuster(&["scan", arg(&tree), "--dry-run", "--exclude", "a*"]),
        keymuster(&["explain", host, arg(&kept), "-i", arg(&inventory)]),
        keymuster(&["explain", "K\x1b[1m1", arg(&kept), "-i", arg(&inventory)]),
    ];
    for output in &outputs {
        crate::support::check(output, 0, "hostile names");
        assert!(out(output).len() > 60, "{}", out(output));
    }
    assert!(
        out(&outputs[1]).contains("\\x1b]0;owned\\x07"),
        "{}",
        out(&outputs[1])
    );
    assert!(
        out(&outputs[4]).contains("bob\\x1b[31m@\\x9bhost\\u{202e}"),
        "{}",
        out(&outputs[4])
    );
    // Messages and errors likewise.
    for args in [
        vec!["scan", "/no/\x1b[31m"],
        vec!["scan", "/", "-o", "/no/\x1b[31m"],
        vec!["scan", "/", "-i", "/no/\x1b[31m"],
        vec!["scan", "/", "--map", "a\x1b[31m=b", "-i", arg(&inventory)],
        vec![
            "scan",
            "/",
            "--map",
            "owner=b\x1b[31m",
            "-i",
            arg(&inventory),
        ],
        vec!["scan", "/", "--fail-on", "\x1b[31m"],
        vec!["scan", "/", "--now", "\x1b[31m"],
        vec!["scan", "/", "--allow-gaps", "\x1b[31m"],
        vec!["scan", "/", "--exclude", "[\x1b[31m"],
        vec!["scan", "/", "--host-root", "\x1b[31m"],
        vec!["scan", "/", "--hosts-under", "/no/\x1b[31m"],
        vec!["explain", "\x1b[31m", arg(&kept)],
        vec!["reconcile", "/no/\x1b[31m"],
        vec!["reconcile", arg(&inventory)],
    ] {
        let output = keymuster(&args);
        crate::support::check(&output, 2, &format!("{args:?}"));
        outputs.push(output);
    }
    for output in &outputs {
        for text in [out(output), err(output)] {
            assert_eq!(unsafe_characters(&text), [], "{text:?}");
        }
    }
    // The machine's form has the names as they are, written as JSON writes them.
    let sweep = crate::support::records(&fs::read(&kept).unwrap());
    let comments: Vec<&str> = of_kind(&sweep, "sighting")
        .iter()
        .filter_map(|sighting| sighting["ssh"]["comment"].as_str())
        .collect();
    assert!(
        comments.contains(&"bob\x1b[31m@\u{9b}host\u{202e}"),
        "{comments:?}"
    );
    let raw = fs::read_to_string(&kept).unwrap();
    assert!(!raw.contains('\x1b'), "JSON escapes what is below a blank");
    // On a terminal the only escapes are our own colours.
    let script =
        "program=$1; shift; exec script -qec \"$program scan '$1' -v -q --host h\" /dev/null";
    let coloured = out(&in_namespace(script, &[arg(&tree)]));
    let mut rest = coloured.as_str();
    while let Some(at) = rest.find('\x1b') {
        rest = &rest[at..];
        let end = rest.find('m').unwrap();
        let ours = rest[2..end].chars().all(|c| c.is_ascii_digit() || c == ';');
        assert!(rest.starts_with("\x1b[") && ours, "{:?}", &rest[..end]);
        rest = &rest[end..];
    }
}
