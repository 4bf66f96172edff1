//! Hosts that should have been swept, sweeps that are too old, and machines that were renamed.

use super::super::testing::*;
use crate::model::*;

const KEY: &str = "/etc/a.key";

fn listed(name: &str) -> ListedHost {
    ListedHost {
        name: name.to_owned(),
        in_scope: true,
        source: format!("hosts.csv:{name}"),
        ..ListedHost::default()
    }
}

fn list(hosts: Vec<ListedHost>) -> Option<HostList> {
    Some(HostList {
        name: "hosts.csv".to_owned(),
        hosts,
        faults: vec![],
    })
}

fn status(report: &Report, name: &str) -> HostStatus {
    let host = report.hosts.iter().find(|h| h.name == name);
    host.unwrap_or_else(|| panic!("{name}: {:?}", report.hosts))
        .status
}

fn started(mut sweep: Sweep, at_: &str) -> Sweep {
    sweep.header.started = at(at_);
    sweep
}

#[test]
fn hosts_of_the_list_are_met_by_name_alias_and_machine_id() {
    let mut c = case(vec![], vec![]);
    let mut by_id = sweep("renamed", &["/"], vec![], vec![]);
    by_id.header.machine_id = Some(digest(9));
    c.sweeps.push(by_id);
    c.sweeps.push(sweep("shop", &["/"], vec![], vec![]));
    c.sweeps.push(sweep("stray", &["/"], vec![], vec![]));
    c.hosts = list(vec![
        listed("web01.example.com"),
        ListedHost {
            machine_id: Some(digest(9)),
            ..listed("db01")
        },
        ListedHost {
            aliases: vec!["shop".to_owned()],
            ..listed("web02")
        },
        listed("db02"),
        ListedHost {
            in_scope: false,
            ..listed("old")
        },
    ]);
    let report = c.run();
    for (name, expected) in [
        ("web01.example.com", HostStatus::Reported),
        ("db01", HostStatus::Reported),
        ("web02", HostStatus::Reported),
        ("db02", HostStatus::NotReported),
        ("old", HostStatus::OutOfScope),
        ("stray", HostStatus::Unlisted),
    ] {
        assert_eq!(status(&report, name), expected, "{name}");
    }
    let numbers = &report.summary.metrics["hosts"];
    assert_eq!(
        (&numbers["in_scope"], &numbers["reported"]),
        (&4.into(), &3.into())
    );
    assert!(!report.summary.complete);
}

#[test]
fn a_list_that_is_complete_leaves_the_report_complete() {
    let mut c = case(vec![], vec![]);
    c.hosts = list(vec![listed("web01")]);
    assert!(c.run().summary.complete);
    let mut without = case(vec![], vec![]);
    without.hosts = None;
    let report = without.run();
    assert!(report.hosts.is_empty() && !report.summary.metrics.contains_key("hosts"));
}

#[test]
fn rows_may_use_an_alias() {
    let run = |aliases: &[&str]| {
        let mut c = case(
            vec![private(1, KEY)],
            vec![by_key("K-1", 1, &["shop:/etc/a.key"])],
        );
        c.hosts = list(vec![ListedHost {
            aliases: aliases.iter().map(|&a| a.to_owned()).collect(),
            ..listed("web01")
        }]);
        of_key_in(&c.run())
    };
    // Rows are prepared with the names that the list makes known.
    assert_eq!(run(&["shop"]), set(&[]));
    assert_eq!(run(&["store"]), set(&["misplaced:medium"]));
}

fn of_key_in(report: &Report) -> std::collections::BTreeSet<String> {
    of_key(report, 1)
        .into_iter()
        .filter(|word| word.starts_with("misplaced"))
        .collect()
}

#[test]
fn an_old_sweep_proves_no_absence() {
    // The sweep began at 2026-11-24T09:00:00Z, one hour before the time of judgement.
    let run = |minutes: i64| {
        let mut c = case(
            vec![],
            vec![
                by_key("K-1", 1, &["web01:/etc/a.key"]),
                by_key("K-2", 2, &["web01"]),
                by_key("K-3", 3, &["web01:/etc/*"]),
            ],
        );
        c.max_sweep_age = Some(jiff::SignedDuration::from_mins(minutes));
        c.run()
    };
    let young = run(60);
    assert_eq!(status(&young, "web01"), HostStatus::Reported);
    assert!(young.summary.complete);
    let old = run(59);
    assert_eq!(status(&old, "web01"), HostStatus::TooOld);
    assert!(!old.summary.complete);
    for id in ["K-1", "K-2", "K-3"] {
        assert_eq!(of_entry(&young, id).0, EntryStatus::Missing);
        assert_eq!(
            of_entry(&old, id),
            (EntryStatus::NotCovered, set(&["not_covered:info"]))
        );
    }
    let said = &old.entries[0].flags[0].why;
    assert!(
        said.contains("2026-11-24") && said.contains("too old"),
        "{said}"
    );
    // What was seen then is still told.
    let mut c = case(vec![private(1, KEY)], vec![]);
    c.max_sweep_age = Some(jiff::SignedDuration::from_mins(1));
    assert!(of_key(&c.run(), 1).contains("unknown:high"));
}

#[test]
fn a_younger_sweep_of_a_part_proves_that_part() {
    let mut c = case(
        vec![],
        vec![
            by_key("K-1", 1, &["web01:/etc/a.key"]),
            by_key("K-2", 2, &["web01:/srv/b.key"]),
        ],
    );
    c.sweeps.push(started(
        sweep("web01", &["/srv"], vec![], vec![]),
        "2026-11-24T09:50:00Z",
    ));
    c.max_sweep_age = Some(jiff::SignedDuration::from_mins(30));
    let report = c.run();
    assert_eq!(of_entry(&report, "K-1").0, EntryStatus::NotCovered);
    assert_eq!(of_entry(&report, "K-2").0, EntryStatus::Missing);
    assert_eq!(status(&report, "web01"), HostStatus::Reported);
}

#[test]
fn an_old_sweep_of_a_listed_host_has_not_reported() {
    let mut c = case(vec![], vec![]);
    c.max_sweep_age = Some(jiff::SignedDuration::from_mins(1));
    c.hosts = list(vec![listed("web01")]);
    let report = c.run();
    assert_eq!(status(&report, "web01"), HostStatus::TooOld);
    assert_eq!(report.summary.metrics["hosts"]["reported"], 0);
}

/// Two sweeps of one machine id under two names.
fn two_names(first: &str, second: &str, ids: (u8, u8), hosts: Option<HostList>) -> Report {
    let mut c = case(vec![], vec![]);
    let mut old = started(sweep("web01", &["/"], vec![private(1, KEY)], vec![]), first);
    old.header.machine_id = Some(digest(ids.0));
    let mut new = started(
        sweep("shop01", &["/"], vec![private(2, KEY)], vec![]),
        second,
    );
    new.header.machine_id = Some(digest(ids.1));
    c.sweeps = vec![old, new];
    c.hosts = hosts;
    c.run()
}

#[test]
fn a_renamed_host_is_the_same() {
    let report = two_names(
        "2026-11-20",
        "2026-11-23",
        (7, 7),
        list(vec![listed("web01")]),
    );
    assert_eq!(report.sweeps.len(), 1, "the latest judges");
    assert_eq!(report.keys.len(), 1);
    assert_eq!(report.keys[0].key_id, key_id(2));
    assert_eq!(report.keys[0].sightings[0].host.as_deref(), Some("shop01"));
    // Its old name on the list is its name still.
    assert_eq!(status(&report, "web01"), HostStatus::Reported);
    assert_eq!(report.hosts[0].swept_as.as_deref(), Some("shop01"));
    assert_eq!(report.hosts[0].formerly, ["web01"]);
}

#[test]
fn what_a_renamed_host_s_last_sweep_left_out_stays() {
    let mut c = case(vec![], vec![by_key("K-1", 1, &["web01:/srv/a.key"])]);
    let mut old = started(
        sweep("web01", &["/srv"], vec![private(1, "/srv/a.key")], vec![]),
        "2026-11-20",
    );
    let mut new = started(sweep("shop01", &["/etc"], vec![], vec![]), "2026-11-23");
    old.header.machine_id = Some(digest(7));
    new.header.machine_id = Some(digest(7));
    c.sweeps = vec![new, old];
    let report = c.run();
    assert_eq!(report.sweeps.len(), 2);
    assert_eq!(report.keys[0].sightings[0].host.as_deref(), Some("shop01"));
    assert!(
        !of_key(&report, 1).contains("misplaced:medium"),
        "the row's old name counts"
    );
}

#[test]
fn clones_with_one_machine_id_stay_apart() {
    // Other ids, too little between them, or two rows of the list.
    for report in [
        two_names("2026-11-20", "2026-11-23", (7, 8), None),
        two_names("2026-11-23T01:00:00Z", "2026-11-23T12:59:59Z", (7, 7), None),
        two_names(
            "2026-11-20",
            "2026-11-23",
            (7, 7),
            list(vec![listed("web01"), listed("shop01")]),
        ),
    ] {
        assert_eq!(report.sweeps.len(), 2);
        assert_eq!(report.keys.len(), 2);
    }
    let apart = two_names("2026-11-23T01:00:00Z", "2026-11-23T13:00:00Z", (7, 7), None);
    assert_eq!(apart.sweeps.len(), 1);
}

#[test]
fn environments_of_hosts_tell_keys_that_reach_across() {
    let run = |second: &str| {
        let mut c = case(vec![private(1, KEY)], vec![]).and("db01", vec![private(1, KEY)]);
        let of = |name: &str, environment: &str| ListedHost {
            environment: Some(environment.to_owned()),
            ..listed(name)
        };
        c.hosts = list(vec![of("web01", "prod"), of("db01", second)]);
        of_key(&c.run(), 1).contains("shared_across_environments:high")
    };
    assert!(run("test") && !run("Production"));
}

#[test]
fn the_owner_of_a_host_is_evidence() {
    let mut c = case(vec![private(1, KEY)], vec![]);
    c.hosts = list(vec![ListedHost {
        owner: Some("Ops".to_owned()),
        ..listed("web01")
    }]);
    let said = why(&c.run(), 1, Flag::Unknown);
    assert!(said.ends_with("Ops answers for web01"), "{said}");
}
