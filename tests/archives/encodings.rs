//! Keys in text that is encoded, as other programs encode it.

use super::plants::{Told, sweep};
use crate::support::{arg, keymuster, of_kind, open_directory, records, told};
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
        &["mail"],
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

/// The types of a chain but for the fields of documents, which are no encoding.
fn without_fields(types: &[String]) -> Vec<String> {
    let encodings = types.iter().filter(|t| *t != "field");
    encodings.cloned().collect()
}

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
        let found: Vec<(Vec<String>, &Vec<Told>)> = found
            .iter()
            .map(|((types, _), told)| (without_fields(types), told))
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

#[test]
fn the_field_of_a_document_is_named() {
    let dir = open_directory();
    let script = r#"
        key=$(base64 -w0 $1) pem=$(sed -z 's/\n/\\n/g' $1)
        printf 'apiVersion: v1\nkind: List\nitems:\n- kind: Secret\n  data:\n    tls.crt: AAAA\n    tls.key: %s\n' $key >secret.yaml
        printf '{"kind":"Secret","data":{"tls.key":"%s"}}' $key >secret.json
        printf 'users:\n- name: a\n  user: {}\n- name: b\n  user:\n    client-key-data: %s\n' $key >kubeconfig
        printf '{"type":"service_account","private_key":"%s"}' "$pem" >gcp.json
        (echo 'write_files:'; echo '- path: /k'; echo '  content: |'; sed 's/^/    /' $1) >user-data
        (echo '[tls]'; echo 'key = """'; cat $1; echo '"""') >conf.toml
        (echo 'resource "x" "y" {'; echo '  private_key_pem = <<EOF'; cat $1; echo EOF; echo '}') >main.tf
        printf 'TLS_KEY="%s"\n' "$pem" >.env
        (echo '<credentials><privateKey>'; cat $1; echo '</privateKey></credentials>') >credentials.xml
    "#;
    let fixture = std::fs::canonicalize(Path::new("fixtures").join(KEY)).unwrap();
    let status = Command::new("bash")
        .args(["-euc", script, "bash", arg(&fixture)])
        .current_dir(dir.path())
        .status()
        .unwrap();
    assert!(status.success());
    let output = keymuster(&["scan", "-q", "-f", "jsonl", arg(dir.path())]);
    let sightings = records(&output.stdout);
    let field = |name: &str| -> String {
        let path = dir.path().join(name);
        let of_file = |s: &&serde_json::Value| s["location"]["path"] == arg(&path);
        let [sighting] = of_kind(&sightings, "sighting")
            .into_iter()
            .filter(of_file)
            .collect::<Vec<_>>()[..]
        else {
            panic!("{name}: not one sighting");
        };
        assert_eq!(sighting["key_id"], told(KEY)["key_id"], "{name}");
        let first = &sighting["location"]["inside"][0];
        assert_eq!(first["type"], "field", "{name}");
        first["name"].as_str().unwrap().to_owned()
    };
    for (name, expected) in [
        ("secret.yaml", "items[0].data.tls.key"),
        ("secret.json", "data.tls.key"),
        ("kubeconfig", "users[1].user.client-key-data"),
        ("gcp.json", "private_key"),
        ("user-data", "write_files[0].content"),
        ("conf.toml", "tls.key"),
        ("main.tf", "private_key_pem"),
        (".env", "TLS_KEY"),
        ("credentials.xml", "privateKey"),
    ] {
        assert_eq!(field(name), expected, "{name}");
    }
}
