//! Exports as tools and people write them, from bytes to entries.
//!
//! Digests are those of the empty input (sha256sum, sha1sum, md5sum), so that their lengths are real.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests may fail loudly"
)]

mod check;
mod convert;
mod forms;
mod hostile;
mod identifiers;
mod noise;
mod postgres;
mod products;
mod propose;

use arcstr::ArcStr;
use keymuster::inventory::{InventoryError, ReadOptions, read, read_bytes};
use keymuster::model::{Entry, EntryKind, EntryPlace, Identifier, Inventory, State};

const SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const SHA256_B64: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU";
const SHA1: &str = "da39a3ee5e6b4b0d3255bfef95601890afd80709";

fn parse(name: &str, text: &str) -> Inventory {
    read_bytes(name, text.as_bytes(), &ReadOptions::default()).unwrap()
}

fn fail(bytes: &[u8]) -> InventoryError {
    read_bytes("x.csv", bytes, &ReadOptions::default()).unwrap_err()
}

fn entry<'a>(inventory: &'a Inventory, id: &str) -> &'a Entry {
    inventory
        .entries
        .iter()
        .find(|e| *e.id == *id)
        .unwrap_or_else(|| panic!("no {id} in {inventory:#?}"))
}

/// What a row has in a column that is no field's.
fn extra<'a>(entry: &'a Entry, header: &str) -> &'a str {
    let (_, cell) = entry.extra.iter().find(|(h, _)| **h == *header).unwrap();
    cell
}

fn exact(host: &str, path: &str) -> EntryPlace {
    EntryPlace::Exact {
        host: Some(host.into()),
        path: path.into(),
    }
}

fn faults(inventory: &Inventory) -> Vec<(&str, Option<&str>, bool)> {
    inventory
        .faults
        .iter()
        .map(|f| (f.source.as_str(), f.column.as_deref(), f.row_lost))
        .collect()
}

#[test]
fn a_spreadsheet_export_of_a_key_register() {
    let text = format!(
        "\u{feff}Key Inventory;;;;;;;;;;;\r\n\
         exported 23.11.2026;;;;;;;;;;;\r\n\
         \r\n\
         Key ID;Common Name;Type;Fingerprint;Owner;Owner email;Date Generated;Rotation Period (days);Expires On;Status;Location;Cost centre\r\n\
         K-1;www.example.com;TLS certificate;SHA1:{SHA1};Anna Berg;anna@example.com;01.02.2026;90;31.12.2026;In use;web01:/etc/ssl/a.pem, web02:/etc/ssl/a.pem;4711\r\n\
         K-2;\"deploy;key\";SSH key;SHA256:{SHA256_B64};Team Build;;15.03.2026;annual;;active;\"build01:/home/ci/.ssh/id_ed25519\nbuild02:/home/ci/.ssh/*\";\r\n\
         K-3;signer;GPG key;{SHA1};Carl;;;;never;retired;HSM;\r\n\
         ;;;;;;;;;;;\r\n"
    );
    let inventory = parse("register.csv", &text);
    assert_eq!(
        faults(&inventory),
        [("register.csv", Some("Owner email"), false)]
    );
    assert_eq!((inventory.rows, inventory.entries.len()), (3, 3));
    assert!(inventory.has_owner_column);

    let web = entry(&inventory, "K-1");
    assert_eq!(web.source.to_string(), "register.csv:5");
    assert_eq!(web.name.as_deref(), Some("www.example.com"));
    assert_eq!(web.kind, Some(EntryKind::Certificate));
    assert_eq!(web.owner.as_deref(), Some("Anna Berg"));
    assert_eq!(
        *web.identifiers,
        [Identifier::CertSha1(SHA1.parse().unwrap())]
    );
    assert_eq!(web.rotation_period_days, Some(90));
    assert_eq!(web.created.unwrap().at.to_string(), "2026-02-01T00:00:00Z");
    let expires = web.expires.unwrap();
    assert_eq!(
        (expires.at.to_string().as_str(), expires.has_time),
        ("2026-12-31T00:00:00Z", false)
    );
    assert_eq!(web.state, Some(State::Active));
    assert_eq!(
        *web.places,
        [
            exact("web01", "/etc/ssl/a.pem"),
            exact("web02", "/etc/ssl/a.pem")
        ]
    );
    assert_eq!(extra(web, "Cost centre"), "4711");
    assert_eq!(extra(web, "Owner email"), "anna@example.com");

    let deploy = entry(&inventory, "K-2");
    assert_eq!(
        (&*deploy.source.to_string(), deploy.name.as_deref()),
        ("register.csv:6", Some("deploy;key"))
    );
    assert_eq!(
        *deploy.identifiers,
        [Identifier::SshSha256(SHA256.parse().unwrap())]
    );
    assert_eq!(deploy.rotation_period_days, Some(365));
    assert_eq!(
        *deploy.places,
        [
            exact("build01", "/home/ci/.ssh/id_ed25519"),
            EntryPlace::Glob {
                host: Some("build02".into()),
                pattern: "/home/ci/.ssh/*".into()
            }
        ]
    );

    let signer = entry(&inventory, "K-3");
    assert_eq!(signer.source.to_string(), "register.csv:8");
    assert_eq!(
        *signer.identifiers,
        [Identifier::PgpFingerprint(SHA1.to_uppercase().into())]
    );
    assert_eq!(
        (signer.expires, signer.state),
        (None, Some(State::Deactivated))
    );
    assert_eq!(*signer.places, [EntryPlace::Elsewhere("HSM".into())]);

    let understood = |column: &str| {
        inventory
            .columns
            .iter()
            .find(|(c, _)| c == column)
            .unwrap()
            .1
            .clone()
    };
    assert_eq!(understood("Expires On").as_deref(), Some("expires"));
    assert_eq!(understood("Cost centre"), None);
}

#[test]
fn a_certificate_authority_export() {
    let text = format!(
        "Serial Number,Issuer DN,Subject DN,Not Before,Not After,Thumbprint,SHA-256,Key Size,Key Algorithm,SANs,Revocation Status\n\
         0A:1B,\"CN=Test CA,O=Example\",CN=a.example,Nov 23 10:00:00 2025 GMT,Nov 23 10:00:00 2026 GMT,{},{SHA256},2048,RSA,\"DNS:a.example, IP:10.0.0.1\",\n\
         4096,\"CN=Test CA,O=Example\",CN=b.example,,,,,,,,\n",
        SHA1.to_uppercase()
    );
    let inventory = parse("ca.csv", &text);
    assert_eq!(faults(&inventory), []);
    let first = entry(&inventory, "row-2");
    let issuer: ArcStr = "CN=Test CA,O=Example".into();
    assert_eq!(
        *first.identifiers,
        [
            Identifier::CertSha1(SHA1.parse().unwrap()),
            Identifier::CertOrSpkiSha256(SHA256.parse().unwrap()),
            Identifier::IssuerSerial {
                issuer: issuer.clone(),
                serial: "a1b".into()
            },
            Identifier::Serial("a1b".into()),
        ]
    );
    assert_eq!(
        first.expires.unwrap().at.to_string(),
        "2026-11-23T10:00:00Z"
    );
    assert!(first.expires.unwrap().has_time);
    assert_eq!(
        (first.bits, first.algorithm.as_deref()),
        (Some(2048), Some("RSA"))
    );
    assert_eq!(*first.sans, ["DNS:a.example", "IP:10.0.0.1"]);
    assert_eq!(first.subject.as_deref(), Some("CN=a.example"));
    // 4096 may be hexadecimal, or decimal: printf '%x' 4096 = 1000
    assert_eq!(
        *entry(&inventory, "row-3").identifiers,
        [
            Identifier::IssuerSerial {
                issuer: issuer.clone(),
                serial: "4096".into()
            },
            Identifier::Serial("4096".into()),
            Identifier::IssuerSerial {
                issuer,
                serial: "1000".into()
            },
            Identifier::Serial("1000".into()),
        ]
    );
    assert!(!inventory.has_owner_column);
}

/// What openssl 3 (`x509 -fingerprint -serial -issuer -dates -ext`, `dgst` of the public key) and ssh-keygen (`-l`) print of one
/// certificate and one key, as pasted into cells.

#[test]
fn json_in_all_shapes_gives_one_inventory() {
    let row = format!(
        r#"{{"keyId":"K-1","owner":{{"name":"Anna"}},"fingerprints":["SHA256:{SHA256_B64}","{SHA1}"],"type":"ssh","locations":[{{"host":"w1","path":"/a"}}],"lifecycle":{{"state":"revoked"}},"rotationPeriodDays":90,"validity":{{"notAfter":"2026-11-23T10:00:00+01:00"}}}}"#
    );
    let other = r#"{"keyId":"K-2","owner":null}"#;
    for text in [
        format!("[{row},{other}]"),
        format!(r#"{{"count":2,"keys":[{row},{other}]}}"#),
        format!(r#"{{"data":{{"items":[{row},{other}]}}}}"#),
        format!("{row}\n{other}\n"),
    ] {
        let inventory = parse("keys", &text);
        assert_eq!(faults(&inventory), [], "{text}");
        let first = entry(&inventory, "K-1");
        assert_eq!(first.source.to_string(), "keys:1");
        assert_eq!(first.owner.as_deref(), Some("Anna"));
        assert_eq!(
            *first.identifiers,
            [
                Identifier::SshSha256(SHA256.parse().unwrap()),
                Identifier::Sha1OrPgp(SHA1.parse().unwrap())
            ]
        );
        assert_eq!(*first.places, [exact("w1", "/a")]);
        assert_eq!(
            (first.state, first.rotation_period_days),
            (Some(State::Revoked), Some(90))
        );
        assert_eq!(
            first.expires.unwrap().at.to_string(),
            "2026-11-23T09:00:00Z"
        );
        assert_eq!(entry(&inventory, "K-2").owner, None);
    }
}

#[test]
fn faults_name_row_column_and_reason_and_the_rest_is_used() {
    let text = format!(
        "id,fingerprint,owner,state,expires\n\
         1,{SHA256},a,active,2026-01-01\n\
         2,{},b,blue,2026-02-30\n\
         3,1.23E+47,c,active,2026-01-01\n\
         4,{SHA256},d,active,2026-01-01\n\
         4,{SHA256},e,active,2026-01-01\n\
         6,{SHA256},f,active,2026-01-01\n\
         7,{SHA256},g,active,2026-01-01\n\
         8,{SHA256},h,active,2026-01-01\n\
         9,{SHA256},CN=x,O=y,active,2026-01-01\n\
         10,{SHA256},h,active,2026-01-01\n\
         11,{SHA256},h,active,2026-01-01\n\
         12,{SHA256},h,active,2026-01-01\n\
         13,{SHA256},h,active,2026-01-01\n\
         14,{SHA256},h,active,2026-01-01\n\
         15,{SHA256},h,active,2026-01-01\n",
        &SHA256[1..]
    );
    let inventory = parse("k.csv", &text);
    assert_eq!(
        (inventory.rows, inventory.unusable, inventory.entries.len()),
        (15, 3, 14)
    );
    let told: Vec<(&str, Option<&str>, bool)> = faults(&inventory);
    assert_eq!(
        told,
        [
            ("k.csv:10", None, true),
            ("k.csv:3", Some("fingerprint"), true),
            ("k.csv:3", Some("state"), false),
            ("k.csv:3", Some("expires"), false),
            ("k.csv:4", Some("fingerprint"), true),
            ("k.csv:6", None, false),
        ]
    );
    assert!(inventory.faults[1].reason.contains("63 hexadecimal digits"));
    let second = entry(&inventory, "2");
    assert_eq!((second.state, second.expires), (None, None));
    assert_eq!(extra(second, "state"), "blue");
    assert_eq!(entry(&inventory, "4#2").owner.as_deref(), Some("e"));
}

#[test]
fn the_order_of_day_and_month_is_settled_over_the_column() {
    let text = |last: &str| format!("id,owner,expires\n1,a,03/04/2026\n2,b,{last}\n");
    let expires = |text: &str| {
        parse("d.csv", text).entries[0]
            .expires
            .map(|m| m.at.to_string())
    };
    assert_eq!(
        expires(&text("31/12/2026")).as_deref(),
        Some("2026-04-03T00:00:00Z")
    );
    assert_eq!(
        expires(&text("12/31/2026")).as_deref(),
        Some("2026-03-04T00:00:00Z")
    );
    let open = parse("d.csv", &text("05/06/2026"));
    assert_eq!(faults(&open), [("d.csv", Some("expires"), false)]);
    assert_eq!(open.entries[0].expires, None);
    let told = text("05/06/2026").replace("expires", "expires (MM/DD/YYYY)");
    assert_eq!(expires(&told).as_deref(), Some("2026-03-04T00:00:00Z"));
}

#[test]
fn the_user_can_say_what_a_column_means() {
    let options = ReadOptions {
        map: vec![
            ("owner".into(), "Chef".into()),
            ("cert_sha1".into(), "Abdruck".into()),
        ],
        ..ReadOptions::default()
    };
    let text = format!("Nr,Chef,Abdruck\n1,Anna,{SHA1}\n");
    let inventory = read_bytes("m.csv", text.as_bytes(), &options).unwrap();
    assert_eq!(inventory.entries[0].owner.as_deref(), Some("Anna"));
    assert_eq!(
        *inventory.entries[0].identifiers,
        [Identifier::CertSha1(SHA1.parse().unwrap())]
    );
    assert!(inventory.has_owner_column);
    let wrong = ReadOptions {
        map: vec![("owner".into(), "Boss".into())],
        ..ReadOptions::default()
    };
    let error = read_bytes("m.csv", text.as_bytes(), &wrong).unwrap_err();
    assert!(
        matches!(error, InventoryError::UnknownColumn { .. }),
        "{error}"
    );
}

#[test]
fn what_is_no_inventory_is_refused_with_what_was_expected() {
    for (bytes, seen) in [
        (&b"-----BEGIN CERTIFICATE-----\nMIIB\n"[..], "PEM"),
        (b"<html><body>login</body></html>", "HTML"),
        (b"\x30\x82\x01\x02\x00", "DER"),
        (
            b"Lorem ipsum dolor, sit amet\nconsectetur, adipiscing\n",
            "header",
        ),
        (b"", "nothing"),
        (b"{\"a\":{\"b\":1}}", "array"),
        (b"[[1,2],[3,4]]", "array"),
        (b"colour,shape\nred,round\n", "header"),
        (b"[{\"colour\":\"red\"}]", "no column"),
    ] {
        let error = fail(bytes);
        assert!(
            matches!(error, InventoryError::NotAnInventory { .. }),
            "{error}"
        );
        let text = error.to_string();
        assert!(
            text.contains(seen) && text.contains("expected CSV"),
            "{text}"
        );
    }
    assert!(matches!(
        fail(b"[{\"id\":1},"),
        InventoryError::Json {
            truncated: true,
            ..
        }
    ));
    assert!(matches!(fail(b"id,owner\n"), InventoryError::NoRows { .. }));
}

#[test]
fn an_export_that_is_too_incomplete_is_an_error_unless_allowed() {
    let mangled = format!("id,fingerprint\n1,1.2E+47\n2,3.4E+12\n3,{SHA256}\n4,{SHA256}\n");
    let paged = format!(r#"{{"keys":[{{"id":"1","fingerprint":"{SHA256}"}}],"NextToken":"abc"}}"#);
    let allow = ReadOptions {
        allow_partial: true,
        ..ReadOptions::default()
    };
    let error = fail(mangled.as_bytes());
    assert!(
        matches!(
            error,
            InventoryError::TooManyUnusable {
                rows: 4,
                unusable: 2,
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(
        read_bytes("m", mangled.as_bytes(), &allow)
            .unwrap()
            .entries
            .len(),
        4
    );
    let error = fail(paged.as_bytes());
    assert!(
        matches!(&error, InventoryError::PageToken { token, .. } if token == "NextToken"),
        "{error}"
    );
    let allowed = read_bytes("p", paged.as_bytes(), &allow).unwrap();
    assert_eq!((allowed.entries.len(), allowed.doubts.len()), (1, 1));
    // A fifth, not more, is used.
    let fifth =
        format!("id,fingerprint\n1,1.2E+47\n2,{SHA256}\n3,{SHA256}\n4,{SHA256}\n5,{SHA256}\n");
    assert_eq!(parse("f", &fifth).entries.len(), 5);
}

#[test]
fn private_material_is_in_no_output() {
    // RFC 8410, section 10.3
    let secret = "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC";
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{secret}\n-----END PRIVATE KEY-----");
    let broken: String = (0..8)
        .map(|i| format!("{i},a,{SHA256},,active,x,y\n"))
        .collect();
    for text in [
        format!(
            "id,owner,fingerprint,Password,state,Notes\n1,a,{SHA256},hunter2,active,\"{pem}\"\n"
        ),
        format!(
            "id,owner,fingerprint,state,expires,path\n1,a,\"{pem}\",hunter2!,hunter2,hunter2 x\n"
        ),
        format!("id,owner,fingerprint,state\n1,{secret},hunter2,hunter2!\n"),
        format!("id,owner,fingerprint,a,state,b,c\n{broken}9,a,{SHA256},,active,b,{pem}\n"),
        format!(r#"[{{"id":"1","owner":"a","jwk":{{"kty":"OKP","d":"hunter2"}},"x":"{secret}"}}]"#),
    ] {
        let options = ReadOptions {
            allow_partial: true,
            ..ReadOptions::default()
        };
        let outcome = match read_bytes("s", text.as_bytes(), &options) {
            Ok(inventory) => {
                assert!(!inventory.faults.is_empty(), "{text}");
                // Cells that could not be read are kept as they are; faults and errors never hold one.
                format!("{:?}", inventory.faults)
            }
            Err(error) => error.to_string(),
        };
        assert!(
            !outcome.contains(secret) && !outcome.contains("hunter2"),
            "{outcome}"
        );
        let whole = format!("{:?}", read_bytes("s", text.as_bytes(), &options));
        assert!(!whole.contains(&secret[8..40]), "{whole}");
    }
    let kept = parse(
        "s",
        &format!("id,owner,fingerprint,Password\n1,a,{SHA256},hunter2\n"),
    );
    assert!(!format!("{kept:?}").contains("hunter2"));
}

#[test]
fn files_are_read_with_their_date_and_last_name() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keys.dat");
    std::fs::write(&path, format!("id,owner,fingerprint\n1,a,{SHA256}\n")).unwrap();
    let inventory = read(&path, &ReadOptions::default()).unwrap();
    assert_eq!(
        (inventory.name.as_str(), inventory.path.as_str()),
        ("keys.dat", path.to_str().unwrap())
    );
    assert_eq!(inventory.entries[0].source.to_string(), "keys.dat:2");
    assert!(inventory.as_of.is_some());
    let error = read(&directory.path().join("none"), &ReadOptions::default()).unwrap_err();
    assert!(matches!(error, InventoryError::Io { .. }));
    assert!(matches!(
        read(directory.path(), &ReadOptions::default()),
        Err(InventoryError::Io { .. })
    ));
}
