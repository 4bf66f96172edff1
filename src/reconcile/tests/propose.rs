//! What is proposed, and what is left to a person.

use super::super::propose::proposals;
use super::super::testing::*;
use crate::model::*;

const KEY: &str = "/etc/ssl/private/shop.key";
const CRT: &str = "/etc/ssl/certs/shop.crt";
const FAR: &str = "2027-08-01";

fn proposed(sightings: Vec<Sighting>, entries: Vec<Entry>) -> Vec<Proposal> {
    let case = case(sightings, entries);
    let inventories = case.inventories.clone();
    proposals(&case.run(), &inventories)
}

fn paths(proposal: &Proposal) -> Vec<&str> {
    proposal
        .thing
        .places
        .iter()
        .map(|p| p.path.as_str())
        .collect()
}

#[test]
fn only_own_keys_that_have_to_be_registered() {
    let known = || vec![by_key("K-1", 9, &[])];
    let one = proposed(vec![private(1, KEY)], known());
    assert_eq!(one.len(), 1);
    assert_eq!((one[0].flag, &one[0].row), (Flag::Unknown, &None));
    assert_eq!(paths(&one[0]), [KEY]);
    assert_eq!(one[0].thing.state, State::Active);
    for class in [Class::Vendor, Class::Dependency, Class::TrustAnchor] {
        let mut other = private(1, KEY);
        other.class = class;
        assert_eq!(proposed(vec![other], known()), [], "{class:?}");
    }
    let reference = sighting(Kind::KnownHost, 1, "/etc/ssh/ssh_known_hosts");
    assert_eq!(proposed(vec![reference], known()), []);
    assert_eq!(
        proposed(vec![private(1, KEY)], vec![by_key("K-1", 1, &[])]),
        []
    );
}

#[test]
fn a_row_names_the_certificate_in_force_and_its_key_is_there_too() {
    let seen = vec![
        private(1, KEY),
        cert(1, 101, CRT, "2027-01-10"),
        cert(1, 102, "/srv/b.crt", "2027-09-01"),
    ];
    let rows = proposed(seen, vec![by_key("K-1", 9, &[])]);
    assert_eq!(
        rows.len(),
        1,
        "one that was replaced by a newer one needs none"
    );
    assert_eq!(rows[0].thing.fingerprints.cert_sha256, Some(digest(102)));
    assert_eq!(rows[0].thing.name.as_deref(), Some("shop.example"));
    assert_eq!(paths(&rows[0]), [KEY, "/srv/b.crt"]);
}

#[test]
fn a_renewal_changes_its_row_and_keeps_what_was_replaced() {
    let mut old = by_cert("K-1", 101, &[]);
    old.expires = Some(date("2026-10-08"));
    old.places = vec![EntryPlace::Host("web01".into())].into();
    let seen = vec![
        cert(1, 101, "/a/cert1.pem", "2026-10-08"),
        private(1, "/a/privkey1.pem"),
        cert(2, 102, "/a/cert2.pem", "2027-01-08"),
        private(2, "/a/privkey2.pem"),
    ];
    let both = proposed(seen, vec![old]);
    let told: Vec<(bool, Flag, State, Option<Sha256Hex>)> = both
        .iter()
        .map(|p| {
            (
                p.row.is_some(),
                p.flag,
                p.thing.state,
                p.thing.fingerprints.cert_sha256,
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (
                true,
                Flag::RenewedUnrecorded,
                State::Active,
                Some(digest(102))
            ),
            (
                false,
                Flag::RenewedUnrecorded,
                State::Deactivated,
                Some(digest(101))
            )
        ]
    );
    assert!(both[0].parts.identity && both[0].parts.rotated);
}

#[test]
fn only_the_cells_that_are_wrong() {
    let mut row = by_cert("K-1", 101, &[]);
    row.expires = Some(date("2027-09-09"));
    row.bits = Some(2048);
    row.algorithm = Some("EC".into());
    let parts = |row: Entry| {
        let changes = proposed(vec![cert(1, 101, CRT, FAR)], vec![row]);
        changes.first().map(|p| p.parts)
    };
    let wrong = Parts {
        expires: true,
        algorithm: true,
        ..Parts::default()
    };
    assert_eq!(parts(row.clone()), Some(wrong));
    row.expires = Some(date(FAR));
    row.algorithm = Some("rsaEncryption".into());
    assert_eq!(parts(row), None);
}
