//! What policy changes, on both sides of each of its lines.

use super::super::testing::*;
use crate::model::*;
use crate::policy::approval::Step;
use crate::policy::{PlaceRule, Policy};

/// The flags of key 1 by a policy, without an inventory.
fn by(change: impl Fn(&mut Policy), seen: Vec<Sighting>) -> std::collections::BTreeSet<String> {
    of_key(&report_by(change, seen), 1)
}

fn report_by(change: impl Fn(&mut Policy), seen: Vec<Sighting>) -> Report {
    let mut c = case(seen, vec![]);
    c.inventories.clear();
    change(&mut c.policy);
    c.run()
}

fn rsa(bits: u32) -> Sighting {
    let mut s = sighting(Kind::PublicKey, 1, "/srv/a.pub");
    s.bits = Some(bits);
    s
}

fn day(text: &str) -> jiff::civil::Date {
    text.parse().unwrap()
}

/// The time of judgement is 2026-11-24.
#[test]
fn sizes_by_date() {
    let steps = |until: &str| {
        let steps = vec![
            Step::at_least(2048, Some(day(until))),
            Step::at_least(3072, None),
        ];
        move |p: &mut Policy| {
            p.approvals.keys.0.insert("RSA".to_owned(), steps.clone());
        }
    };
    assert_eq!(by(steps("2026-11-24"), vec![rsa(2048)]), set(&[]));
    assert_eq!(
        by(steps("2026-11-24"), vec![rsa(2047)]),
        set(&["weak:high"])
    );
    assert_eq!(
        by(steps("2026-11-23"), vec![rsa(2048)]),
        set(&["weak:high"])
    );
    assert_eq!(by(steps("2026-11-23"), vec![rsa(3072)]), set(&[]));
    let report = report_by(steps("2026-11-23"), vec![rsa(2048)]);
    let said = why(&report, 1, Flag::Weak);
    assert!(
        said.contains("3072") && said.contains("since 2026-11-24"),
        "{said}"
    );
}

#[test]
fn curves_hashes_and_what_ssh_uses() {
    let mut p256 = rsa(256);
    p256.algorithm = Some("EC".into());
    p256.curve = Some("P-256".into());
    let forbid = |p: &mut Policy| {
        p.approvals
            .curves
            .0
            .insert("p256".to_owned(), vec![Step::FORBIDDEN]);
    };
    assert_eq!(by(|_| {}, vec![p256.clone()]), set(&[]));
    assert_eq!(by(forbid, vec![p256]), set(&["weak:high"]));
    assert_eq!(by(forbid, vec![rsa(2048)]), set(&[]));

    let crt = || vec![cert(1, 101, "/etc/a.crt", "2027-08-01")];
    let hash = |name: &'static str| {
        move |p: &mut Policy| {
            p.approvals
                .hashes
                .0
                .insert(name.to_owned(), vec![Step::FORBIDDEN]);
        }
    };
    assert_eq!(by(hash("SHA-256"), crt()), set(&["weak:high"]));
    assert_eq!(by(hash("SHA-384"), crt()), set(&[]));

    let ssh = |p: &mut Policy| {
        p.approvals
            .ssh
            .0
            .insert("RSA".to_owned(), vec![Step::at_least(3072, None)]);
    };
    assert_eq!(by(ssh, vec![rsa(2048)]), set(&[]), "not for SSH");
    let granted = grant(1, "/home/a/.ssh/authorized_keys");
    assert_eq!(by(|_| {}, vec![granted.clone()]), set(&[]));
    assert_eq!(by(ssh, vec![granted.clone()]), set(&["weak:high"]));
    let mut larger = granted;
    larger.bits = Some(3072);
    assert_eq!(by(ssh, vec![larger]), set(&[]));
}

#[test]
fn demands_for_the_time_of_quantum_computers() {
    let of = |algorithm: &'static str| {
        let mut s = rsa(3072);
        s.algorithm = Some(algorithm.into());
        vec![s]
    };
    let signature = |from: &'static str| {
        move |p: &mut Policy| p.approvals.post_quantum.signature_from = Some(day(from))
    };
    let encryption = |from: &'static str| {
        move |p: &mut Policy| p.approvals.post_quantum.encryption_from = Some(day(from))
    };
    assert_eq!(by(signature("2026-11-25"), of("RSA")), set(&[]));
    assert_eq!(by(signature("2026-11-24"), of("RSA")), set(&["weak:high"]));
    assert_eq!(by(signature("2026-11-24"), of("ML-DSA-44")), set(&[]));
    assert_eq!(
        by(signature("2026-11-24"), of("X25519")),
        set(&[]),
        "only agrees"
    );
    assert_eq!(
        by(encryption("2026-11-24"), of("X25519")),
        set(&["weak:high"])
    );
    assert_eq!(by(encryption("2026-11-24"), of("Ed25519")), set(&[]));
    assert_eq!(by(encryption("2026-11-24"), of("ML-KEM-768")), set(&[]));
    let mut secret = sighting(Kind::SymmetricKey, 1, "/srv/k");
    secret.algorithm = Some("AES".into());
    secret.bits = Some(256);
    assert_eq!(
        by(signature("2026-11-24"), vec![secret]),
        set(&[]),
        "a symmetric key withstands"
    );
}

#[test]
fn thresholds_of_ends() {
    let crt = || vec![cert(1, 101, "/etc/a.crt", "2026-12-04")];
    let near = |days: u32, percent: u32| {
        move |p: &mut Policy| {
            p.expiring_days = days;
            p.expiring_early_percent = percent;
        }
    };
    // Ten days and two hours of a year remain: 2.8 %.
    assert_eq!(by(near(11, 25), crt()), set(&["expiring:medium"]));
    assert_eq!(by(near(10, 25), crt()), set(&[]));
    assert_eq!(by(near(11, 2), crt()), set(&["expiring:info"]));
    assert_eq!(by(near(11, 3), crt()), set(&["expiring:medium"]));
}

#[test]
fn severities_by_class() {
    let of = |class: Class| {
        let mut s = with_access(private(1, "/opt/a.key"), vec![Grantee::Others], vec![]);
        s.class = class;
        vec![s]
    };
    let vendor = |p: &mut Policy| {
        p.class_severities
            .insert((Class::Vendor, Flag::Exposed), Severity::Medium);
    };
    let own = |p: &mut Policy| {
        p.class_severities
            .insert((Class::Own, Flag::Exposed), Severity::Low);
    };
    let has = |found: std::collections::BTreeSet<String>, word: &str| found.contains(word);
    assert!(has(by(|_| {}, of(Class::Vendor)), "exposed:info"));
    assert!(has(by(vendor, of(Class::Vendor)), "exposed:medium"));
    assert!(has(by(vendor, of(Class::Dependency)), "exposed:info"));
    assert!(has(by(vendor, of(Class::Own)), "exposed:high"));
    assert!(has(by(own, of(Class::Own)), "exposed:low"));
    // What is info in its case stays so: a group that nobody is in.
    let group = Grantee::Group {
        name: "ssl-cert".to_owned(),
        logins: vec![],
    };
    let seen = with_access(private(1, "/opt/a.key"), vec![group], vec![]);
    assert!(has(by(own, vec![seen]), "exposed:info"));
}

#[test]
fn places_by_policy() {
    let rule = |allow: &[&str], deny: &[&str]| {
        let words = |list: &[&str]| list.iter().map(|&w| w.to_owned()).collect();
        PlaceRule {
            kinds: vec![Kind::PrivateKey],
            allow: words(allow),
            deny: words(deny),
            source: "policy.toml:7".to_owned(),
            ..PlaceRule::default()
        }
    };
    let with = |rule: PlaceRule, path: &str| {
        let report = report_by(|p| p.places = vec![rule.clone()], vec![private(1, path)]);
        of_key(&report, 1).contains("misplaced:medium")
    };
    let allow = || rule(&["/etc/ssl/private/", "web01:/srv/*.key"], &[]);
    assert!(!with(allow(), "/etc/ssl/private/sub/a.key"));
    assert!(!with(allow(), "/srv/a.key"));
    assert!(with(allow(), "/srv/sub/a.key"));
    assert!(with(rule(&["web02:/srv/*.key"], &[]), "/srv/a.key"));
    let deny = || rule(&[], &["/tmp/**"]);
    assert!(with(deny(), "/tmp/a.key") && !with(deny(), "/srv/a.key"));
    // Other kinds are not meant, nor rows of other types.
    let other = PlaceRule {
        kinds: vec![Kind::Certificate],
        ..deny()
    };
    assert!(!with(other, "/tmp/a.key"));
    let typed = |types: Vec<EntryKind>| {
        let mut c = case(vec![private(1, "/tmp/a.key")], vec![by_key("K-1", 1, &[])]);
        c.inventories[0].entries[0].kind = Some(EntryKind::KeyPair);
        c.policy.places = vec![PlaceRule { types, ..deny() }];
        of_key(&c.run(), 1).contains("misplaced:medium")
    };
    assert!(typed(vec![EntryKind::KeyPair]) && !typed(vec![EntryKind::Pgp]));
    let report = report_by(|p| p.places = vec![deny()], vec![private(1, "/tmp/a.key")]);
    let said = why(&report, 1, Flag::Misplaced);
    assert!(
        said.contains("policy.toml:7") && said.contains("web01:/tmp/a.key"),
        "{said}"
    );
}

#[test]
fn places_of_an_environment() {
    let rule = PlaceRule {
        environment: Some("prod".to_owned()),
        deny: vec!["/tmp/**".to_owned()],
        ..PlaceRule::default()
    };
    let misplaced = |environment: &str| {
        let mut c = case(vec![private(1, "/tmp/a.key")], vec![]);
        c.policy.places = vec![rule.clone()];
        c.hosts = Some(HostList {
            name: "hosts.csv".to_owned(),
            hosts: vec![ListedHost {
                name: "web01".to_owned(),
                environment: Some(environment.to_owned()),
                in_scope: true,
                ..ListedHost::default()
            }],
            faults: vec![],
        });
        of_key(&c.run(), 1).contains("misplaced:medium")
    };
    assert!(misplaced("Production") && !misplaced("test"));
}

#[test]
fn the_report_names_its_policy() {
    let report = report_by(
        |p| {
            p.name = "policy.toml".to_owned();
            p.sha256 = "ab".to_owned();
            p.included = vec![("more.toml".to_owned(), "cd".to_owned())];
        },
        vec![],
    );
    let policy = report.policy.unwrap();
    assert_eq!(
        (policy.name.as_str(), policy.sha256.as_str()),
        ("policy.toml", "ab")
    );
    assert_eq!(policy.included[0].name, "more.toml");
}
