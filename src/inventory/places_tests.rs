//! Places as cells write them.

use super::*;

fn exact(host: &str, path: &str) -> EntryPlace {
    EntryPlace::Exact {
        host: (!host.is_empty()).then(|| host.into()),
        path: path.into(),
    }
}

fn glob(host: &str, pattern: &str) -> EntryPlace {
    EntryPlace::Glob {
        host: (!host.is_empty()).then(|| host.into()),
        pattern: pattern.into(),
    }
}

fn check(cell: &str, expected: &[EntryPlace]) {
    assert_eq!(read_cell(cell), (expected.to_vec(), vec![]), "{cell}");
}

#[test]
fn single_places() {
    check("web01:/etc/ssl/a.key", &[exact("web01", "/etc/ssl/a.key")]);
    check(
        "root@WEB01.example.com:/etc//ssl/a.key",
        &[exact("web01.example.com", "/etc/ssl/a.key")],
    );
    check("/etc/ssl/a.key", &[exact("", "/etc/ssl/a.key")]);
    check("web01:/etc/ssl/*.pem", &[glob("web01", "/etc/ssl/*.pem")]);
    check("db:/etc/a.key", &[exact("db", "/etc/a.key")]);
    check("a:/etc/a.key", &[exact("a", "/etc/a.key")]);
    check("web*:/etc/a.key", &[exact("web*", "/etc/a.key")]);
    check(
        "root@DB0?.example.com:/etc/*",
        &[glob("db0?.example.com", "/etc/*")],
    );
    check("web01:/etc/ssl/", &[glob("web01", "/etc/ssl/**")]);
    check("file:///etc/a%20b.pem", &[exact("", "/etc/a b.pem")]);
    check("file://web01/etc/a.pem", &[exact("web01", "/etc/a.pem")]);
    check(
        "ssh://deploy@web01:2222/home/a",
        &[exact("web01", "/home/a")],
    );
    check("web01", &[EntryPlace::Host("web01".into())]);
    check("10.0.0.5", &[EntryPlace::Host("10.0.0.5".into())]);
    check(
        "web01.example.com:443",
        &[EntryPlace::Host("web01.example.com".into())],
    );
    check("[2001:db8::1]:/etc/a", &[exact("2001:db8::1", "/etc/a")]);
    check(
        "web01:~anna/.ssh/id_rsa",
        &[exact("web01", "/home/anna/.ssh/id_rsa")],
    );
    check(
        "~/.ssh/id_rsa",
        &[
            glob("", "/home/*/.ssh/id_rsa"),
            exact("", "/root/.ssh/id_rsa"),
        ],
    );
    check(
        "/srv/My Keys/a, b.key",
        &[exact("", "/srv/My Keys/a, b.key")],
    );
}

#[test]
fn places_that_a_sweep_cannot_see() {
    for cell in [
        "hsm:slot1/key7",
        "pkcs11:token=prod;object=ca",
        "arn:aws:kms:eu-central-1:1:key/2",
        "vault:secret/web",
        "https://vault.example.com/v1",
        "azure:kv-prod",
        "Azure Key Vault",
        "\\\\files01\\certs",
        "C:\\certs\\a.pfx",
        "c:\\certs\\a.pfx",
        "D:/certs/a.pfx",
        "HSM",
        "kms",
    ] {
        check(cell, &[EntryPlace::Elsewhere(cell.into())]);
    }
    check("vault01", &[EntryPlace::Host("vault01".into())]);
    check("hsm-gw:/etc/a", &[exact("hsm-gw", "/etc/a")]);
}

#[test]
fn plain_places_are_what_they_are_in_full() {
    let mut hosts = Hosts::default();
    for cell in [
        "web01:/etc/ssl/a.key",
        "WEB01.example.com.:/a",
        "10.0.0.5:/a",
        "web01:/a/.",
        "web01:/..",
        "web01:22:/a",
        "db:/etc/a.key",
        "a:/etc/a",
        "A:/etc/a",
        "any:/etc/a",
        "all:/a",
        "file:/etc/a",
        "localhost:/a",
        "vault:/a",
        "azurekv:/a",
        "token:/a",
        "web01:/a//b",
        "web01:/a/./b",
        "web01:/a/",
        "web01:/",
        "web01:/a*",
        "web01:/a b",
        "web01:relative",
        "-web:/a",
        "web..a:/a",
        "web01://a",
        "pkcs11:/a",
        "no:/a",
        ":/a",
        "1:/a",
    ] {
        if let Some(place) = hosts.plain(cell) {
            assert_eq!(read_cell(cell), (vec![place], vec![]), "{cell}");
        }
    }
    assert_eq!(hosts.plain("Web01:/a"), Some(exact("web01", "/a")));
}

#[test]
fn several_places() {
    let two = [exact("web01", "/a"), exact("web02", "/a")];
    for cell in [
        "web01:/a; web02:/a",
        "web01:/a\nweb02:/a",
        "web01:/a, web02:/a",
        "web01:/a | web02:/a",
    ] {
        check(cell, &two);
    }
    check(
        "web01, web02",
        &[
            EntryPlace::Host("web01".into()),
            EntryPlace::Host("web02".into()),
        ],
    );
    assert_eq!(
        read_hosts("web01 web02").0,
        [
            EntryPlace::Host("web01".into()),
            EntryPlace::Host("web02".into())
        ]
    );
    check("n/a", &[]);
}

#[test]
fn what_is_no_place_is_a_fault() {
    for cell in [
        "second drawer from the left",
        "web*!:/etc/a",
        "etc/ssl/a.pem",
        "web01:relative/a",
    ] {
        let (places, faults) = read_cell(cell);
        assert_eq!((places.len(), faults.len()), (0, 1), "{cell}: {places:?}");
    }
}
