//! Flags that rest on what was found alone.

use super::super::testing::*;
use crate::model::*;

const KEY: &str = "/etc/ssl/private/shop.key";
const CRT: &str = "/etc/tls/shop.crt";
const FAR: &str = "2027-08-01";

/// The flags of key 1 without an inventory.
fn alone(seen: Vec<Sighting>) -> std::collections::BTreeSet<String> {
    let mut c = case(seen, vec![]);
    c.inventories.clear();
    of_key(&c.run(), 1)
}

fn valid(from: &str, until: &str) -> Sighting {
    let mut s = cert(1, 101, CRT, until);
    facts(&mut s).not_before = Some(at(from));
    s
}

#[test]
fn the_end_of_a_certificate() {
    // Judged on 2026-11-24 at 10:00; 30 days reach to 2026-12-24 at 10:00.
    for (from, until, expected) in [
        ("2025-11-24", "2026-11-24T09:59:59Z", Some("expired:high")),
        ("2025-11-24", "2026-11-24T10:00:00Z", Some("expiring:medium")),
        ("2025-12-24", "2026-12-24T10:00:00Z", Some("expiring:medium")),
        ("2025-12-24", "2026-12-24T10:00:01Z", None),
        // 90 days: a quarter is 22.5 days.
        ("2026-09-18T10:00:00Z", "2026-12-17T10:00:00Z", Some("expiring:info")),
        ("2026-09-17T10:00:00Z", "2026-12-16T10:00:00Z", Some("expiring:medium")),
        ("2026-11-25", "2027-11-25", Some("not_yet_valid:low")),
        ("2026-11-24T10:00:00Z", "2027-11-25", None),
    ] {
        let expected = expected.map(|e| set(&[e])).unwrap_or_default();
        let mut flags = alone(vec![valid(from, until)]);
        // 2026-12-16 10:00 is 22 days ahead: less than a quarter.
        flags.retain(|_| true);
        assert_eq!(flags, expected, "{from} {until}");
    }
    let mut c = case(vec![valid("2025-01-31", "2026-01-31")], vec![]);
    c.inventories.clear();
    let report = c.run();
    let short = "65".repeat(4);
    assert_eq!(
        why(&report, 1, Flag::Expired),
        format!("certificate {short}… (CN=shop.example,O=Shop) expired 2026-01-31, 297 days ago")
    );
    assert_eq!(report.keys[0].flags[0].cert_sha256, Some("65".repeat(32)));
    assert_eq!(report.keys[0].flags[0].entry, None);
}

#[test]
fn superseded_and_historic_ends_are_info() {
    let old = cert(1, 101, "/etc/tls/old.crt", "2026-10-01");
    let same_key = cert(1, 102, "/etc/tls/new.crt", FAR);
    assert_eq!(alone(vec![old.clone(), same_key]), set(&["expired:info"]));
    // Another key: the same subject, names and issuer replace; other names or issuers do not.
    let new = cert(2, 102, "/srv/new.crt", FAR);
    assert_eq!(alone(vec![old.clone(), new.clone()]), set(&["expired:info"]));
    for change in [
        (|c: &mut Certificate| c.issuer = "CN=Other".to_owned()) as fn(&mut Certificate),
        |c| c.subject = "CN=other".to_owned(),
        |c| c.sans = vec!["DNS:other".to_owned()],
        |c| c.not_before = Some(at("2020-01-01")),
    ] {
        let mut other = new.clone();
        change(facts(&mut other));
        assert_eq!(alone(vec![old.clone(), other]), set(&["expired:high"]));
    }
    // Seen there: on another host it replaces nothing here.
    let mut c = case(vec![old.clone()], vec![]).and("web02", vec![new.clone()]);
    c.inventories.clear();
    assert_eq!(of_key(&c.run(), 1), set(&["expired:high"]));
    // Recorded.
    let row = Entry {
        subject: Some("CN=shop.example,O=Shop".to_owned()),
        issuer: Some("CN=CA".to_owned()),
        expires: Some(date(FAR)),
        ..by_cert("K-1", 102, &[])
    };
    assert!(of_key(&case(vec![old.clone()], vec![row]).run(), 1).contains("expired:info"));
    // In an archive only, but not in a program.
    let member = |path: &str| {
        let mut s = old.clone();
        s.location.path = path.to_owned();
        s.location.inside = vec![Member {
            container: "zip".to_owned(),
            name: Some("a.crt".to_owned()),
            name_bytes: None,
            offset: None,
        }];
        s
    };
    assert_eq!(alone(vec![member("/srv/a.zip")]), set(&["expired:info"]));
    assert_eq!(alone(vec![member("/srv/a.zip"), old.clone()]), set(&["expired:high"]));
    assert_eq!(alone(vec![member("/srv/app.jar")]), set(&["expired:high"]));
    let anchor = Sighting { class: Class::TrustAnchor, ..old };
    assert_eq!(alone(vec![anchor]), set(&["expired:info"]));
}

#[test]
fn self_signed_namesakes_replace_one_another_in_one_directory_only() {
    let make = |n: u8, c: u8, path: &str, end: &str| {
        let mut s = cert(n, c, path, end);
        facts(&mut s).issuer = facts(&mut s).subject.clone();
        s
    };
    let old = make(1, 101, "/etc/a/x.crt", "2026-10-01");
    assert_eq!(alone(vec![old.clone(), make(2, 102, "/etc/a/y.crt", FAR)]), set(&["expired:info"]));
    assert_eq!(alone(vec![old, make(2, 102, "/etc/b/x.crt", FAR)]), set(&["expired:high"]));
}

#[test]
fn ends_of_ssh_certificates_and_grants() {
    let ends = |kind: Kind, path: &str, end: &str| {
        let mut s = grant(1, path);
        s.kind = kind;
        s.ssh = Some(Box::new(Ssh {
            valid_after: Some(at("2026-01-01")),
            valid_before: Some(at(end)),
            ..Ssh::default()
        }));
        s
    };
    let file = "/home/a/.ssh/authorized_keys";
    assert_eq!(alone(vec![ends(Kind::AuthorizedKey, file, "2026-11-01")]), set(&["expired:high"]));
    assert_eq!(alone(vec![ends(Kind::AuthorizedKey, file, FAR)]), set(&[]));
    let old = ends(Kind::SshCertificate, "/home/a/.ssh/old-cert.pub", "2026-11-01");
    let new = ends(Kind::SshCertificate, "/home/a/.ssh/new-cert.pub", FAR);
    assert_eq!(alone(vec![old.clone()]), set(&["expired:high"]));
    assert_eq!(alone(vec![old, new]), set(&["expired:info"]));
}

#[test]
fn a_row_decides_only_where_no_certificate_was_seen() {
    let row = |end: &str| Entry { expires: Some(date(end)), ..by_key("K-1", 1, &[]) };
    let bare = || vec![grant(1, "/root/.ssh/authorized_keys")];
    for (end, expected) in [
        ("2026-11-23", set(&["expired:high"])),
        ("2026-11-24", set(&["expiring:medium"])),
        (FAR, set(&[])),
    ] {
        let report = case(bare(), vec![row(end)]).run();
        assert_eq!(of_key(&report, 1), expected, "{end}");
        assert_eq!(of_entry(&report, "K-1").1, expected);
    }
    let seen = vec![cert(1, 101, CRT, FAR)];
    assert_eq!(of_key(&case(seen, vec![row("2026-11-23")]).run(), 1), set(&["mismatch:medium"]));
}

#[test]
fn private_keys_whose_certificates_have_ended() {
    let public = sighting(Kind::PublicKey, 1, "/etc/tls/a.pub");
    let old = || cert(1, 101, CRT, "2026-10-01");
    assert_eq!(alone(vec![private(1, KEY), old()]), set(&["expired:high", "residual_private:medium"]));
    assert_eq!(alone(vec![private(1, KEY), cert(1, 101, CRT, FAR)]), set(&[]));
    assert_eq!(alone(vec![private(1, KEY), public]), set(&[]), "no certificate is known");
    assert_eq!(alone(vec![old()]), set(&["expired:high"]), "no private key remains");
    let live = cert(1, 102, "/srv/b.crt", FAR);
    assert_eq!(alone(vec![private(1, KEY), old(), live]), set(&["expired:info"]));
    let mut closing = old();
    facts(&mut closing).key_usage = vec!["keyEncipherment".to_owned()];
    assert_eq!(alone(vec![private(1, KEY), closing]), set(&["expired:high"]), "it only decrypts");
    let replaced = cert(2, 102, "/srv/b.crt", FAR);
    assert_eq!(
        alone(vec![private(1, KEY), old(), replaced]),
        set(&["expired:info", "residual_private:info"])
    );
    // A certificate that only an entry knows.
    let row = Entry { expires: Some(date(FAR)), ..by_key("K-1", 1, &[]) };
    let flags = of_key(&case(vec![private(1, KEY), old()], vec![row]).run(), 1);
    assert!(!flags.iter().any(|f| f.starts_with("residual")), "{flags:?}");
}

fn group(logins: &[&str]) -> Grantee {
    Grantee::Group { name: "ssl".to_owned(), logins: logins.iter().map(|&l| l.to_owned()).collect() }
}

#[test]
fn exposed_by_degree() {
    let public = || sighting(Kind::PublicKey, 1, "/etc/tls/a.pub");
    let run = |s: Sighting| alone(vec![s, public()]);
    let user = |login| Grantee::User { name: "bob".to_owned(), login };
    for (read, replace, expected) in [
        (vec![], vec![], None),
        (vec![Grantee::Others], vec![], Some("exposed:high")),
        (vec![], vec![Grantee::Others], Some("exposed:high")),
        (vec![group(&["bob"])], vec![], Some("exposed:medium")),
        (vec![], vec![group(&["bob"])], Some("exposed:medium")),
        (vec![group(&[])], vec![], Some("exposed:info")),
        (vec![group(&[])], vec![Grantee::Others], Some("exposed:high")),
        (vec![user(true)], vec![], Some("exposed:medium")),
        (vec![user(false)], vec![], Some("exposed:info")),
    ] {
        let expected = expected.map(|e| set(&[e])).unwrap_or_default();
        assert_eq!(run(with_access(private(1, KEY), read, replace)), expected);
    }
    let open = || with_access(private(1, KEY), vec![Grantee::Others], vec![]);
    assert_eq!(run(Sighting { protection: Some(Protection::Encrypted), ..open() }), set(&[]));
    assert_eq!(alone(vec![Sighting { kind: Kind::PublicKey, ..open() }]), set(&[]));
    assert_eq!(run(Sighting { class: Class::Dependency, ..open() }), set(&[]), "the own sighting judges");
    assert_eq!(
        alone(vec![Sighting { class: Class::Dependency, ..open() }]),
        set(&["exposed:info", "unpaired:info"])
    );
    let mut mode_only = private(1, KEY);
    mode_only.file.as_mut().unwrap().access = None;
    assert_eq!(run(mode_only.clone()), set(&[]));
    mode_only.file.as_mut().unwrap().mode = "0644".to_owned();
    assert_eq!(run(mode_only), set(&["exposed:high"]));
}

#[test]
fn tamperable_trust() {
    let anyone = || vec![Grantee::Others];
    let anchor = "/usr/local/share/ca-certificates/corp.crt";
    for (seen, expected) in [
        (grant(1, "/home/a/.ssh/authorized_keys"), true),
        (cert(1, 101, anchor, FAR), true),
        (sighting(Kind::PublicKey, 1, "/etc/ssh/user_ca.pub"), true),
        (sighting(Kind::PublicKey, 1, "/etc/ssh/ssh_host_rsa_key.pub"), false),
        (cert(1, 101, "/etc/ssl/certs/shop.crt", FAR), false),
        (cert(1, 101, CRT, FAR), false),
        (sighting(Kind::KnownHost, 1, "/etc/ssh/ssh_known_hosts"), false),
    ] {
        let path = seen.location.path.clone();
        assert_eq!(alone(vec![seen.clone()]), set(&[]), "{path}");
        let expected = if expected { set(&["tamperable:high"]) } else { set(&[]) };
        assert_eq!(alone(vec![with_access(seen, vec![], anyone())]), expected, "{path}");
    }
    let mut own = grant(1, "/home/ada/.ssh/authorized_keys");
    own.file.as_mut().unwrap().home_of = Some("ada".into());
    let by = |g: Grantee| alone(vec![with_access(own.clone(), vec![], vec![g])]);
    assert_eq!(by(Grantee::User { name: "ada".to_owned(), login: true }), set(&[]), "it is hers");
    assert_eq!(by(group(&["ada"])), set(&[]));
    assert_eq!(by(group(&["ada", "bob"])), set(&["tamperable:high"]));
    assert_eq!(by(Grantee::User { name: "bob".to_owned(), login: true }), set(&["tamperable:high"]));
}

#[test]
fn keys_without_passphrase() {
    let ssh = |path: &str| {
        let mut s = private(1, path);
        s.format = "openssh_private".into();
        s.file.as_mut().unwrap().uid = 33;
        s
    };
    let public = || sighting(Kind::PublicKey, 1, "/etc/tls/a.pub");
    for (path, expected) in [
        ("/home/ada/.ssh/id_ed25519", true),
        ("/root/.ssh/id_rsa", true),
        ("/tmp/id_rsa", true),
        ("/srv/share/deploy", true),
        ("/var/backups/web/deploy", true),
        ("/etc/deploy.key.bak", true),
        ("/srv/app/.git/keys/deploy", true),
        ("/etc/ssh/ssh_host_rsa_key", false),
        ("/var/backups/ssh/ssh_host_rsa_key", false),
        ("/var/lib/jenkins/.ssh/id_rsa", false),
        ("/etc/deploy/key", false),
        ("/srv/app/key", false),
    ] {
        let expected = if expected { set(&["unprotected:medium"]) } else { set(&[]) };
        assert_eq!(alone(vec![ssh(path), public()]), expected, "{path}");
    }
    let closed = Sighting { protection: Some(Protection::Encrypted), ..ssh("/root/.ssh/id_rsa") };
    assert_eq!(alone(vec![closed, public()]), set(&[]));
    // A TLS key in a home is none, unless it is used for SSH.
    assert_eq!(alone(vec![private(1, "/home/ada/tls.key"), public()]), set(&[]));
    let used = vec![private(1, "/home/ada/aws.pem"), grant(1, "/etc/grants")];
    assert_eq!(alone(used), set(&["unprotected:medium"]));
    let mut home = ssh("/export/people/ada/key");
    home.file.as_mut().unwrap().home_of = Some("ada".into());
    assert_eq!(alone(vec![home.clone(), public()]), set(&[]), "a service's number");
    home.file.as_mut().unwrap().uid = 1000;
    assert_eq!(alone(vec![home, public()]), set(&["unprotected:medium"]));
}

#[test]
fn weak_against_policy() {
    let key = |algorithm: &'static str, bits: u32| {
        let mut s = cert(1, 101, CRT, FAR);
        s.algorithm = Some(algorithm.into());
        s.bits = Some(bits);
        s
    };
    for (algorithm, bits, expected) in [
        ("RSA", 2048, false),
        ("RSA", 2047, true),
        ("RSASSA-PSS", 1024, true),
        ("EC", 224, false),
        ("EC", 192, true),
        ("DSA", 3072, true),
        ("Ed25519", 256, false),
        ("ML-DSA-44", 10496, false),
    ] {
        let expected = if expected { set(&["weak:high"]) } else { set(&[]) };
        assert_eq!(alone(vec![key(algorithm, bits)]), expected, "{algorithm} {bits}");
    }
    let signed = |with: &str, change: fn(&mut Certificate)| {
        let mut s = cert(1, 101, CRT, FAR);
        facts(&mut s).signature_algorithm = with.to_owned();
        change(facts(&mut s));
        alone(vec![s])
    };
    for weak in ["sha1WithRSAEncryption", "md5WithRSAEncryption", "md2WithRSAEncryption", "ecdsa-with-SHA1"] {
        assert_eq!(signed(weak, |_| ()), set(&["weak:high"]), "{weak}");
    }
    assert_eq!(signed("ecdsa-with-SHA256", |_| ()), set(&[]));
    let anchor = |c: &mut Certificate| {
        c.is_ca = true;
        c.self_signed = true;
    };
    assert_eq!(signed("sha1WithRSAEncryption", anchor), set(&[]));
    assert_eq!(signed("sha1WithRSAEncryption", |c| c.is_ca = true), set(&["weak:high"]));
}

#[test]
fn shared_over_hosts_and_owners() {
    let run = |rows: Vec<Entry>, second: bool| {
        let c = case(vec![private(1, KEY), sighting(Kind::PublicKey, 1, "/a.pub")], rows);
        let c = if second { c.and("web02", vec![private(1, KEY)]) } else { c };
        let mut flags = of_key(&c.run(), 1);
        flags.retain(|f| f.starts_with("shared"));
        flags
    };
    let both = &["web01:/etc/ssl/private/shop.key", "web02:/etc/ssl/private/shop.key"];
    assert_eq!(run(vec![by_key("K-1", 1, both)], true), set(&[]));
    assert_eq!(run(vec![by_key("K-1", 1, &both[..1])], true), set(&["shared:high"]));
    assert_eq!(run(vec![by_key("K-1", 1, &both[..1])], false), set(&[]));
    let told = |n| Entry { allowed_hosts: Some(n), ..by_key("K-1", 1, both) };
    assert_eq!(run(vec![told(1)], true), set(&["shared:high"]));
    assert_eq!(run(vec![told(2)], true), set(&[]));
    assert_eq!(run(vec![by_key("K-1", 1, &both[..1]), by_key("K-2", 1, &both[1..])], true), set(&[]));
    assert_eq!(run(vec![], true), set(&[]), "no entry allows or forbids");
    let owner = |id: &str, owner: &str| Entry { owner: Some(owner.to_owned()), ..by_key(id, 1, both) };
    assert_eq!(run(vec![owner("K-1", "Ada"), owner("K-2", " ada ")], false), set(&[]));
    assert_eq!(run(vec![owner("K-1", "Ada"), owner("K-2", "Bob")], false), set(&["shared:high"]));
}

#[test]
fn host_keys_on_several_machines() {
    let host_key = || private(1, "/etc/ssh/ssh_host_ed25519_key");
    let run = |second: Sighting| {
        let mut c = case(vec![host_key(), sighting(Kind::PublicKey, 1, "/a.pub")], vec![]).and("web02", vec![second]);
        c.inventories.clear();
        of_key(&c.run(), 1)
    };
    assert_eq!(run(host_key()), set(&["shared:high"]));
    assert_eq!(run(sighting(Kind::KnownHost, 1, "/etc/ssh/ssh_known_hosts")), set(&[]));
    assert_eq!(run(private(1, "/var/backups/web01/ssh_host_ed25519_key")), set(&[]));
}

#[test]
fn environments_that_differ() {
    let row = |id: &str, n: u8, host: &str, environment: &str| Entry {
        environment: Some(environment.to_owned()),
        ..by_key(id, n, &[&format!("{host}:/etc/ssl/private/shop.key")])
    };
    let run = |rows: Vec<Entry>| {
        let seen = vec![private(1, KEY), sighting(Kind::PublicKey, 1, "/a.pub")];
        let mut flags = of_key(&case(seen, rows).and("web02", vec![private(1, KEY)]).run(), 1);
        flags.retain(|f| f.starts_with("shared_across"));
        flags
    };
    let hit = set(&["shared_across_environments:high"]);
    assert_eq!(run(vec![row("K-1", 1, "web01", "prod"), row("K-2", 1, "web02", "production")]), set(&[]));
    assert_eq!(run(vec![row("K-1", 1, "web01", "prod"), row("K-2", 1, "web02", "test")]), hit);
    // The second host's environment by the other rows that place things there.
    assert_eq!(run(vec![row("K-1", 1, "web01", "prod"), row("K-2", 9, "web02", "test")]), hit);
    assert_eq!(run(vec![row("K-1", 1, "web01", "prod"), row("K-2", 9, "web03", "test")]), set(&[]));
}

#[test]
fn unpaired_private_keys() {
    assert_eq!(alone(vec![private(1, KEY)]), set(&["unpaired:info"]));
    for counterpart in [Kind::Certificate, Kind::PublicKey, Kind::CertificateRequest, Kind::AuthorizedKey] {
        assert_eq!(alone(vec![private(1, KEY), sighting(counterpart, 1, "/srv/x")]), set(&[]));
    }
    assert_eq!(alone(vec![private(1, "/home/ada/a.key")]), set(&[]), "not a service's place");
    let mut c = case(vec![private(1, KEY)], vec![]).and("web02", vec![sighting(Kind::KnownHost, 1, "/x")]);
    c.inventories.clear();
    assert_eq!(of_key(&c.run(), 1), set(&[]), "in any sweep");
}
