//! Objects without their repository: packs and bundles on their own, what a lost repository left, and repositories in archives.
//! What git says of names is the truth.

use super::repository::{DER, ED25519, P256, RSA, Yard};
use serde_json::Value;
use std::fs;

/// A repository `r` with three keys in its history, of which the first is in a file that others build on.
const THREE: &str = "git init -q r; cd r; cp $fixtures/identity/rsa2048/pkcs8.pem k; seq 20000 >>k; git add k; commit first; \
     sed -i 's/^777$/changed/' k; cat $fixtures/identity/ed25519/openssh_private >>k; git add k; commit second; \
     git rm -q k; tick; git commit -q --cleanup=verbatim -F $fixtures/identity/p256/pkcs8.pem; ";

/// The name of the blob or commit that holds a fixture, as git tells it.
fn named(yard: &Yard, object: &str) -> String {
    yard.run(&format!("cd r; git rev-parse {object}"))
}

/// The last member of the chain of a fixture that is seen once, and the path of its file.
fn last(swept: &super::repository::Swept, fixture: &str) -> (String, Value) {
    let told = crate::support::told(fixture);
    let all: Vec<&Value> = swept
        .sightings
        .iter()
        .filter(|s| s["key_id"] == told["key_id"] && s["kind"] == told["kind"])
        .collect();
    assert_eq!(all.len(), 1, "{fixture}: {all:?} {:?}", swept.gaps);
    let location = &all[0]["location"];
    let path = location["path"].as_str().unwrap().to_owned();
    let member = location["inside"].as_array().unwrap().last().cloned();
    (path, member.unwrap())
}

#[test]
fn a_pack_and_a_bundle_on_their_own() {
    for (make, file) in [
        (
            "git repack -qadf --depth=50; mv .git/objects/pack/*.pack ../alone",
            "alone",
        ),
        ("git bundle create -q ../alone --all", "alone"),
        ("git bundle create -q --version=3 ../alone --all", "alone"),
        (
            "git bundle create -q alone --all; tar -cf - alone | gzip >../alone",
            "alone",
        ),
        (
            "git repack -qadf --depth=50; mv .git/objects/pack/*.pack ../alone in sha256",
            "alone",
        ),
        ("git bundle create -q ../alone --all in sha256", "alone"),
        (
            "git repack -qadf; tar -C .git/objects/pack -cf - . | zstd -q >../alone",
            "alone",
        ),
    ] {
        let yard = Yard::new();
        let (make, format) = make.split_once(" in ").unwrap_or((make, "sha1"));
        let three = THREE.replacen("git init", &format!("git init --object-format={format}"), 1);
        yard.run(&format!("{three}{make}"));
        // The second file is the newer one, so git stores the older one as what has to be changed.
        let wanted = [
            (RSA, "HEAD~2:k", "blob"),
            (ED25519, "HEAD~1:k", "blob"),
            (P256, "HEAD", "message"),
        ];
        if make.contains("mv ") {
            // What was moved away, so that git can be asked.
            yard.run("cd r; git unpack-objects -q <../alone");
        }
        let ids: Vec<String> = wanted.iter().map(|w| named(&yard, w.1)).collect();
        yard.run("rm -rf r");
        let swept = yard.sweep();
        assert!(swept.gaps.is_empty(), "{make}: {:?}", swept.gaps);
        for ((fixture, object, kind), id) in wanted.iter().zip(ids) {
            let seen = swept.sightings.iter().filter(|s| {
                let told = crate::support::told(fixture);
                s["key_id"] == told["key_id"] && s["kind"] == told["kind"]
            });
            let places: Vec<(String, String)> = seen
                .map(|s| {
                    let inside = s["location"]["inside"].as_array().unwrap();
                    let member = inside.last().unwrap();
                    let text = |name: &str| member[name].as_str().unwrap_or("").to_owned();
                    assert!(s["location"]["path"].as_str().unwrap().ends_with(file));
                    (text("type"), text("name"))
                })
                .collect();
            assert!(
                places.contains(&((*kind).to_owned(), id.clone())),
                "{make}: {object} {id}: {places:?}"
            );
        }
    }
}

#[test]
fn loose_objects_of_a_repository_in_an_archive() {
    let yard = Yard::new();
    yard.run(&format!(
        "{THREE}cp $fixtures/identity/rsa2048/certificate.der c; git add c; cd ..; tar -cf backup.tar r"
    ));
    let id = named(&yard, ":c");
    yard.run("rm -rf r");
    let swept = yard.sweep();
    assert!(swept.gaps.is_empty(), "{:?}", swept.gaps);
    let told = crate::support::told(DER);
    let in_object = |s: &&Value| {
        let inside = s["location"]["inside"].as_array().unwrap();
        s["key_id"] == told["key_id"]
            && inside.len() == 2
            && inside[0]["name"] == format!("r/.git/objects/{}/{}", &id[..2], &id[2..])
            && inside[1]["type"] == "blob"
    };
    let found: Vec<&Value> = swept.sightings.iter().filter(in_object).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    // The text of the commit, of which git keeps a draft, and both versions of the file.
    assert_eq!(swept.places(P256).len(), 2);
    assert_eq!(swept.places(ED25519).len(), 1);
    assert_eq!(swept.places(RSA).len(), 2);
}

#[test]
fn a_loose_object_that_lies_about() {
    let yard = Yard::new();
    yard.run(
        "git init -q r; cd r; cp $fixtures/identity/ed25519/openssh_private k; git add k; cp .git/objects/??/* ../found; cd ..; rm -rf r; \
         printf 'blob 9\\0no zlib' >no; python3 -c 'import zlib;open(\"text.z\",\"wb\").write(zlib.compress(b\"blob of no object\"))'",
    );
    let swept = yard.sweep();
    assert!(swept.gaps.is_empty(), "{:?}", swept.gaps);
    let (path, member) = last(&swept, ED25519);
    assert!(path.ends_with("found"), "{path}");
    assert_eq!(member["type"], "blob");
}

#[test]
fn damage_of_a_pack_on_its_own_is_told_where_it_is() {
    let yard = Yard::new();
    yard.run(&format!(
        "{THREE}git repack -qadf; mv .git/objects/pack/*.pack ../alone; cd ..; rm -rf r"
    ));
    let path = yard.path().join("alone");
    let whole = fs::read(&path).unwrap();
    for keep in [12, 13, 100, whole.len() / 2, whole.len() - 21] {
        fs::write(&path, &whole[..keep]).unwrap();
        let swept = yard.sweep();
        assert!(!swept.gaps.is_empty(), "{keep}");
        for gap in &swept.gaps {
            let reason = gap["reason"].as_str().unwrap();
            assert!(matches!(reason, "truncated" | "malformed"), "{gap}");
        }
    }
    for at in (0..whole.len()).step_by(whole.len() / 40) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x55;
        fs::write(&path, &bytes).unwrap();
        // Whatever it is, it ends, and within the memory that is promised.
        yard.sweep();
    }
    // More objects than there are.
    let mut bytes = whole.clone();
    bytes[8..12].copy_from_slice(&u32::MAX.to_be_bytes());
    fs::write(&path, &bytes).unwrap();
    let swept = yard.sweep();
    assert_eq!(swept.places(P256).len(), 1, "{:?}", swept.gaps);
    assert!(!swept.gaps.is_empty());
}
