//! Keys in text that is encoded, as other programs encode it.

use super::plants::{Told, sweep};
use crate::support::{arg, open_directory, told};
use std::path::Path;
use std::process::Command;

const KEY: &str = "identity/p256/pkcs8.pem";
const CERTIFICATE: &str = "identity/rsa2048/certificate.pem";
const DER: &str = "identity/rsa2048/certificate.der";
const SSH: &str = "identity/ed25519/openssh_public.pub";

/// What encodes `$1` to standard output, the fixture, and the types of the members that lead to it.
const ENCODINGS: &[(&str, &str, &str, &[&str])] = &[
    (
        "line.env",
        r#"echo "KEY=$(base64 -w0 $1)""#,
        KEY,
        &["base64"],
    ),
    ("bare", "base64 -w0 $1", KEY, &["base64"]),
    (
        "wrapped",
        "echo 'data: |'; base64 $1 | sed 's/^/    /'",
        KEY,
        &["base64"],
    ),
    (
        "mime.eml",
        "printf 'Content-Transfer-Encoding: base64\\r\\n\\r\\n'; base64 $1 | sed 's/$/\\r/'",
        CERTIFICATE,
        &["base64"],
    ),
    (
        "shifted1",
        "echo a; (printf z; cat $1) | base64",
        KEY,
        &["base64"],
    ),
    (
        "shifted2",
        "echo a; (printf zz; cat $1) | base64",
        CERTIFICATE,
        &["base64"],
    ),
    (
        "url.env",
        "echo \"c=$(base64 -w0 $1 | tr +/ -_ | tr -d =)\"",
        DER,
        &["base64"],
    ),
    (
        "x5c.json",
        r#"echo "{\"x5c\":[\"$(base64 -w0 $1)\"]}""#,
        DER,
        &["base64"],
    ),
    (
        "double",
        "echo \"a: $(base64 -w0 $1 | base64 -w0)\"",
        KEY,
        &["base64", "base64"],
    ),
    (
        "gzip",
        "echo \"a: $(gzip -nc $1 | base64 -w0)\"",
        KEY,
        &["base64", "gzip"],
    ),
    (
        "helm",
        "echo \"release: $(gzip -nc $1 | base64 -w0 | base64 -w0)\"",
        KEY,
        &["base64", "base64", "gzip"],
    ),
    (
        "hex",
        "echo \"0x$(od -An -v -tx1 $1 | tr -d ' \\n')\"",
        KEY,
        &["hex"],
    ),
    (
        "upper.hex",
        "od -An -v -tx1 $1 | tr -d ' \\n' | tr a-f A-F",
        DER,
        &["hex"],
    ),
    (
        "access.log",
        "python3 -c 'import sys, urllib.parse; print(\"GET /?c=\" + urllib.parse.quote(open(sys.argv[1]).read()))' $1",
        CERTIFICATE,
        &["url"],
    ),
    (
        "form",
        "python3 -c 'import sys, urllib.parse; print(\"c=\" + urllib.parse.quote_plus(open(sys.argv[1]).read()))' $1",
        CERTIFICATE,
        &["url"],
    ),
    (
        "printable.eml",
        "python3 -c 'import sys, quopri; print(quopri.encodestring(open(sys.argv[1], \"rb\").read()).decode())' $1",
        CERTIFICATE,
        &[],
    ),
    (
        "ssh",
        "echo ssh_authorized_keys; base64 -w0 $1",
        SSH,
        &["base64"],
    ),
];

#[test]
fn keys_are_found_in_every_encoding() {
    let dir = open_directory();
    for (name, script, fixture, _) in ENCODINGS {
        let script = format!("set -o pipefail; ({script}) >{name}");
        let fixture = std::fs::canonicalize(Path::new("fixtures").join(fixture)).unwrap();
        let status = Command::new("bash")
            .args(["-euc", &script, "bash", arg(&fixture)])
            .current_dir(dir.path())
            .status()
            .unwrap();
        assert!(status.success(), "{name}");
    }
    let swept = sweep(dir.path(), &[]);
    assert!(swept.gaps.is_empty(), "{:?}", swept.gaps);
    for (name, _, fixture, chain) in ENCODINGS {
        let told = told(fixture);
        let found = swept
            .found
            .get(&dir.path().join(name))
            .unwrap_or_else(|| panic!("{name}"));
        let found: Vec<(&Vec<String>, &Vec<Told>)> = found
            .iter()
            .map(|((types, _), told)| (types, told))
            .collect();
        let [(types, things)] = &found[..] else {
            panic!("{name}: {found:?}")
        };
        assert_eq!(types, chain, "{name}");
        assert_eq!(things.len(), 1, "{name}");
        assert_eq!(
            (&things[0].0[..], &things[0].1[..]),
            (
                told["kind"].as_str().unwrap(),
                told["key_id"].as_str().unwrap()
            ),
            "{name}"
        );
    }
}
