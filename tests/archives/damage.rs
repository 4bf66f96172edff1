//! Damaged archives: what stands before and behind the damage is found, and the damage is told at its place.

use super::plants::sweep;
use crate::support::{open_directory, plant};
use std::fs;
use std::process::Command;

pub(crate) fn shell(directory: &std::path::Path, script: &str) {
    let status = Command::new("bash")
        .args(["-euc", script])
        .current_dir(directory)
        .status()
        .unwrap();
    assert!(status.success(), "{script}");
}

#[test]
fn keys_around_a_damaged_header_are_found() {
    let dir = open_directory();
    plant("identity/p256/pkcs8.pem", dir.path(), "1.pem");
    plant("identity/p384/pkcs8.pem", dir.path(), "2.pem");
    shell(
        dir.path(),
        "tar -cf x.tar 1.pem 2.pem; printf X | dd of=x.tar bs=1 seek=1030 conv=notrunc status=none; rm *.pem",
    );
    let swept = sweep(dir.path(), &[]);
    let found = &swept.found[&dir.path().join("x.tar")];
    let chains: Vec<_> = found
        .iter()
        .map(|((types, name), told)| (types.len(), name.as_str(), told[0].2))
        .collect();
    assert_eq!(chains, [(0, "", 1536), (1, "1.pem", 0)]);
    let [gap] = &swept.gaps[..] else {
        panic!("{:?}", swept.gaps)
    };
    assert_eq!(
        (gap["reason"].as_str(), gap["offset"].as_u64()),
        (Some("malformed"), Some(1024))
    );
}

#[test]
fn keys_before_a_cut_are_found() {
    let dir = open_directory();
    plant("identity/p256/pkcs8.pem", dir.path(), "1.pem");
    // Numbers that hardly shrink.
    shell(dir.path(), "seq 1 40000 | sort -R --random-source=1.pem >2");
    shell(
        dir.path(),
        "tar -czf x.tar.gz 1.pem 2; head -c 60000 x.tar.gz >cut.tar.gz; tar -cf - 1.pem 2 | head -c 50000 >cut.tar; rm 1.pem 2 x.tar.gz",
    );
    let swept = sweep(dir.path(), &[]);
    for name in ["cut.tar", "cut.tar.gz"] {
        let file = dir.path().join(name);
        assert_eq!(swept.found[&file].len(), 1, "{name}");
        let gaps = swept
            .gaps
            .iter()
            .filter(|gap| gap["path"] == file.to_str().unwrap());
        let reasons: Vec<_> = gaps.map(|gap| gap["reason"].as_str().unwrap()).collect();
        assert!(
            !reasons.is_empty() && reasons.iter().all(|r| *r == "truncated"),
            "{name} {reasons:?}"
        );
    }
}

#[test]
fn what_follows_an_archive_is_searched() {
    let dir = open_directory();
    plant("identity/p256/pkcs8.pem", dir.path(), "1.pem");
    plant("identity/p384/pkcs8.pem", dir.path(), "2.pem");
    shell(
        dir.path(),
        "(gzip -c 1.pem; echo tail; cat 2.pem) >x.gz; (tar -cf - 1.pem; cat 2.pem) >x.tar; rm *.pem",
    );
    let swept = sweep(dir.path(), &[]);
    assert!(swept.gaps.is_empty(), "{:?}", swept.gaps);
    for name in ["x.gz", "x.tar"] {
        let file = dir.path().join(name);
        let chains: Vec<_> = swept.found[&file]
            .keys()
            .map(|(types, _)| types.len())
            .collect();
        assert_eq!(chains, [0, 1], "{name}");
    }
    let size = fs::metadata(dir.path().join("x.tar")).unwrap().len();
    let key = fs::metadata("fixtures/identity/p384/pkcs8.pem")
        .unwrap()
        .len();
    let raw = &swept.found[&dir.path().join("x.tar")][&(vec![], String::new())];
    assert_eq!(raw[0].2, size - key);
}
