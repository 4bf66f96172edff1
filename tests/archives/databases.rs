//! SQLite: every key as a value, by the names of its table and column and the number of its row.

use super::damage::shell;
use super::plants::{Planted, Swept, Told, plant_all, sweep};
use crate::support::{open_directory, plant};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Makes a database of the files beneath a directory: their names are those of the values.
fn database(files: &Path, target: &Path, settings: &str, end: &str) {
    let script = r#"
        cd "$1"
        { echo "$3 BEGIN;"
          echo 'CREATE TABLE "all keys"(id INTEGER PRIMARY KEY, -- (the number,
                size DECIMAL(10, 2) DEFAULT (1.5), twice AS (size * 2), name TEXT UNIQUE, data, note TEXT);'
          find * -type f | LC_ALL=C sort | while IFS= read -r f; do
            # Text where it is text.
            value="readfile('$f')"
            iconv -f utf-8 -t utf-8 "$f" >/dev/null 2>&1 && ! grep -qP '\x00' "$f" && value="CAST($value AS TEXT)"
            echo "INSERT INTO \"all keys\"(name, data, note) VALUES ('$f', $value, 'a note of some length for each row of this table');"
          done
          echo "COMMIT; $4"
        } | sqlite3 -bail "$2"
    "#;
    let status = Command::new("bash")
        .args(["-euc", script, "bash"])
        .args([files, target])
        .args([settings, end])
        .status()
        .unwrap();
    assert!(status.success(), "{}", target.display());
}

/// The names of the values' files, by the number of their row, as sqlite3 has them.
fn rows(database: &Path) -> BTreeMap<String, String> {
    let output = Command::new("sqlite3")
        .arg(database)
        .arg("SELECT id, name FROM \"all keys\"")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let rows = text.lines().map(|line| line.split_once('|').unwrap());
    rows.map(|(id, name)| (format!("all keys.data {id}"), name.to_owned()))
        .collect()
}

fn sorted(mut told: Vec<Told>) -> Vec<Told> {
    told.sort();
    told
}

/// What was found in values of a database, by the names of their files.
fn values(swept: &Swept, file: &Path, chain: &[&str], names: &BTreeMap<String, String>) -> Planted {
    let found = swept.found.get(file).into_iter().flatten();
    found
        .filter(|((types, _), _)| types == chain)
        .map(|((_, name), told)| (names[name].clone(), sorted(told.clone())))
        .collect()
}

#[test]
fn every_key_is_found_in_a_database() {
    let keys = open_directory();
    let planted = plant_all(keys.path());
    let expected: Planted = planted.into_iter().map(|(n, t)| (n, sorted(t))).collect();
    let dir = open_directory();
    database(keys.path(), &dir.path().join("plain.db"), "", "VACUUM;");
    shell(
        dir.path(),
        "again() { cp plain.db $1; sqlite3 $1 \"$2; VACUUM; ${3-}\"; }; copies='CREATE INDEX copies ON [all keys](data)'
        again 512.db 'PRAGMA page_size=512' \"$copies\"; again 64k.db 'PRAGMA page_size=65536' \"$copies\"
        again vacuum.db 'PRAGMA auto_vacuum=1; PRAGMA page_size=1024'
        { echo \"PRAGMA encoding='UTF-16le';\"; sqlite3 plain.db .dump; echo 'VACUUM;'; } | sqlite3 utf16.db",
    );
    let names = rows(&dir.path().join("plain.db"));
    shell(dir.path(), "gzip -k plain.db; tar -cf 512.tar 512.db");
    let swept = sweep(dir.path(), &[]);
    assert!(swept.gaps.is_empty(), "{:?}", swept.gaps.first());
    let names_of = ["plain.db", "512.db", "64k.db", "vacuum.db", "utf16.db"];
    let mut chains: Vec<(&str, &[&str])> = names_of.map(|name| (name, &["sqlite"][..])).to_vec();
    chains.push(("plain.db.gz", &["gzip", "sqlite"]));
    chains.push(("512.tar", &["tar", "sqlite"]));
    for (name, chain) in chains {
        let file = dir.path().join(name);
        let found = values(&swept, &file, chain, &names);
        let lost: Vec<_> = expected
            .iter()
            .filter(|(n, t)| found.get(*n) != Some(t))
            .collect();
        assert!(
            lost.is_empty(),
            "{name}: {} lost, {:?}",
            lost.len(),
            lost.first()
        );
        assert_eq!(found.len(), expected.len(), "{name}");
    }
    // What was packed tightly has no remnants: nothing is told twice.
    let others = swept.found[&dir.path().join("plain.db")].keys();
    assert!(others.into_iter().all(|(types, _)| types == &["sqlite"]));
}

/// The identities found, by the name of the innermost member.
fn identities(swept: &Swept, file: &Path) -> Vec<(String, String)> {
    let found = swept.found.get(file).into_iter().flatten();
    let all = found.flat_map(|((_, name), told)| told.iter().map(|t| (name.clone(), t.1.clone())));
    all.collect()
}

fn key_id(fixture: &str) -> String {
    let told = crate::support::told(fixture);
    told["key_id"].as_str().unwrap().to_owned()
}

#[test]
fn tables_of_other_kinds_and_large_values() {
    let dir = open_directory();
    plant("identity/p256/pkcs8.pem", dir.path(), "1.pem");
    plant("identity/p384/pkcs8.pem", dir.path(), "2.pem");
    shell(
        dir.path(),
        r#"sqlite3 x.db "CREATE TABLE t(k TEXT PRIMARY KEY, v) WITHOUT ROWID; INSERT INTO t VALUES('a', readfile('1.pem')), ('b', 'a word like nssPublic');
             CREATE TABLE large(a, b, c); INSERT INTO large(rowid, a, b, c) VALUES(-7, 'x', zeroblob(3000000) || CAST(readfile('2.pem') AS TEXT) || char(10), 1);
             INSERT INTO large(a, b) VALUES('y', CAST(readfile('1.pem') || hex(randomblob(150000)) AS TEXT));
             CREATE TABLE d(x DEFAULT '$(cat 1.pem)'); CREATE VIEW v AS SELECT 1;"
           tar -cf - 1.pem | gzip >1.tgz; sqlite3 x.db "CREATE TABLE files(data); INSERT INTO files VALUES(readfile('1.tgz'))"; rm 1.tgz *.pem"#,
    );
    let swept = sweep(dir.path(), &[]);
    assert!(swept.gaps.is_empty(), "{:?}", swept.gaps);
    let (first, second) = (
        key_id("identity/p256/pkcs8.pem"),
        key_id("identity/p384/pkcs8.pem"),
    );
    let file = dir.path().join("x.db");
    let found = identities(&swept, &file);
    for expected in [
        ("t", &first),
        ("large.b -7", &second),
        ("large.b -6", &first),
        ("sqlite_schema.sql 3", &first),
        ("1.pem", &first),
    ] {
        let expected = (expected.0.to_owned(), expected.1.clone());
        assert!(found.contains(&expected), "{expected:?} {found:?}");
    }
    let zeros = &swept.found[&file][&(vec!["sqlite".to_owned()], "large.b -7".to_owned())];
    assert_eq!(zeros[0].2, 3_000_000);
}

#[test]
fn what_was_deleted_is_found() {
    let dir = open_directory();
    plant("identity/p256/pkcs8.pem", dir.path(), "1.pem");
    plant("identity/rsa3072/pkcs8.pem", dir.path(), "2.pem");
    shell(
        dir.path(),
        r#"sqlite3 x.db "PRAGMA secure_delete=0; CREATE TABLE t(a); INSERT INTO t VALUES('row'), (CAST(readfile('1.pem') AS TEXT)), ('row'); DELETE FROM t WHERE a LIKE '-%';
             CREATE TABLE gone(a); INSERT INTO gone VALUES(CAST(readfile('2.pem') AS TEXT)); DROP TABLE gone;"; rm *.pem"#,
    );
    let swept = sweep(dir.path(), &[]);
    let mut found = identities(&swept, &dir.path().join("x.db"));
    found.sort();
    let mut expected = [
        (String::new(), key_id("identity/p256/pkcs8.pem")),
        (String::new(), key_id("identity/rsa3072/pkcs8.pem")),
    ];
    expected.sort();
    assert_eq!(found, expected, "{:?}", swept.gaps);
}

#[test]
fn damaged_databases_are_searched_and_told() {
    let keys = open_directory();
    plant("identity/p256/pkcs8.pem", keys.path(), "1.pem");
    plant("identity/rsa3072/pkcs8.pem", keys.path(), "2.pem");
    plant("identity/ed25519/openssh_private", keys.path(), "3");
    let dir = open_directory();
    let whole = dir.path().join("whole");
    database(keys.path(), &whole, "PRAGMA page_size=1024;", "");
    let bytes = fs::read(&whole).unwrap();
    let all = [
        key_id("identity/p256/pkcs8.pem"),
        key_id("identity/ed25519/openssh_private"),
    ];
    let pages = bytes.len() / 1024;
    assert!(pages > 5);
    for page in 1..=pages {
        let mut damaged = bytes.clone();
        // The kind of the page, or the next page of a chain.
        let at = if page == 1 { 100 } else { (page - 1) * 1024 };
        damaged[at] = 0x77;
        fs::write(dir.path().join(format!("damaged.{page}")), damaged).unwrap();
    }
    fs::write(dir.path().join("cut"), &bytes[..bytes.len() - 1500]).unwrap();
    // Its table of tables names the page behind the one that lacks first.
    let short = dir.path().join("short");
    let script = "PRAGMA page_size=1024; CREATE TABLE a(x); CREATE TABLE b(x); DROP TABLE a;";
    let made = Command::new("sqlite3").arg(&short).arg(script).status();
    assert!(made.unwrap().success());
    let first = fs::read(&short).unwrap();
    fs::write(&short, &first[..1024]).unwrap();
    let swept = sweep(dir.path(), &[]);
    let reasons = |name: &str| -> Vec<&str> {
        let path = dir.path().join(name);
        let gaps = swept
            .gaps
            .iter()
            .filter(|gap| gap["path"] == path.to_str().unwrap());
        gaps.map(|gap| gap["reason"].as_str().unwrap()).collect()
    };
    let mut told = 0;
    for page in 1..=pages {
        let name = format!("damaged.{page}");
        let found = identities(&swept, &dir.path().join(&name));
        for key in &all {
            assert!(
                found.iter().any(|(_, found)| found == key),
                "{name} {found:?}"
            );
        }
        told += usize::from(reasons(&name).contains(&"malformed"));
    }
    // The last page of a chain has no next one that could be wrong.
    assert!(told >= pages - 2, "{told} of {pages}");
    assert!(
        reasons("cut").contains(&"truncated"),
        "{:?}",
        reasons("cut")
    );
    assert_eq!(reasons("whole"), [""; 0]);
    assert!(reasons("short").contains(&"malformed"));
    for gap in &swept.gaps {
        let size = fs::metadata(gap["path"].as_str().unwrap()).unwrap().len();
        assert!(gap["offset"].as_u64().is_none_or(|at| at <= size), "{gap}");
    }
}
