//! Policy files, exceptions, asset lists and the age of sweeps, from the command line.

use super::{Case, person_ssh, server_certificate};
use crate::support::{
    arg, err, expect, keymuster, of_kind, open_directory, out, plant, records, sha256sum,
};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// How a report as of that day is asked for, in JSON.
const IN_JSON: &[&str] = &["--now", "2026-11-24", "-f", "json"];

/// The report that these arguments ask for.
fn report(code: i32, args: &[&[&str]]) -> Value {
    serde_json::from_slice(&expect(code, &args.concat()).stdout).unwrap()
}

/// Every finding with this flag, once.
fn flagged<'a>(report: &'a Value, flag: &str) -> Vec<&'a Value> {
    let keys = report["keys"].as_array().unwrap().iter();
    let of_keys = keys.flat_map(|key| key["flags"].as_array().unwrap());
    let of_policy = report["policy"]["flags"].as_array().into_iter().flatten();
    of_keys
        .chain(of_policy)
        .filter(|f| f["flag"] == flag)
        .collect()
}

#[test]
fn the_policy_in_force_is_shown_and_reads_back() {
    let case = Case::new();
    let built_in = out(&expect(0, &["policy", "show"]));
    let parsed: toml::Table = built_in.parse().unwrap();
    assert_eq!(parsed["thresholds"]["expiring_days"].as_integer(), Some(30));
    let file = case.write("shown.toml", &built_in);
    let again = out(&expect(0, &["policy", "show", "--policy", arg(&file)]));
    // The same values, from another place.
    assert_eq!(again.parse::<toml::Table>().unwrap(), parsed);
    assert!(again.contains("# shown.toml:4\n"), "{again}");
    let target = case.at("out.toml");
    expect(0, &["policy", "show", "-o", arg(&target)]);
    assert_eq!(fs::read_to_string(target).unwrap(), built_in);
}

#[test]
fn a_wrong_policy_stops_every_command_with_file_and_line() {
    let case = Case::new();
    let (tree, file) = (
        case.tree(),
        case.write("p.toml", "[thresholds]\n\nexpiring_day = 3\n"),
    );
    let sweep = case.at("kept.sweep");
    expect(0, &["scan", arg(&tree), "-q", "--sweep", arg(&sweep)]);
    for command in [
        vec!["policy", "show"],
        vec!["scan", arg(&tree)],
        vec!["reconcile", arg(&sweep)],
        vec!["explain", "K-1", arg(&sweep)],
    ] {
        let output = keymuster(&[&command[..], &["--policy", arg(&file)]].concat());
        assert_eq!(output.status.code(), Some(2), "{command:?}");
        assert!(
            err(&output).contains("p.toml:3: thresholds has no \"expiring_day\""),
            "{}",
            err(&output)
        );
    }
    let absent = case.at("absent.toml");
    expect(2, &["scan", arg(&tree), "--policy", arg(&absent)]);
}

#[test]
fn a_policy_changes_what_is_found_and_the_report_names_it() {
    let case = Case::new();
    let (tree, inventory) = (case.tree(), case.full_inventory());
    let text =
        "owners = \"people.csv\"\n[curves]\nP-256 = false\n[severities]\nweak = \"medium\"\n";
    let file = case.write("p.toml", text);
    case.write("people.csv", "owner,status\nalice,\nbob,left\n");
    let scan = ["scan", arg(&tree), "-i", arg(&inventory)];
    let without = report(0, &[&scan, IN_JSON]);
    assert_eq!(without["policy"]["name"], "built in");
    assert!(flagged(&without, "weak").is_empty());
    assert!(flagged(&without, "unowned").is_empty());
    // The owners list lies beside the policy, wherever the program runs.
    let with = report(1, &[&scan, IN_JSON, &["--policy", arg(&file)]]);
    let weak = flagged(&with, "weak");
    assert_eq!(
        (weak.len(), weak[0]["severity"].as_str()),
        (1, Some("medium"))
    );
    assert_eq!(flagged(&with, "unowned").len(), 1);
    assert_eq!(with["policy"]["name"], "p.toml");
    assert_eq!(with["policy"]["sha256"], sha256sum(text.as_bytes()));
    // A list that is typed counts instead.
    let typed = case.write("typed.csv", "owner\nalice\nbob\n");
    let options = ["--policy", arg(&file), "--owners", arg(&typed)];
    assert!(flagged(&report(0, &[&scan, IN_JSON, &options]), "unowned").is_empty());
}

/// An exception for the person's unregistered SSH key.
fn exception(case: &Case, name: &str, approver: &str, until: &str) -> PathBuf {
    let text = format!(
        "[[exceptions]]\nkey = \"{}\"\nflag = \"unknown\"\nlocation = \"{}/ssh/**\"\nreason = \"moves next month\"\n\
         ticket = \"SEC-7\"\nrequester = \"Ann\"\napprover = \"{approver}\"\nuntil = {until}\n",
        person_ssh(),
        arg(&case.tree())
    );
    case.write(name, &text)
}

#[test]
fn an_exception_takes_a_finding_out_of_the_exit_code() {
    let case = Case::new();
    let (tree, inventory) = (case.tree(), case.partial_inventory());
    let common = [
        "scan",
        arg(&tree),
        "-i",
        arg(&inventory),
        "--now",
        "2026-11-24",
    ];
    let run = |code: i32, policy: &Path, more: &[&str]| {
        let options = ["--policy", arg(policy)];
        expect(code, &[&common[..], &options, more].concat())
    };
    expect(1, &common);
    let sound = exception(&case, "sound.toml", "Bob", "2026-11-24");
    let base = case.at("base.json");
    run(0, &sound, &["-f", "json", "-o", arg(&base)]);
    let report: Value = serde_json::from_slice(&fs::read(&base).unwrap()).unwrap();
    let [unknown] = flagged(&report, "unknown")[..] else {
        panic!("{report}")
    };
    assert_eq!(unknown["severity"], "high");
    assert_eq!(unknown["exception"]["ticket"], "SEC-7");
    assert_eq!(unknown["exception"]["until"], "2026-11-24");
    assert_eq!(report["summary"]["metrics"]["exceptions"]["findings"], 1);
    let said = out(&run(0, &sound, &[]));
    assert!(
        said.contains("1 of these excused; 0 of 1 exception invalid"),
        "{said}"
    );
    assert!(!said.contains("unknown"), "{said}");
    assert!(
        out(&run(0, &sound, &["-v"])).contains("excused until 2026-11-24 by SEC-7 (sound.toml:1)")
    );

    // A day later it counts again, also against a baseline in which it was excused.
    let ended = exception(&case, "ended.toml", "Bob", "2026-11-23");
    run(1, &ended, &[]);
    run(1, &ended, &["--baseline", arg(&base)]);
    let said = out(&run(1, &ended, &[]));
    assert!(
        said.contains("exception SEC-7 (ended.toml:1) ended on 2026-11-23"),
        "{said}"
    );
    let alone = exception(&case, "alone.toml", "ANN", "2026-12-01");
    run(1, &alone, &[]);
    let report = run(1, &alone, &["-f", "json", "--fail-on", "exception_invalid"]);
    let report: Value = serde_json::from_slice(&report.stdout).unwrap();
    let [broken] = flagged(&report, "exception_invalid")[..] else {
        panic!("{report}")
    };
    assert_eq!(broken["severity"], "medium");
    assert_eq!(report["summary"]["flags"]["exception_invalid"], 1);
    // It can be asked about as any finding.
    let stored = case.write(
        "stored.json",
        &serde_json::to_string_pretty(&report).unwrap(),
    );
    let told = out(&expect(
        0,
        &["explain", broken["id"].as_str().unwrap(), arg(&stored)],
    ));
    assert!(
        told.contains("requester and approver must differ"),
        "{told}"
    );
    let told = out(&expect(
        0,
        &["explain", unknown["id"].as_str().unwrap(), arg(&base)],
    ));
    assert!(told.contains("asked for by Ann, approved by Bob"), "{told}");
}

#[test]
fn an_included_list_of_exceptions_counts() {
    let case = Case::new();
    let (tree, inventory) = (case.tree(), case.partial_inventory());
    exception(&case, "list.toml", "Bob", "2026-12-01");
    let policy = case.write("p.toml", "include = [\"list.toml\"]\n");
    let scan = ["scan", arg(&tree), "-i", arg(&inventory)];
    let report = report(0, &[&scan, IN_JSON, &["--policy", arg(&policy)]]);
    let included = &report["policy"]["included"][0];
    assert_eq!(included["name"], "list.toml");
    assert_eq!(
        included["sha256"],
        sha256sum(&fs::read(case.at("list.toml")).unwrap())
    );
}

/// A sweep of the tree as that of a host `web01`.
fn web01(case: &Case) -> PathBuf {
    let (tree, sweep) = (case.tree(), case.at("web01.sweep"));
    let options = ["--host", "web01", "-q", "--sweep", arg(&sweep)];
    expect(0, &[&["scan", arg(&tree)], &options[..]].concat());
    sweep
}

#[test]
fn hosts_that_did_not_report_make_the_exit_code_incomplete() {
    let case = Case::new();
    let sweep = web01(&case);
    let complete = case.write(
        "all.csv",
        "hostname,aliases,scope\nshop.example.com,web01,yes\nold01,,retired\n",
    );
    let lacking = case.write("more.csv", "hostname,scope\nweb01,yes\ndb01,yes\n");
    let with_all = ["reconcile", arg(&sweep), "--hosts", arg(&complete)];
    let with_more = ["reconcile", arg(&sweep), "--hosts", arg(&lacking)];
    let said = out(&expect(0, &with_all));
    // The first number of a report.
    let second = said.lines().nth(1).unwrap();
    assert!(
        second.starts_with("Hosts") && second.contains("1 of 1 (100 %)"),
        "{said}"
    );
    let said = out(&expect(4, &with_more));
    assert!(
        said.contains("1 of 2 (50 %) in scope have reported") && said.contains("no sweep of: db01"),
        "{said}"
    );
    let report = report(4, &[&with_more, &["-f", "json"]]);
    assert_eq!(report["summary"]["complete"], false);
    assert_eq!(report["summary"]["metrics"]["hosts"]["not_reported"], 1);
    // Together with findings.
    let inventory = case.partial_inventory();
    expect(5, &[&with_more[..], &["-i", arg(&inventory)]].concat());
    let none = case.write("none.csv", "owner,state\nann,active\n");
    let refused = expect(2, &["reconcile", arg(&sweep), "--hosts", arg(&none)]);
    assert!(err(&refused).contains("asset list"), "{}", err(&refused));
}

#[test]
fn an_old_sweep_gives_no_absences() {
    let case = Case::new();
    let sweep = web01(&case);
    let place = case.tree().join("gone.key");
    let row = format!(
        "K-9,TLS key,ann,Active,{},web01:{}\n",
        "ab".repeat(32),
        arg(&place)
    );
    let inventory = case.write(
        "i.csv",
        &format!("ID,Type,Owner,State,Fingerprint,Location\n{row}"),
    );
    let now = jiff::Timestamp::now();
    let judged = |code: i32, days: i64| {
        let at = now
            .checked_add(jiff::SignedDuration::from_hours(24 * days))
            .unwrap();
        let at = at.to_string();
        let options = ["--now", &at, "--max-sweep-age", "7d", "--fail-on", "none"];
        let reconcile = ["reconcile", arg(&sweep), "-i", arg(&inventory)];
        report(code, &[&reconcile, &options, &["-f", "json"]])
    };
    let young = judged(0, 6);
    assert_eq!(young["entries"][0]["status"], "missing");
    let old = judged(4, 8);
    assert_eq!(old["entries"][0]["status"], "not_covered");
    assert_eq!(old["hosts"][0]["status"], "too_old");
    let told = expect(2, &["reconcile", arg(&sweep), "--max-sweep-age", "7"]);
    assert!(err(&told).contains("m, h, d or w"));
}

#[test]
fn a_host_is_known_again_by_its_machine_id_which_is_never_told() {
    const ID: &str = "5a1c0ffee0ddba11feedfacecafebeef";
    let dir = open_directory();
    let root = dir.path().join("root");
    plant("identity/p256/pkcs8.pem", &root, "etc/a.key");
    fs::write(root.join("etc/machine-id"), format!("{ID}\n")).unwrap();
    let swept = |name: &str| {
        let task = format!("{name}={}", arg(&root));
        let output = expect(0, &["scan", "--host-root", &task, "-f", "jsonl"]);
        assert!(!out(&output).contains(ID));
        output.stdout
    };
    let of = |lines: &[u8]| of_kind(&records(lines), "sweep")[0]["machine_id"].clone();
    let first = swept("web01");
    assert_eq!(
        of(&first),
        sha256sum(format!("keymuster machine-id 1\0{ID}").as_bytes())
    );
    assert_eq!(of(&first), of(&swept("shop01")));
    // An asset list may have either form.
    let sweep = dir.path().join("s");
    fs::write(&sweep, &first).unwrap();
    for id in [ID.to_owned(), of(&first).as_str().unwrap().to_owned()] {
        let list = dir.path().join("hosts.csv");
        fs::write(&list, format!("name,machine id\ndb77,{id}\n")).unwrap();
        let reconcile = ["reconcile", arg(&sweep), "--hosts", arg(&list)];
        let report = report(0, &[&reconcile, &["-f", "json"]]);
        assert_eq!(report["hosts"][0]["name"], "db77");
        assert_eq!(report["hosts"][0]["swept_as"], "web01");
        assert!(!report.to_string().contains(ID));
    }
    fs::write(root.join("etc/machine-id"), "uninitialized\n").unwrap();
    assert_eq!(of(&swept("web01")), Value::Null);
}

#[test]
fn the_certificate_of_an_exception_may_be_named_as_openssl_does() {
    let case = Case::new();
    let tree = case.tree();
    let digits: Vec<String> = server_certificate()
        .to_uppercase()
        .as_bytes()
        .chunks(2)
        .map(|pair| String::from_utf8_lossy(pair).into_owned())
        .collect();
    let text = format!(
        "[curves]\nP-256 = false\n[[exceptions]]\nkey = \"sha256 Fingerprint={}\"\nflag = \"weak\"\nlocation = \"*\"\n\
         reason = \"r\"\nticket = \"T\"\nrequester = \"Ann\"\napprover = \"Bob\"\nuntil = 2026-12-31\n",
        digits.join(":")
    );
    let policy = case.write("p.toml", &text);
    let options = ["scan", arg(&tree), "--policy", arg(&policy)];
    let report = report(0, &[&options, IN_JSON]);
    let [weak] = flagged(&report, "weak")[..] else {
        panic!()
    };
    assert_eq!(weak["exception"]["ticket"], "T");
}
