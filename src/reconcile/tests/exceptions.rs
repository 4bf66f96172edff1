//! What an exception excuses, and when it does not hold.

use super::super::testing::*;
use crate::model::*;
use crate::policy::Exception;

const KEY: &str = "/srv/app/a.key";

fn exception() -> Exception {
    let text = |t: &str| Some(t.to_owned());
    Exception {
        key: Some(key_id(1).to_string()),
        flag: Some(Flag::Exposed),
        location: text("web01:/srv/app/**"),
        reason: text("moves with the next release"),
        ticket: text("SEC-1"),
        requester: text("Ann"),
        approver: text("Bob"),
        from: None,
        until: "2026-12-31".parse().ok(),
        source: "policy.toml:9".to_owned(),
    }
}

fn exposed(n: u8, path: &str) -> Sighting {
    with_access(private(n, path), vec![Grantee::Others], vec![])
}

fn run(seen: Vec<Sighting>, rows: Vec<Entry>, exceptions: Vec<Exception>) -> Report {
    let mut c = case(seen, rows);
    c.policy.exceptions = exceptions;
    c.run()
}

/// The excused findings of key 1, as `flag place`.
fn excused(report: &Report) -> Vec<String> {
    let key = report.keys.iter().find(|k| k.key_id == key_id(1)).unwrap();
    let flags = key.flags.iter().filter(|f| f.exception.is_some());
    flags
        .map(|f| format!("{} {}", f.flag.as_str(), f.place.as_deref().unwrap_or("-")))
        .collect()
}

/// What is said of exceptions.
fn invalid(report: &Report) -> Vec<String> {
    let flags = &report.policy.as_ref().unwrap().flags;
    assert!(flags.iter().all(|f| f.flag == Flag::ExceptionInvalid));
    assert!(flags.iter().all(|f| f.severity == Severity::Medium));
    flags.iter().map(|f| f.why.to_string()).collect()
}

fn one(change: impl Fn(&mut Exception)) -> Report {
    let mut e = exception();
    change(&mut e);
    run(
        vec![exposed(1, KEY)],
        vec![by_key("K-1", 1, &["web01:/srv/app/"])],
        vec![e],
    )
}

const EXCUSED: &str = "exposed web01:/srv/app/a.key";

const FINGERPRINT: &str = "SHA256:AbCd+/xyzAbCd+/xyzAbCd+/xyzAbCd+/xyzAbCd+/w";

#[test]
fn a_sound_exception_excuses_its_finding_and_nothing_else() {
    let report = one(|_| {});
    assert_eq!(excused(&report), [EXCUSED]);
    assert!(invalid(&report).is_empty(), "{:?}", invalid(&report));
    let excuse = report.keys[0]
        .flags
        .iter()
        .find_map(|f| f.exception.clone())
        .unwrap();
    assert_eq!(excuse.ticket, "SEC-1");
    assert_eq!(excuse.until.to_string(), "2026-12-31");
    let numbers = &report.summary.metrics["exceptions"];
    assert_eq!(numbers["findings"], 1);
    assert_eq!(numbers["invalid"], 0);
    // It stays counted as what it is.
    assert_eq!(report.summary.flags[&Flag::Exposed], 1);
    for change in [
        (|e: &mut Exception| e.flag = Some(Flag::Unprotected)) as fn(&mut Exception),
        |e| e.location = Some("web02:/srv/app/**".to_owned()),
        |e| e.location = Some("web01:/srv/*".to_owned()),
        |e| e.key = Some(key_id(2).to_string()),
    ] {
        assert!(excused(&one(change)).is_empty());
    }
}

#[test]
fn a_key_is_named_by_any_of_its_names() {
    let digits = digest(1).to_string();
    let pairs = digits
        .to_uppercase()
        .as_bytes()
        .chunks(2)
        .map(|c| String::from_utf8_lossy(c).into_owned())
        .collect::<Vec<_>>();
    for name in [
        "K-1".to_owned(),
        digits.clone(),
        format!("SHA256 Fingerprint={}", pairs.join(":")),
        format!("sha256:{digits}"),
    ] {
        let report = one(|e| e.key = Some(name.clone()));
        assert_eq!(excused(&report), [EXCUSED], "{name}");
    }
    for name in ["K-2", &digits[..31], &digits[..62], ""] {
        assert!(
            excused(&one(|e| e.key = Some(name.to_owned()))).is_empty(),
            "{name}"
        );
    }
    // SSH's form.
    let mut s = exposed(1, KEY);
    s.fingerprints
        .change(|f| f.ssh_sha256 = Some(FINGERPRINT.parse().unwrap()));
    let mut e = exception();
    e.key = Some(FINGERPRINT.to_owned());
    assert_eq!(
        excused(&run(vec![s.clone()], vec![], vec![e.clone()])),
        [EXCUSED]
    );
    e.key = Some(FINGERPRINT.replace("AbCd", "abcd"));
    assert!(excused(&run(vec![s], vec![], vec![e])).is_empty());
}

#[test]
fn one_copy_elsewhere_is_not_excused() {
    let e = || Exception {
        flag: Some(Flag::Unknown),
        ..exception()
    };
    assert_eq!(
        excused(&run(vec![private(1, KEY)], vec![], vec![e()])),
        ["unknown -"]
    );
    let two = vec![private(1, KEY), private(1, "/home/ann/a.key")];
    assert!(excused(&run(two.clone(), vec![], vec![e()])).is_empty());
    let anywhere = Exception {
        location: Some("*".to_owned()),
        ..e()
    };
    assert_eq!(excused(&run(two, vec![], vec![anywhere])), ["unknown -"]);
    // A finding on a place is about that place alone.
    let two = vec![exposed(1, KEY), exposed(1, "/home/a.key")];
    assert_eq!(excused(&run(two, vec![], vec![exception()])), [EXCUSED]);
}

#[test]
fn a_certificate_is_excused_alone() {
    let seen = [
        cert(1, 101, "/srv/app/a.crt", "2026-11-01"),
        cert(1, 102, "/srv/app/b.crt", "2026-11-02"),
    ];
    let mut other = seen[1].clone();
    facts(&mut other).subject = "CN=other".into();
    let e = Exception {
        key: Some(digest(101).to_string()),
        flag: Some(Flag::Expired),
        ..exception()
    };
    let report = run(vec![seen[0].clone(), other], vec![], vec![e]);
    let of = |c: u8| {
        let flags = &report.keys[0].flags;
        let found = flags
            .iter()
            .find(|f| f.flag == Flag::Expired && f.certificate() == Some(digest(c)));
        found.unwrap().exception.is_some()
    };
    assert!(of(101) && !of(102));
}

#[test]
fn rows_are_excused_by_their_id() {
    let row = || by_key("K-1", 1, &["web01:/srv/app/a.key"]);
    let e = |location: &str| Exception {
        key: Some("K-1".to_owned()),
        flag: Some(Flag::Missing),
        location: Some(location.to_owned()),
        ..exception()
    };
    let missing = |location: &str| {
        let report = run(vec![], vec![row()], vec![e(location)]);
        let flags = &report.entries[0].flags;
        assert_eq!(flags[0].flag, Flag::Missing);
        flags[0].exception.is_some()
    };
    assert!(missing("web01:/srv/app/") && missing("*"));
    assert!(!missing("web02:/srv/app/") && !missing("web01:/srv/app/b.key"));
    // What a row repeats from its key follows the key.
    let mut unowned = row();
    unowned.owner = None;
    let e = Exception {
        flag: Some(Flag::Unowned),
        ..exception()
    };
    let report = run(vec![private(1, KEY)], vec![unowned], vec![e]);
    let repeated = report.entries[0]
        .flags
        .iter()
        .find(|f| f.flag == Flag::Unowned)
        .unwrap();
    assert!(repeated.key_id.is_some() && repeated.exception.is_some());
    assert_eq!(report.summary.metrics["exceptions"]["findings"], 1);
}

#[test]
fn an_ended_exception_is_told_and_its_finding_counts() {
    let last = one(|e| e.until = "2026-11-24".parse().ok());
    assert_eq!(excused(&last), [EXCUSED]);
    assert!(invalid(&last).is_empty());
    let over = one(|e| e.until = "2026-11-23".parse().ok());
    assert!(excused(&over).is_empty());
    let [said] = &invalid(&over)[..] else {
        panic!()
    };
    assert!(
        said.contains("SEC-1 (policy.toml:9) ended on 2026-11-23") && said.contains("counts again"),
        "{said}"
    );
    let at_finding = why(&over, 1, Flag::Exposed);
    assert!(at_finding.ends_with("ended on 2026-11-23"), "{at_finding}");
    assert_eq!(over.summary.flags[&Flag::ExceptionInvalid], 1);
    assert_eq!(over.summary.metrics["exceptions"]["invalid"], 1);
    // Its id is of the finding, not of what was said.
    let id = |r: &Report| {
        r.keys[0]
            .flags
            .iter()
            .find(|f| f.flag == Flag::Exposed)
            .unwrap()
            .id
    };
    assert_eq!(id(&last), id(&over));
    // It stays told when nothing is left.
    let mut e = exception();
    e.until = "2026-11-23".parse().ok();
    let [said] = &invalid(&run(vec![], vec![], vec![e]))[..] else {
        panic!()
    };
    assert!(said.contains("nothing left"), "{said}");
}

#[test]
fn broken_exceptions_excuse_nothing() {
    type Change = fn(&mut Exception);
    let cases: [(Change, &str); 4] = [
        (|e| e.approver = None, "has no approver"),
        (|e| e.until = None, "has no end (until)"),
        (|e| e.approver = Some(" ANN ".to_owned()), "must differ"),
        // The maximum is 366 days.
        (|e| e.until = "2027-11-26".parse().ok(), "366 at most"),
    ];
    for (change, word) in cases {
        let report = one(change);
        assert!(excused(&report).is_empty(), "{word}");
        let [said] = &invalid(&report)[..] else {
            panic!("{word}")
        };
        assert!(
            said.contains(word) && said.contains("excuses nothing"),
            "{said}"
        );
    }
    let report = one(|e| e.until = "2027-11-25".parse().ok());
    assert_eq!(excused(&report), [EXCUSED]);
}

#[test]
fn an_exception_that_meets_nothing_is_told_where_that_can_be_known() {
    let gone = |c: super::super::testing::Case| invalid(&c.run());
    let with = |seen: Vec<Sighting>, e: Exception| {
        let mut c = case(seen, vec![]);
        c.policy.exceptions = vec![e];
        c
    };
    let [said] = &gone(with(vec![private(1, KEY)], exception()))[..] else {
        panic!()
    };
    assert!(said.contains("no finding here"), "{said}");
    // Its host was not swept.
    let other = Exception {
        location: Some("db01:/srv/app/**".to_owned()),
        ..exception()
    };
    assert!(gone(with(vec![], other)).is_empty());
    // Its place was not completely swept.
    let c = with(vec![], exception()).gap("/srv/app/sub", GapReason::PermissionDenied);
    assert!(gone(c).is_empty());
    let c = with(vec![], exception()).gap("/srv/other", GapReason::PermissionDenied);
    assert_eq!(gone(c).len(), 1);
    // It is about rows, and there are none.
    let unowned = Exception {
        flag: Some(Flag::Unowned),
        ..exception()
    };
    let mut c = with(vec![], unowned.clone());
    c.inventories.clear();
    assert!(gone(c).is_empty());
    assert_eq!(gone(with(vec![], unowned)).len(), 1);
    // It has not begun.
    let later = Exception {
        from: "2026-11-25".parse().ok(),
        ..exception()
    };
    assert!(gone(with(vec![], later.clone())).is_empty());
    let report = run(vec![exposed(1, KEY)], vec![], vec![later]);
    assert!(excused(&report).is_empty() && invalid(&report).is_empty());
}

#[test]
fn of_several_the_longest_is_told() {
    let e = |ticket: &str, until: &str| Exception {
        ticket: Some(ticket.to_owned()),
        until: until.parse().ok(),
        ..exception()
    };
    let report = run(
        vec![exposed(1, KEY)],
        vec![],
        vec![
            e("A", "2026-12-01"),
            e("B", "2026-12-31"),
            e("C", "2026-12-15"),
        ],
    );
    let excuse = report.keys[0]
        .flags
        .iter()
        .find_map(|f| f.exception.clone());
    assert_eq!(excuse.unwrap().ticket, "B");
    assert!(invalid(&report).is_empty());
}
