//! SSH trust: orphans, closed and limited grants, certificates of authorities, known hosts, environments.

use super::super::testing::*;
use crate::model::*;
use std::collections::BTreeSet;

/// A grant for an account, as a sweep of today tells it.
fn opens(mut s: Sighting, account: &str, uid: u32) -> Sighting {
    let ssh = s.ssh.as_mut().unwrap();
    ssh.read_by_sshd = Some(true);
    ssh.change(|rare| rare.directive = Some("AuthorizedKeysFile".to_owned()));
    ssh.opens = [Opens {
        account: account.into(),
        uid,
        ..Opens::default()
    }]
    .into();
    s
}

fn carols(n: u8) -> Sighting {
    opens(grant(n, "/home/carol/.ssh/authorized_keys"), "carol", 1000)
}

fn roots(n: u8) -> Sighting {
    opens(grant(n, "/root/.ssh/authorized_keys"), "root", 0)
}

fn with(mut s: Sighting, change: impl FnOnce(&mut Ssh)) -> Sighting {
    change(s.ssh.get_or_insert_default());
    s
}

fn options(s: Sighting, text: &str) -> Sighting {
    with(s, |ssh| ssh.options = Some(text.into()))
}

/// The flags of key 1, seen on `web01`, with a second host and an inventory with a row for another key.
fn judged(seen: Vec<Sighting>) -> BTreeSet<String> {
    of_key(&two(seen).run(), 1)
}

fn two(seen: Vec<Sighting>) -> Case {
    case(seen, vec![by_key("K-9", 9, &["web01:/etc/nine"])]).and("db01", vec![])
}

const REFUSAL: &str = "no-port-forwarding,no-agent-forwarding,no-X11-forwarding,command=\"echo 'Please login as the user \\\"debian\\\".';echo;sleep 10;exit 142\"";

#[test]
fn an_orphan_by_what_it_grants() {
    assert_eq!(judged(vec![carols(1)]), set(&["access_orphan:medium"]));
    assert_eq!(judged(vec![roots(1)]), set(&["access_orphan:high"]));
    assert_eq!(
        judged(vec![options(roots(1), "command=\"/usr/bin/backup\"")]),
        set(&["access_orphan:low"])
    );
    // What it may not do beside its session makes it no less.
    assert_eq!(
        judged(vec![options(roots(1), "restrict,pty,from=\"10.0.0.1\"")]),
        set(&["access_orphan:high"])
    );
    let unread = with(roots(1), |ssh| ssh.read_by_sshd = Some(false));
    assert_eq!(judged(vec![unread.clone()]), set(&["access_orphan:info"]));
    let refused = with(roots(1), |ssh| {
        ssh.opens[0].refused = Some("PermitRootLogin no".into());
    });
    assert_eq!(judged(vec![refused]), set(&["access_orphan:info"]));
    // The gravest of several decides.
    assert_eq!(
        judged(vec![unread, carols(1)]),
        set(&["access_orphan:medium"])
    );
    // Another name with number 0 is root too.
    let toor = opens(grant(1, "/home/toor/.ssh/authorized_keys"), "toor", 0);
    assert_eq!(judged(vec![toor]), set(&["access_orphan:high"]));
}

#[test]
fn a_grant_in_an_archive_opens_nothing() {
    let mut stored = carols(1);
    let inside = [Member::named("tar", b"home.tar")].into();
    stored.location.change(|rare| rare.inside = inside);
    assert_eq!(judged(vec![stored]), set(&["access_orphan:info"]));
}

#[test]
fn no_orphan_where_the_private_key_is_seen_or_registered() {
    let held = |host: &str| {
        let key = private(1, "/home/ada/.ssh/id_rsa");
        let key = Sighting {
            protection: Some(Protection::Encrypted),
            ..key
        };
        let case = case(vec![carols(1)], vec![by_key("K-9", 9, &[])]);
        of_key(&case.and(host, vec![key]).run(), 1)
    };
    assert_eq!(held("db01"), set(&["unknown:high"]));
    let mut registered = two(vec![carols(1)]);
    registered.inventories[0]
        .entries
        .push(by_key("K-1", 1, &["web01"]));
    assert_eq!(of_key(&registered.run(), 1), set(&[]));
    // An encrypted key beside which the public half lies probably is it.
    let mut closed = private(2, "/home/ada/.ssh/old.pem");
    closed.key_id = Some(KeyId::Opaque(digest(2)));
    closed.probable_key = Some(Box::new(key_id(1)));
    closed.protection = Some(Protection::Encrypted);
    assert_eq!(judged(vec![carols(1), closed]), set(&["unknown:high"]));
}

#[test]
fn one_host_is_too_few_unless_it_is_all_of_the_estate() {
    let alone = || case(vec![carols(1)], vec![by_key("K-9", 9, &[])]);
    assert_eq!(of_key(&alone().run(), 1), set(&["unknown:high"]));
    let mut whole = alone();
    whole.estate = true;
    let report = whole.run();
    assert_eq!(of_key(&report, 1), set(&["access_orphan:medium"]));
    assert_eq!(
        why(&report, 1, Flag::AccessOrphan),
        "opens carol on web01 (/home/carol/.ssh/authorized_keys); its private key was not seen on the one host swept, which is all of the estate, and no row names it"
    );
    assert_eq!(report.access[0].orphan, Some(true));
    // Without an inventory nothing is registered anywhere: only who says that this is all may conclude.
    let mut bare = two(vec![carols(1)]);
    bare.inventories.clear();
    let report = bare.run();
    assert_eq!(of_key(&report, 1), set(&[]));
    assert_eq!(report.access[0].orphan, None);
    let mut bare = two(vec![carols(1)]);
    bare.inventories.clear();
    bare.estate = true;
    assert_eq!(of_key(&bare.run(), 1), set(&["access_orphan:medium"]));
}

#[test]
fn weak_evidence_goes_before_an_orphan() {
    let row = entry("K-1", vec![Identifier::Ski("aabb".into())], &[]);
    let mut seen = carols(1);
    seen.fingerprints.change(|f| f.ski = Some("aabb".into()));
    let flags = of_key(&case(vec![seen], vec![row]).and("db01", vec![]).run(), 1);
    assert!(
        !flags.iter().any(|f| f.starts_with("access_orphan")),
        "{flags:?}"
    );
    assert!(
        flags.iter().any(|f| f.starts_with("ambiguous")),
        "{flags:?}"
    );
}

#[test]
fn a_line_that_only_refuses_is_no_grant() {
    let seen = options(roots(1), REFUSAL);
    let report = two(vec![seen.clone()]).run();
    assert_eq!(of_key(&report, 1), set(&["unknown:info"]));
    assert_eq!(report.access[0].state, AccessState::Disabled);
    // Beside a real grant it takes nothing away.
    assert_eq!(
        judged(vec![seen.clone(), carols(1)]),
        set(&["access_orphan:medium"])
    );
    // A row that says destroyed is not contradicted by it.
    let row = |state| Entry {
        state: Some(state),
        ..by_key("K-1", 1, &["web01"])
    };
    let gone = case(vec![seen], vec![row(State::Destroyed)]).run();
    assert_eq!(of_key(&gone, 1), set(&["state_conflict:info"]));
    let still = case(vec![roots(1)], vec![row(State::Destroyed)]).run();
    assert_eq!(of_key(&still, 1), set(&["state_conflict:high"]));
}

#[test]
fn a_grant_that_has_ended_opens_nothing() {
    let until = |end: &str| {
        with(carols(1), |ssh| {
            ssh.change(|rare| rare.valid_before = Some(at(end)))
        })
    };
    let state = |s: Sighting| two(vec![s]).run().access[0].state;
    assert_eq!(state(until(NOW)), AccessState::Expired);
    assert_eq!(state(until("2026-11-24T10:00:01Z")), AccessState::Open);
    assert_eq!(
        judged(vec![until("2026-01-01")]),
        set(&["access_orphan:info", "expired:high"])
    );
}

#[test]
fn a_sweep_of_before_tells_by_the_home() {
    let mut old = grant(1, "/root/.ssh/authorized_keys");
    file(&mut old).home_of = Some("root".into());
    let report = two(vec![old]).run();
    assert_eq!(of_key(&report, 1), set(&["access_orphan:high"]));
    let access = &report.access[0];
    assert_eq!(
        (access.account.as_deref(), access.uid),
        (Some("root"), Some(0))
    );
}

/// Key 1 signs; key 2 has a certificate for `ops` on `db01`.
fn authority(change: impl FnOnce(&mut Ssh), certificate: impl FnOnce(&mut Ssh)) -> Report {
    let mut ca = carols(1);
    ca.fingerprints
        .change(|f| f.ssh_sha256 = Some(SshSha256([0xca; 32])));
    let ca = with(ca, |ssh| {
        ssh.change(|rare| rare.marker = Some("cert-authority".to_owned()));
        change(ssh);
    });
    let user = with(
        sighting(Kind::SshCertificate, 2, "/home/eve/id-cert.pub"),
        |ssh| {
            ssh.change(|rare| rare.certificate_type = Some("user".to_owned()));
            ssh.change(|rare| rare.signed_by = Some(SshSha256([0xca; 32]).to_string()));
            ssh.change(|rare| rare.certificate_key_id = Some("eve".to_owned()));
            ssh.change(|rare| rare.principals = vec!["carol".to_owned()]);
            ssh.change(|rare| rare.valid_before = Some(at("2027-01-01")));
            certificate(ssh);
        },
    );
    let mut private = private(2, "/home/eve/id");
    private.protection = Some(Protection::Encrypted);
    let case = case(vec![ca], vec![by_key("K-9", 9, &[])]);
    case.and("db01", vec![user, private]).run()
}

fn by_certificate(report: &Report) -> Vec<(AccessState, &str)> {
    let all = report.access.iter().filter(|a| a.via == Via::Certificate);
    all.map(|a| (a.state, a.account.as_deref().unwrap()))
        .collect()
}

#[test]
fn a_certificate_opens_what_its_authority_may() {
    let plain = authority(|_| (), |_| ());
    assert_eq!(by_certificate(&plain), [(AccessState::Open, "carol")]);
    let access = plain
        .access
        .iter()
        .find(|a| a.via == Via::Certificate)
        .unwrap();
    assert_eq!(access.key_id, key_id(2));
    assert_eq!(access.authority, Some(key_id(1)));
    assert_eq!(access.held_at, ["db01:/home/eve/id"]);
    assert_eq!(access.host, "web01");
    assert_eq!(of_key(&plain, 1), set(&["access_orphan:medium"]));

    let none: [(AccessState, &str); 0] = [];
    let other = |ssh: &mut Ssh| ssh.change(|rare| rare.principals = vec!["dave".to_owned()]);
    assert_eq!(by_certificate(&authority(|_| (), other)), none);
    assert_eq!(
        by_certificate(&authority(
            |ssh| ssh.change(|rare| rare.principals = vec!["dave".to_owned()]),
            other
        )),
        [(AccessState::Open, "carol")]
    );
    let host = |ssh: &mut Ssh| ssh.change(|rare| rare.certificate_type = Some("host".to_owned()));
    assert_eq!(by_certificate(&authority(|_| (), host)), none);
    let ended = |ssh: &mut Ssh| ssh.change(|rare| rare.valid_before = Some(at(NOW)));
    assert_eq!(
        by_certificate(&authority(|_| (), ended)),
        [(AccessState::Expired, "carol")]
    );
    let forced = |ssh: &mut Ssh| {
        ssh.change(|rare| rare.extensions = vec!["force-command=/bin/date".to_owned()])
    };
    assert_eq!(
        by_certificate(&authority(|_| (), forced)),
        [(AccessState::Command, "carol")]
    );
}

#[test]
fn a_certificate_without_names() {
    let nameless = |ssh: &mut Ssh| ssh.change(|rare| rare.principals.clear());
    assert_eq!(
        by_certificate(&authority(|_| (), nameless)),
        [(AccessState::Open, "carol")]
    );
    let trusted = |ssh: &mut Ssh| {
        ssh.change(|rare| rare.directive = Some("TrustedUserCAKeys".to_owned()));
        ssh.opens[0].principals = ["carol".to_owned()].into();
    };
    assert!(by_certificate(&authority(trusted, nameless)).is_empty());
    assert_eq!(by_certificate(&authority(trusted, |_| ())).len(), 1);
    let named = |ssh: &mut Ssh| ssh.change(|rare| rare.principals = vec!["carol".to_owned()]);
    assert!(by_certificate(&authority(named, nameless)).is_empty());
}

fn host_key(n: u8, name: &str) -> Sighting {
    let mut s = private(n, &format!("/etc/ssh/ssh_host_{name}_key"));
    s.algorithm = Some(if name == "rsa" { "RSA" } else { "Ed25519" }.into());
    s
}

fn known(n: u8, hosts: &str) -> Sighting {
    let s = sighting(Kind::KnownHost, n, "/home/ada/.ssh/known_hosts");
    with(s, |ssh| {
        ssh.hosts = hosts.split(',').map(Box::from).collect();
    })
}

/// The flags of key 1 that say that it is no key of `db01.example.test`, which has host key 2 (RSA).
fn contradicted(seen: Vec<Sighting>) -> Vec<String> {
    let mut c = case(seen, vec![]).and("db01.example.test", vec![host_key(2, "rsa")]);
    c.inventories.clear();
    let flags = of_key(&c.run(), 1);
    flags
        .into_iter()
        .filter(|f| f.starts_with("mismatch"))
        .collect()
}

#[test]
fn a_known_host_that_has_other_keys() {
    let one = |hosts: &str| contradicted(vec![known(1, hosts)]);
    assert_eq!(one("db01.example.test"), ["mismatch:medium"]);
    assert_eq!(one("other,DB01.example.test"), ["mismatch:medium"]);
    assert_eq!(one("[db01.example.test]:22"), ["mismatch:medium"]);
    // Only the first label agrees.
    assert_eq!(one("db01"), ["mismatch:low"]);
    assert_eq!(one("*.example.test"), ["mismatch:medium"]);
    let none: [&str; 0] = [];
    for hosts in [
        "web02",
        "[db01.example.test]:2222",
        "*.example.test,!db01.*",
        "db01.elsewhere.test",
        "|1|AAAA|not base64",
        "|1|",
    ] {
        assert_eq!(one(hosts), none, "{hosts}");
    }
}

#[test]
fn a_hashed_name_is_known_again() {
    // ssh-keygen -H on a line for db01.example.test
    const HASHED: &str = "|1|CojHXkdRIsxHBIaiZXhvCOuGCOs=|Es1KynR9YhBp+ZroI4st0RqBUqo=";
    assert_eq!(contradicted(vec![known(1, HASHED)]), ["mismatch:medium"]);
    let other = HASHED.replace("|Es1K", "|Es1A");
    assert!(contradicted(vec![known(1, &other)]).is_empty());
}

#[test]
fn what_a_known_host_may_say() {
    // The right key stands beside the stale one.
    let both = vec![known(1, "db01.example.test"), known(2, "db01.example.test")];
    assert!(contradicted(both).is_empty());
    // An authority stands for every host that it signs for.
    let ca = with(known(1, "*.example.test"), |ssh| {
        ssh.change(|rare| rare.marker = Some("cert-authority".to_owned()));
    });
    assert!(contradicted(vec![ca]).is_empty());
    // Another sort of key: the host may have had it, and has it no more.
    let mut other = known(1, "db01.example.test");
    other.algorithm = Some("Ed25519".into());
    assert_eq!(contradicted(vec![other]), ["mismatch:low"]);
    // A revoked key that the host still has.
    let revoked = |n| {
        with(known(n, "db01.example.test"), |ssh| {
            ssh.change(|rare| rare.marker = Some("revoked".to_owned()));
        })
    };
    assert!(contradicted(vec![revoked(1)]).is_empty());
    let mut c = case(vec![revoked(2)], vec![]).and("db01.example.test", vec![host_key(2, "rsa")]);
    c.inventories.clear();
    let report = c.run();
    assert!(of_key(&report, 2).contains("mismatch:medium"));
    assert_eq!(
        why(&report, 2, Flag::Mismatch),
        "web01:/home/ada/.ssh/known_hosts marks it as revoked, and db01.example.test still has it"
    );
}

#[test]
fn a_host_whose_keys_were_not_seen_contradicts_nothing() {
    let mut c = case(vec![known(1, "db01")], vec![]).and("db01", vec![]);
    c.inventories.clear();
    assert_eq!(of_key(&c.run(), 1), set(&[]));
    // Nor does one whose keys could not all be read, by a key of another sort.
    let mut other = known(1, "web01");
    other.algorithm = Some("Ed25519".into());
    let mut c = case(vec![host_key(2, "rsa"), other], vec![]);
    c.inventories.clear();
    let c = c.gap("/etc/ssh/ssh_host_ed25519_key", GapReason::PermissionDenied);
    assert_eq!(of_key(&c.run(), 1), set(&[]));
}

fn in_environment(id: &str, n: u8, host: &str, environment: &str) -> Entry {
    Entry {
        environment: Some(environment.into()),
        ..by_key(id, n, &[host])
    }
}

/// The flags of key 1, held on `web01` and granted on `db01`, of these environments.
fn across(held: &str, opened: &str, change: impl FnOnce(&mut Ssh)) -> BTreeSet<String> {
    let rows = vec![
        in_environment("K-8", 8, "web01", held),
        in_environment("K-9", 9, "db01", opened),
    ];
    let mut key = private(1, "/home/ada/.ssh/id_rsa");
    key.protection = Some(Protection::Encrypted);
    let report = case(vec![key], rows)
        .and("db01", vec![with(carols(1), change)])
        .run();
    let flags = of_key(&report, 1);
    flags
        .into_iter()
        .filter(|f| f.starts_with("shared"))
        .collect()
}

#[test]
fn a_test_key_that_opens_production() {
    let reaches = set(&["shared_across_environments:high"]);
    assert_eq!(across("test", "production", |_| ()), reaches);
    assert_eq!(across("test", "staging", |_| ()), reaches);
    assert_eq!(across("test", "tst", |_| ()), set(&[]));
    // Production's own keys may reach the rest, and what opens nothing reaches nothing.
    assert_eq!(across("prod", "test", |_| ()), set(&[]));
    assert_eq!(
        across("test", "production", |ssh| ssh.read_by_sshd = Some(false)),
        set(&[])
    );
}

#[test]
fn host_keys_cloned_with_an_image() {
    let public = |n| {
        let mut s = sighting(Kind::PublicKey, n, "/etc/ssh/ssh_host_rsa_key.pub");
        file(&mut s).mode = Mode(0o0644);
        s
    };
    let shared = |a: Sighting, b: Sighting| {
        let mut c = case(vec![a], vec![]).and("db01", vec![b]);
        c.inventories.clear();
        of_key(&c.run(), 1).iter().any(|f| f == "shared:high")
    };
    assert!(shared(host_key(1, "rsa"), host_key(1, "rsa")));
    // By the public half, where the private one may not be read.
    assert!(shared(public(1), public(1)));
    assert!(!shared(public(1), known(1, "web01")));
    let mut elsewhere = public(1);
    elsewhere.location.path = "/srv/images/ssh_host_rsa_key.pub".into();
    assert!(!shared(public(1), elsewhere));
}

#[test]
fn the_graph_is_counted() {
    let report = two(vec![
        roots(1),
        options(carols(2), REFUSAL),
        options(carols(3), "restrict,command=\"/bin/date\""),
    ])
    .run();
    let ssh = &report.summary.metrics["ssh"];
    let count = |name: &str| ssh[name].as_u64().unwrap();
    assert_eq!(
        (
            count("accesses"),
            count("to_root"),
            count("orphans"),
            count("without_effect")
        ),
        (2, 1, 2, 1)
    );
    let text = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
}
