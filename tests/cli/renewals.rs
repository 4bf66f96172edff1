//! A day on which many certificates were renewed: one finding each, and nothing else.

use crate::support::{arg, expect};
use serde_json::Value;
use std::fmt::Write as _;
use std::process::Command;

const RENEWED: usize = 300;

/// An authority, and for each name a certificate of yesterday (only its digest is kept) and the new one with a new key.
const MAKE: &str = r#"
set -eu
make() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "$@" 2>/dev/null; }
make -keyout ca.key -out ca.crt -subj "/CN=Example CA" -days 3650
mkdir old tls
for n in $(seq 1 "$1"); do
    of="-CA ca.crt -CAkey ca.key -subj /CN=svc$n.example -addext subjectAltName=DNS:svc$n.example"
    make $of -keyout old.key -outform DER -out old/svc$n.der -days 30
    make $of -keyout tls/svc$n.key -out tls/svc$n.crt -days 90
done
sha256sum old/*.der
"#;

#[test]
fn three_hundred_renewals_are_three_hundred_findings() {
    let case = tempfile::tempdir().unwrap();
    let made = Command::new("bash")
        .args(["-c", MAKE, "make", &RENEWED.to_string()])
        .current_dir(case.path())
        .output()
        .unwrap();
    assert!(made.status.success());
    let mut inventory = "ID,Name,Type,Owner,Location,Certificate SHA256,Expires\n".to_owned();
    let tree = case.path().join("tls");
    let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(30 * 24);
    let mut rows = 0;
    for line in String::from_utf8(made.stdout).unwrap().lines() {
        let (digest, file) = line.split_once("  old/").unwrap();
        let name = file.strip_suffix(".der").unwrap();
        writeln!(
            inventory,
            "C-{name},{name}.example,certificate,Ada,web01:{}/{name}.crt,{digest},{}",
            arg(&tree),
            soon.strftime("%Y-%m-%d")
        )
        .unwrap();
        rows += 1;
    }
    assert_eq!(rows, RENEWED);
    let list = case.path().join("inventory.csv");
    std::fs::write(&list, inventory).unwrap();
    let args = [
        "scan",
        arg(&tree),
        "--host",
        "web01",
        "-i",
        arg(&list),
        "-f",
        "json",
    ];
    let report: Value = serde_json::from_slice(&expect(0, &args).stdout).unwrap();
    let flags = &report["summary"]["flags"];
    assert_eq!(flags["renewed_unrecorded"], RENEWED, "{flags}");
    for flag in [
        "unknown",
        "missing",
        "misplaced",
        "mismatch",
        "ambiguous",
        "expired",
    ] {
        assert!(flags[flag].is_null(), "{flag}: {flags}");
    }
    let loud = ["low", "medium", "high", "critical"];
    for severity in loud {
        assert_eq!(
            report["summary"]["severities"][severity], 0,
            "{severity}: {flags}"
        );
    }
}
