//! Flags that rest on what was found alone.

use super::super::testing::*;
use crate::model::*;

const KEY: &str = "/etc/ssl/private/shop.key";
const CRT: &str = "/etc/tls/shop.crt";
const FAR: &str = "2027-08-01";

fn group(logins: &[&str]) -> Grantee {
    Grantee::Group {
        name: "ssl".to_owned(),
        logins: logins.iter().map(|&l| l.to_owned()).collect(),
    }
}

#[test]
fn weak_by_a_default_password() {
    let opened = |list| {
        let mut s = private(1, "/etc/app/store.jks");
        s.protection = Some(Protection::Encrypted);
        s.rare_mut().opened = Some(Opened { list, position: 2 });
        alone(vec![s, sighting(Kind::PublicKey, 1, "/etc/tls/a.pub")])
    };
    assert_eq!(opened(PasswordList::BuiltIn), set(&["weak:high"]));
    for list in [
        PasswordList::Given,
        PasswordList::Configured,
        PasswordList::Found,
    ] {
        assert_eq!(opened(list), set(&[]));
    }
}

#[test]
fn exposed_by_degree() {
    let public = || sighting(Kind::PublicKey, 1, "/etc/tls/a.pub");
    let run = |s: Sighting| alone(vec![s, public()]);
    let user = |login| Grantee::User {
        name: "bob".to_owned(),
        login,
    };
    for (read, replace, expected) in [
        (vec![], vec![], None),
        (vec![Grantee::Others], vec![], Some("exposed:high")),
        (vec![], vec![Grantee::Others], Some("exposed:high")),
        (vec![group(&["bob"])], vec![], Some("exposed:medium")),
        (vec![], vec![group(&["bob"])], Some("exposed:medium")),
        (vec![group(&[])], vec![], Some("exposed:info")),
        (
            vec![group(&[])],
            vec![Grantee::Others],
            Some("exposed:high"),
        ),
        (vec![user(true)], vec![], Some("exposed:medium")),
        (vec![user(false)], vec![], Some("exposed:info")),
    ] {
        let expected = expected.map(|e| set(&[e])).unwrap_or_default();
        assert_eq!(run(with_access(private(1, KEY), read, replace)), expected);
    }
    let open = || with_access(private(1, KEY), vec![Grantee::Others], vec![]);
    assert_eq!(
        run(Sighting {
            protection: Some(Protection::Encrypted),
            ..open()
        }),
        set(&[])
    );
    assert_eq!(
        alone(vec![Sighting {
            kind: Kind::PublicKey,
            ..open()
        }]),
        set(&[])
    );
    assert_eq!(
        run(Sighting {
            class: Class::Dependency,
            ..open()
        }),
        set(&[]),
        "the own sighting judges"
    );
    assert_eq!(
        alone(vec![Sighting {
            class: Class::Dependency,
            ..open()
        }]),
        set(&["exposed:info", "unpaired:info"])
    );
    let mut mode_only = private(1, KEY);
    file(&mut mode_only).access = None;
    assert_eq!(run(mode_only.clone()), set(&[]));
    file(&mut mode_only).mode = Mode(0o0644);
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
        (
            sighting(Kind::PublicKey, 1, "/etc/ssh/ssh_host_rsa_key.pub"),
            false,
        ),
        (cert(1, 101, "/etc/ssl/certs/shop.crt", FAR), false),
        (cert(1, 101, CRT, FAR), false),
        (
            sighting(Kind::KnownHost, 1, "/etc/ssh/ssh_known_hosts"),
            false,
        ),
    ] {
        let path = seen.location.path.clone();
        assert_eq!(alone(vec![seen.clone()]), set(&[]), "{path}");
        let expected = if expected {
            set(&["tamperable:high"])
        } else {
            set(&[])
        };
        assert_eq!(
            alone(vec![with_access(seen, vec![], anyone())]),
            expected,
            "{path}"
        );
    }
    let mut own = grant(1, "/home/ada/.ssh/authorized_keys");
    file(&mut own).home_of = Some("ada".into());
    let by = |g: Grantee| alone(vec![with_access(own.clone(), vec![], vec![g])]);
    assert_eq!(
        by(Grantee::User {
            name: "ada".to_owned(),
            login: true
        }),
        set(&[]),
        "it is hers"
    );
    assert_eq!(by(group(&["ada"])), set(&[]));
    assert_eq!(by(group(&["ada", "bob"])), set(&["tamperable:high"]));
    assert_eq!(
        by(Grantee::User {
            name: "bob".to_owned(),
            login: true
        }),
        set(&["tamperable:high"])
    );
}

#[test]
fn keys_without_passphrase() {
    let ssh = |path: &str| {
        let mut s = private(1, path);
        s.format = "openssh_private".into();
        file(&mut s).uid = 33;
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
        let expected = if expected {
            set(&["unprotected:medium"])
        } else {
            set(&[])
        };
        assert_eq!(alone(vec![ssh(path), public()]), expected, "{path}");
    }
    let closed = Sighting {
        protection: Some(Protection::Encrypted),
        ..ssh("/root/.ssh/id_rsa")
    };
    assert_eq!(alone(vec![closed, public()]), set(&[]));
    // A TLS key in a home is none, unless it is used for SSH.
    assert_eq!(
        alone(vec![private(1, "/home/ada/tls.key"), public()]),
        set(&[])
    );
    let used = vec![private(1, "/home/ada/aws.pem"), grant(1, "/etc/grants")];
    assert_eq!(alone(used), set(&["unprotected:medium"]));
    let mut home = ssh("/export/people/ada/key");
    file(&mut home).home_of = Some("ada".into());
    assert_eq!(
        alone(vec![home.clone(), public()]),
        set(&[]),
        "a service's number"
    );
    file(&mut home).uid = 1000;
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
        let expected = if expected {
            set(&["weak:high"])
        } else {
            set(&[])
        };
        assert_eq!(
            alone(vec![key(algorithm, bits)]),
            expected,
            "{algorithm} {bits}"
        );
    }
    let signed = |with: &str, change: fn(&mut Certificate)| {
        let mut s = cert(1, 101, CRT, FAR);
        facts(&mut s).signature_algorithm = with.into();
        change(facts(&mut s));
        alone(vec![s])
    };
    for weak in [
        "sha1WithRSAEncryption",
        "md5WithRSAEncryption",
        "md2WithRSAEncryption",
        "ecdsa-with-SHA1",
    ] {
        assert_eq!(signed(weak, |_| ()), set(&["weak:high"]), "{weak}");
    }
    assert_eq!(signed("ecdsa-with-SHA256", |_| ()), set(&[]));
    let anchor = |c: &mut Certificate| {
        c.is_ca = true;
        c.self_signed = true;
    };
    assert_eq!(signed("sha1WithRSAEncryption", anchor), set(&[]));
    assert_eq!(
        signed("sha1WithRSAEncryption", |c| c.is_ca = true),
        set(&["weak:high"])
    );
}

#[test]
fn shared_over_hosts_and_owners() {
    let run = |rows: Vec<Entry>, second: bool| {
        let c = case(
            vec![private(1, KEY), sighting(Kind::PublicKey, 1, "/a.pub")],
            rows,
        );
        let c = if second {
            c.and("web02", vec![private(1, KEY)])
        } else {
            c
        };
        let mut flags = of_key(&c.run(), 1);
        flags.retain(|f| f.starts_with("shared"));
        flags
    };
    let both = &[
        "web01:/etc/ssl/private/shop.key",
        "web02:/etc/ssl/private/shop.key",
    ];
    assert_eq!(run(vec![by_key("K-1", 1, both)], true), set(&[]));
    assert_eq!(
        run(vec![by_key("K-1", 1, &both[..1])], true),
        set(&["shared:high"])
    );
    assert_eq!(run(vec![by_key("K-1", 1, &both[..1])], false), set(&[]));
    let told = |n| Entry {
        further: saying(|f| f.allowed_hosts = Some(n)),
        ..by_key("K-1", 1, both)
    };
    assert_eq!(run(vec![told(1)], true), set(&["shared:high"]));
    assert_eq!(run(vec![told(2)], true), set(&[]));
    assert_eq!(
        run(
            vec![by_key("K-1", 1, &both[..1]), by_key("K-2", 1, &both[1..])],
            true
        ),
        set(&[])
    );
    assert_eq!(run(vec![], true), set(&[]), "no entry allows or forbids");
    let owner = |id: &str, owner: &str| Entry {
        owner: Some(owner.into()),
        ..by_key(id, 1, both)
    };
    assert_eq!(
        run(vec![owner("K-1", "Ada"), owner("K-2", " ada ")], false),
        set(&[])
    );
    assert_eq!(
        run(vec![owner("K-1", "Ada"), owner("K-2", "Bob")], false),
        set(&["shared:high"])
    );
}

#[test]
fn host_keys_on_several_machines() {
    let host_key = || private(1, "/etc/ssh/ssh_host_ed25519_key");
    let run = |second: Sighting| {
        let mut c = case(
            vec![host_key(), sighting(Kind::PublicKey, 1, "/a.pub")],
            vec![],
        )
        .and("web02", vec![second]);
        c.inventories.clear();
        of_key(&c.run(), 1)
    };
    assert_eq!(run(host_key()), set(&["shared:high"]));
    assert_eq!(
        run(sighting(Kind::KnownHost, 1, "/etc/ssh/ssh_known_hosts")),
        set(&[])
    );
    assert_eq!(
        run(private(1, "/var/backups/web01/ssh_host_ed25519_key")),
        set(&[])
    );
}

#[test]
fn environments_that_differ() {
    let row = |id: &str, n: u8, host: &str, environment: &str| Entry {
        environment: Some(environment.into()),
        ..by_key(id, n, &[&format!("{host}:/etc/ssl/private/shop.key")])
    };
    let run = |rows: Vec<Entry>| {
        let seen = vec![private(1, KEY), sighting(Kind::PublicKey, 1, "/a.pub")];
        let mut flags = of_key(
            &case(seen, rows).and("web02", vec![private(1, KEY)]).run(),
            1,
        );
        flags.retain(|f| f.starts_with("shared_across"));
        flags
    };
    let hit = set(&["shared_across_environments:high"]);
    assert_eq!(
        run(vec![
            row("K-1", 1, "web01", "prod"),
            row("K-2", 1, "web02", "production")
        ]),
        set(&[])
    );
    assert_eq!(
        run(vec![
            row("K-1", 1, "web01", "prod"),
            row("K-2", 1, "web02", "test")
        ]),
        hit
    );
    // The second host's environment by the other rows that place things there.
    assert_eq!(
        run(vec![
            row("K-1", 1, "web01", "prod"),
            row("K-2", 9, "web02", "test")
        ]),
        hit
    );
    assert_eq!(
        run(vec![
            row("K-1", 1, "web01", "prod"),
            row("K-2", 9, "web03", "test")
        ]),
        set(&[])
    );
}

#[test]
fn unpaired_private_keys() {
    assert_eq!(alone(vec![private(1, KEY)]), set(&["unpaired:info"]));
    for counterpart in [
        Kind::Certificate,
        Kind::PublicKey,
        Kind::CertificateRequest,
        Kind::AuthorizedKey,
    ] {
        assert_eq!(
            alone(vec![private(1, KEY), sighting(counterpart, 1, "/srv/x")]),
            set(&[])
        );
    }
    assert_eq!(
        alone(vec![private(1, "/home/ada/a.key")]),
        set(&[]),
        "not a service's place"
    );
    let mut c =
        case(vec![private(1, KEY)], vec![]).and("web02", vec![sighting(Kind::KnownHost, 1, "/x")]);
    c.inventories.clear();
    assert_eq!(of_key(&c.run(), 1), set(&[]), "in any sweep");
}

const PUBLISHED: &str = "06e3fd8fda29bb60ab59557de61edb0aecdb231134be30e75b455f8e1b792fa9";

/// The key of RFC 8032, section 7.1, test 1, and the digest that `openssl pkey -pubin -outform DER | sha256sum` gives.
fn published(mut s: Sighting) -> Sighting {
    let digest: Sha256Hex = PUBLISHED.parse().unwrap();
    s.key_id = Some(KeyId::Spki(digest));
    s.fingerprints.change(|f| f.spki_sha256 = Some(digest));
    s.algorithm = Some("Ed25519".into());
    s.bits = Some(256);
    s
}

#[test]
fn keys_that_are_published() {
    let id = KeyId::Spki(PUBLISHED.parse().unwrap());
    let run = |s: Sighting| {
        let mut c = case(vec![published(s)], vec![]);
        c.inventories.clear();
        c.run()
    };
    let found = |s: Sighting| of_id(&run(s), &id).contains("compromised:critical");
    let of = |class: Class, mut s: Sighting| {
        s.class = class;
        s
    };
    let key = || private(1, "/etc/ssl/private/shop.key");
    assert!(found(key()));
    assert!(found(grant(1, "/root/.ssh/authorized_keys")));
    // What a package brings as a test key is none, unless it is used.
    let package = "/usr/share/doc/tests/a.key";
    assert!(found(of(
        Class::Vendor,
        grant(1, "/root/.ssh/authorized_keys")
    )));
    let home = "/home/ada/.cargo/registry/src/tests/a.key";
    for (class, path) in [(Class::Dependency, home), (Class::TrustAnchor, package)] {
        let mut s = sighting(Kind::PublicKey, 1, path);
        s.class = class;
        assert!(!found(s), "{path}");
    }
    let report = run(key());
    let known = report.keys[0].known_public.as_deref();
    assert_eq!(known, Some("RFC 8032, section 7.1, test 1"));
    let why = &report.keys[0].flags[0].why;
    assert!(
        why.contains("published (RFC 8032") && why.contains("serves in web01:/etc/ssl"),
        "{why}"
    );
    assert!(
        !alone(vec![key()]).contains("compromised:critical"),
        "another key"
    );
}

#[test]
fn keys_that_can_be_factored() {
    let mut s = private(1, "/etc/ssl/private/shop.key");
    assert!(!alone(vec![s.clone()]).contains("compromised:critical"));
    s.rare_mut().factorable = Some("its modulus is divisible by 3".into());
    assert!(alone(vec![s.clone()]).contains("compromised:critical"));
    // Also of a package.
    s.class = Class::Vendor;
    assert!(alone(vec![s]).contains("compromised:critical"));
}
