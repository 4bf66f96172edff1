//! The round: reconcile, propose, take over, reconcile. What a row should say comes from openssl and ssh-keygen (the fixtures'
//! expectations); workbooks are made and read by openpyxl.

use crate::support::{
    NOW, arg, check, err, expect, keymuster, lay_out, open_directory, plant, set_mode, told,
};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Flags that proposals answer.
const ANSWERED: &[&str] = &[
    "unknown",
    "unknown_certificate",
    "renewed_unrecorded",
    "mismatch",
    "misplaced",
];

/// Rows of the estate that are wrong, as its expectation says by hand.
const WRONG_ROWS: &[&str] = &["K-05", "K-13", "K-18", "K-19"];

/// Debian's interpreter, which has Debian's modules.
fn python(script: &str, args: &[&Path]) -> String {
    let output = Command::new("/usr/bin/python3")
        .args(["-c", script])
        .args(args)
        .output()
        .expect("python3 must be installed");
    assert!(
        output.status.success(),
        "python3-openpyxl must be installed: {}",
        err(&output)
    );
    String::from_utf8(output.stdout).unwrap()
}

fn reconciled(sweep: &Path, inventory: &Path) -> Value {
    let output = keymuster(&[
        "reconcile",
        arg(sweep),
        "-i",
        arg(inventory),
        "--now",
        NOW,
        "-q",
        "-f",
        "json",
    ]);
    assert!(output.status.code().unwrap() < 2, "{}", err(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Answered flags that are left on own keys that have to be in an inventory.
fn left(report: &Value) -> Vec<String> {
    const REFERENCES: &[&str] = &["known_host", "public_key", "certificate_request", "crl"];
    let mut out = Vec::new();
    for key in report["keys"].as_array().unwrap() {
        let kinds: BTreeSet<&str> = key["sightings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|s| s["kind"].as_str().unwrap())
            .collect();
        let reference = kinds.iter().all(|k| REFERENCES.contains(k));
        if key["class"] != "own" || reference {
            continue;
        }
        for flag in key["flags"].as_array().unwrap() {
            if ANSWERED.contains(&flag["flag"].as_str().unwrap()) {
                out.push(format!("{} {}", flag["flag"], flag["why"]));
            }
        }
    }
    out
}

fn proposed(sweep: &Path, inventory: &Path, out: &Path, more: &[&str]) -> String {
    let mut args = vec![
        "inventory",
        "propose",
        arg(sweep),
        "-i",
        arg(inventory),
        "--now",
        NOW,
        "-o",
        arg(out),
    ];
    args.extend(more);
    let output = keymuster(&args);
    check(&output, 0, &format!("{args:?}"));
    err(&output)
}

/// The estate's export as a workbook with true dates and numbers, beside a sheet of something else.
const MAKE_BOOK: &str = "
import csv, datetime, sys, openpyxl
from openpyxl.styles import Font
book = openpyxl.Workbook()
book.active.title = 'Read me'
book.active['A1'] = 'Keys of the estate'
sheet = book.create_sheet('Register')
for number, row in enumerate(csv.reader(open(sys.argv[1]))):
    cells = []
    for column, text in enumerate(row):
        value = text or None
        if number and column in (5, 6, 8) and len(text) == 10:
            value = datetime.date.fromisoformat(text)
        if number and column == 7 and text:
            value = int(text)
        cells.append(value)
    sheet.append(cells)
sheet['A1'].font = Font(bold=True)
sheet.column_dimensions['B'].width = 40
book.save(sys.argv[2])
";

const DUMP_BOOK: &str = "
import json, sys, openpyxl
book = openpyxl.load_workbook(open(sys.argv[1], 'rb'))
out = {}
for sheet in book:
    out[sheet.title] = [[[c.data_type, str(c.value), c.number_format] if c.value is not None else None for c in row] for row in sheet.iter_rows()]
print(json.dumps(out))
";

fn book(path: &Path) -> Value {
    serde_json::from_str(&python(DUMP_BOOK, &[path])).unwrap()
}

#[test]
fn the_estate_is_clean_once_the_proposals_are_taken_over() {
    let dir = lay_out();
    let at = |name: &str| dir.path().join(name);
    let sweep = at("sweep");
    let hosts = dir.path().join("hosts");
    check(
        &keymuster(&[
            "scan",
            "--hosts-under",
            arg(&hosts),
            "-q",
            "-f",
            "jsonl",
            "-o",
            arg(&sweep),
        ]),
        0,
        "sweep",
    );
    let workbook = at("register.xlsx");
    python(
        MAKE_BOOK,
        &[Path::new("fixtures/estate/inventory.csv"), &workbook],
    );
    for inventory in [
        PathBuf::from("fixtures/estate/inventory.csv"),
        PathBuf::from("fixtures/estate/inventory.json"),
        workbook,
    ] {
        let before = left(&reconciled(&sweep, &inventory));
        assert!(before.len() > 12, "{before:?}");
        let whole = at("whole");
        let said = proposed(&sweep, &inventory, &whole, &["--whole"]);
        assert!(said.contains("13 rows new, 4 changed"), "{said}");
        assert_eq!(
            fs::metadata(&whole).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let after = reconciled(&sweep, &whole);
        assert_eq!(
            left(&after),
            Vec::<String>::new(),
            "{}",
            inventory.display()
        );
        // Nothing more is to be proposed.
        let again = proposed(&sweep, &whole, &at("again"), &["-v"]);
        assert!(again.contains("0 rows new, 0 changed"), "{again}");
        // New rows have no owner, and nobody is made up.
        let unowned = |e: &&Value| e.get("owner").is_none();
        let rows = after["entries"].as_array().unwrap();
        assert_eq!(rows.len(), 67 + 13);
        assert_eq!(rows.iter().skip(67).filter(unowned).count(), 13);
        // The rows alone are an inventory too, of these rows.
        let alone = at("alone");
        proposed(&sweep, &inventory, &alone, &[]);
        assert_eq!(
            reconciled(&sweep, &alone)["entries"]
                .as_array()
                .unwrap()
                .len(),
            17
        );
        unchanged_rows_are_the_same(&inventory, &whole);
    }
}

fn unchanged_rows_are_the_same(before: &Path, after: &Path) {
    let wrong = |id: &str| WRONG_ROWS.contains(&id);
    match before.extension().unwrap().to_str().unwrap() {
        "csv" => {
            let (old, new) = (
                fs::read_to_string(before).unwrap(),
                fs::read_to_string(after).unwrap(),
            );
            let (old, new): (Vec<&str>, Vec<&str>) = (
                old.split_inclusive('\n').collect(),
                new.split_inclusive('\n').collect(),
            );
            assert_eq!(new.len(), old.len() + 13);
            for (a, b) in old.iter().zip(&new) {
                assert_eq!(a == b, !wrong(&a[..4]), "{a}{b}");
            }
        }
        "json" => {
            let read =
                |path| serde_json::from_slice::<Vec<Value>>(&fs::read(path).unwrap()).unwrap();
            for (a, b) in read(before).iter().zip(read(after)) {
                assert_eq!(*a == b, !wrong(a["Key ID"].as_str().unwrap()), "{a}{b}");
            }
        }
        _ => {
            let (old, new) = (book(before), book(after));
            assert_eq!(old["Read me"], new["Read me"]);
            let (old, new) = (&old["Register"], &new["Register"]);
            let rows = old.as_array().unwrap();
            for (a, b) in rows.iter().zip(new.as_array().unwrap()) {
                assert_eq!(a == b, !wrong(a[0][1].as_str().unwrap()), "{a}{b}");
            }
            // Dates are dates, in the format of their column.
            let row = &new[rows.len() + 1];
            assert_eq!(
                (&row[5][0], &row[8][0]),
                (&"d".into(), &"d".into()),
                "{row}"
            );
            assert_eq!(row[8][2], old[1][8][2]);
            assert_eq!(new[18][8][1], "2027-01-18 00:00:00", "the renewed row");
        }
    }
}

/// A host with a server's certificate and key, and a person's SSH key with a name that a spreadsheet would run.
struct Small {
    dir: TempDir,
    sweep: PathBuf,
}

impl Small {
    fn new() -> Self {
        let dir = open_directory();
        plant("identity/p256/pkcs8.pem", dir.path(), "tree/tls/a.key");
        plant(
            "identity/p256/certificate.pem",
            dir.path(),
            "tree/tls/a.crt",
        );
        let public = fs::read_to_string("fixtures/identity/ed25519/openssh_public.pub").unwrap();
        let words: Vec<&str> = public.split_whitespace().collect();
        let ssh = dir.path().join("tree/ssh");
        fs::create_dir_all(&ssh).unwrap();
        fs::write(
            ssh.join("authorized_keys"),
            format!("{} {} =cmd|'/c calc'!A1\n", words[0], words[1]),
        )
        .unwrap();
        set_mode(&ssh.join("authorized_keys"), 0o600);
        let sweep = dir.path().join("sweep");
        let tree = dir.path().join("tree");
        let root = format!("web01={}", arg(&tree));
        expect(
            0,
            &[
                "scan",
                "--host-root",
                &root,
                "-q",
                "-f",
                "jsonl",
                "-o",
                arg(&sweep),
            ],
        );
        Self { dir, sweep }
    }

    fn write(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// The proposals for an export, which are taken over and leave nothing; gives the whole and the rows alone.
    fn round(&self, name: &str, content: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let inventory = self.write(name, content);
        let (whole, rows) = (self.dir.path().join("whole"), self.dir.path().join("rows"));
        let said = proposed(&self.sweep, &inventory, &whole, &["--whole"]);
        proposed(&self.sweep, &inventory, &rows, &[]);
        assert!(said.contains("2 rows new, 0 changed"), "{name}: {said}");
        let after = reconciled(&self.sweep, &whole);
        assert_eq!(left(&after), Vec::<String>::new(), "{name}");
        (fs::read(whole).unwrap(), fs::read(rows).unwrap())
    }
}

fn fingerprint(fixture: &str, name: &str) -> String {
    told(fixture)["fingerprints"][name]
        .as_str()
        .unwrap()
        .to_owned()
}

fn coloned(hex: &str) -> String {
    let pairs: Vec<String> = hex
        .as_bytes()
        .chunks(2)
        .map(|p| String::from_utf8_lossy(p).to_uppercase())
        .collect();
    pairs.join(":")
}

const OTHER: &str = "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33";

#[test]
fn values_are_written_as_the_column_writes_them() {
    let small = Small::new();
    let sha1 = coloned(&fingerprint("identity/p256/certificate.pem", "cert_sha1"));
    let facts = told("identity/p256/certificate.pem");
    let end = facts["certificate"]["not_after"].as_str().unwrap();
    let day = format!("{}.{}.{}", &end[8..10], &end[5..7], &end[..4]);
    // Semicolons, a byte order mark, CRLF, quotes, host and path apart, the last line without an end.
    let text = format!(
        "\u{feff}\"Nr\";\"Owner\";\"Host\";\"Path\";\"SHA-1\";\"SSH fingerprint\";\"Valid To\";\"Status\";\"Algorithm\";\"Key Size\";\"Discovered\"\r\n\
         \"7\";\"x\";\"db01\";\"/etc/x.pem\";\"{OTHER}\";\"\";\"31.12.2027\";\"LIVE\";\"RSA\";\"2048 bit\";\"\"\r\n\
         \"8\";\"x\";\"db01\";\"/etc/y.pem\";\"\";\"\";\"\";\"ACTIVE\";\"ecdsa-sha2-nistp256\";\"256 bit\";\"01.11.2026\""
    );
    let (whole, rows) = small.round("a.csv", text.as_bytes());
    let whole = String::from_utf8(whole).unwrap();
    assert!(whole.starts_with(&text), "{whole}");
    let added: Vec<&str> = whole[text.len()..].split("\r\n").skip(1).collect();
    assert_eq!(added.len(), 2, "{added:?}");
    let tls = added.iter().find(|row| row.contains("/tls/")).unwrap();
    let ssh = added.iter().find(|row| row.contains("/ssh/")).unwrap();
    assert_eq!(
        *tls,
        format!(
            "\"\";\"\";\"web01\";\"/tls/a.crt; /tls/a.key\";\"{sha1}\";\"\";\"{day}\";\"LIVE\";\"ecdsa-sha2-nistp256\";\"256 bit\";\"24.11.2026\""
        )
    );
    let ssh_sha256 = fingerprint("identity/ed25519/openssh_public.pub", "ssh_sha256");
    assert_eq!(
        *ssh,
        format!(
            "\"\";\"\";\"web01\";\"/ssh/authorized_keys\";\"\";\"{ssh_sha256}\";\"\";\"LIVE\";\"Ed25519\";\"256 bit\";\"24.11.2026\""
        )
    );
    let rows = String::from_utf8(rows).unwrap();
    assert!(
        rows.starts_with('\u{feff}') && rows.lines().count() == 3,
        "{rows}"
    );
}

#[test]
fn the_encoding_of_the_export_stays() {
    let small = Small::new();
    let text = "Key ID\tName\tOwner\tFingerprint\tLocation\r\nK-1\tKäse\ta\t\tdb01:/a\r\n";
    let utf16: Vec<u8> = [0xff, 0xfe]
        .into_iter()
        .chain(text.encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    let (whole, _) = small.round("u.tsv", &utf16);
    assert!(whole.starts_with(&utf16) && whole.len() % 2 == 0);
    let latin: Vec<u8> = text
        .chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap())
        .collect();
    let (whole, _) = small.round("l.tsv", &latin);
    assert!(whole.starts_with(&latin));
}

#[test]
fn a_found_name_never_becomes_a_formula() {
    let small = Small::new();
    let (whole, rows) = small.round(
        "a.csv",
        b"Key ID,Name,Owner,Fingerprint,Location\nK-1,x,a,,db01:/a\n",
    );
    for text in [whole, rows] {
        let text = String::from_utf8(text).unwrap();
        assert!(text.contains(",'=cmd|"), "{text}");
        assert!(
            !text.contains(",=cmd") && !text.contains("\n=cmd"),
            "{text}"
        );
    }
    let csv = small.write(
        "b.csv",
        b"Key ID,Name,Owner,Fingerprint,Location\nK-1,x,a,,db01:/a\n",
    );
    let made = small.dir.path().join("b.xlsx");
    python(
        "import csv,sys,openpyxl\nb=openpyxl.Workbook()\nfor r in csv.reader(open(sys.argv[1])): b.active.append(r)\nb.save(sys.argv[2])",
        &[&csv, &made],
    );
    let (whole, rows) = small.round("c.xlsx", &fs::read(made).unwrap());
    for (bytes, at) in [(whole, 2), (rows, 1)] {
        let cells = book(&small.write("d.xlsx", &bytes));
        let sheet = cells.as_object().unwrap().values().next().unwrap();
        let names: Vec<&Value> = sheet.as_array().unwrap()[at..]
            .iter()
            .map(|row| &row[1])
            .collect();
        assert_eq!(names.len(), 2);
        let evil = names
            .iter()
            .find(|n| n[1].as_str().unwrap().contains("cmd"))
            .unwrap();
        assert_eq!(
            (&evil[0], evil[1].as_str().unwrap().starts_with("'=")),
            (&"s".into(), true),
            "{evil}"
        );
    }
}

#[test]
fn json_keeps_its_wrapper_its_types_and_every_other_byte() {
    let small = Small::new();
    let text = r#"{"made": "2026-11-01", "data": {"keys": [
    {"keyId": "K-1", "owner": {"mail": "a@b"}, "fingerprints": ["AA"], "locations": [{"host": "db01", "path": "/a"}], "bits": 2048, "big": 123456789012345678901234567890, "lifecycle": {"state": "active"}}
  ], "note": "ü"}}
"#
    .replace("\"AA\"", &format!("\"{}\"", OTHER.replace(':', "")));
    let (whole, rows) = small.round("a.json", text.as_bytes());
    let (whole, rows) = (
        String::from_utf8(whole).unwrap(),
        String::from_utf8(rows).unwrap(),
    );
    let row_end = text.find("\n  ]").unwrap();
    assert!(
        whole.starts_with(&text[..row_end]) && whole.ends_with(&text[row_end..]),
        "{whole}"
    );
    let read: Value = serde_json::from_str(&rows).unwrap();
    let keys = read["data"]["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 2);
    assert_eq!(read["made"], "2026-11-01");
    let tls = keys
        .iter()
        .find(|k| k.to_string().contains("/tls/"))
        .unwrap();
    assert_eq!(
        tls["locations"],
        serde_json::json!([{"host": "web01", "path": "/tls/a.crt"}, {"host": "web01", "path": "/tls/a.key"}])
    );
    assert_eq!(
        (&tls["bits"], &tls["keyId"], &tls["owner"]["mail"]),
        (&256.into(), &Value::Null, &Value::Null)
    );
    let sha1 = fingerprint("identity/p256/certificate.pem", "cert_sha1").to_uppercase();
    assert_eq!(tls["fingerprints"], serde_json::json!([sha1]));
}

#[test]
fn json_lines_and_yaml_go_the_round_too() {
    let small = Small::new();
    let line = format!(
        "{{\"id\":\"K-1\",\"owner\":\"a\",\"fingerprint\":\"{OTHER}\",\"location\":\"db01:/a\"}}\n{{\"id\":\"K-2\",\"owner\":\"b\"}}\n"
    );
    let (whole, rows) = small.round("a.jsonl", line.as_bytes());
    assert!(String::from_utf8(whole).unwrap().starts_with(&line));
    assert_eq!(rows.iter().filter(|b| **b == b'\n').count(), 2);
    let yaml = format!(
        "# keys\nkeys:\n  - id: K-1\n    owner: a\n    fingerprint: \"{OTHER}\"\n    location: db01:/a\n"
    );
    let (whole, rows) = small.round("a.yaml", yaml.as_bytes());
    assert!(
        String::from_utf8(whole)
            .unwrap()
            .contains("id: K-1\n    owner: a\n")
    );
    assert!(!String::from_utf8(rows).unwrap().contains("K-1"));
}

#[test]
fn reasons_stand_in_a_last_column_that_is_no_field() {
    let small = Small::new();
    let inventory = small.write(
        "a.csv",
        b"Key ID,Owner,Fingerprint,Location\nK-1,a,,db01:/a\n",
    );
    let out = small.dir.path().join("out");
    proposed(&small.sweep, &inventory, &out, &["--reasons"]);
    let text = fs::read_to_string(&out).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "Key ID,Owner,Fingerprint,Location,Proposal");
    assert!(
        lines[1..]
            .iter()
            .all(|l| l.contains("new: unknown: ") && l.contains("the owner is to be named")),
        "{text}"
    );
    assert_eq!(
        reconciled(&small.sweep, &out)["entries"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn a_report_gives_the_same_rows_as_its_sweeps() {
    let small = Small::new();
    let inventory = small.write(
        "a.csv",
        b"Key ID,Owner,Fingerprint,Location\nK-1,a,,db01:/a\n",
    );
    let report = small.dir.path().join("report.json");
    let made = keymuster(&[
        "reconcile",
        arg(&small.sweep),
        "-i",
        arg(&inventory),
        "--now",
        NOW,
        "-q",
        "-f",
        "json",
        "-o",
        arg(&report),
    ]);
    assert!(made.status.code().unwrap() < 2);
    let (a, b) = (small.dir.path().join("a"), small.dir.path().join("b"));
    proposed(&small.sweep, &inventory, &a, &[]);
    proposed(&report, &inventory, &b, &[]);
    assert_eq!(fs::read(a).unwrap(), fs::read(b).unwrap());
}

#[test]
fn forms_that_are_not_written_are_refused_and_the_target_stays() {
    let small = Small::new();
    let out = small.write("out", b"before");
    for file in ["register.ods", "register.sqlite", "cbom-1.6.json"] {
        let inventory = Path::new("fixtures/inventory/forms").join(file);
        let output = expect(
            2,
            &[
                "inventory",
                "propose",
                arg(&small.sweep),
                "-i",
                arg(&inventory),
                "-o",
                arg(&out),
            ],
        );
        assert!(
            err(&output).contains("rows are written into delimited text"),
            "{}",
            err(&output)
        );
        assert_eq!(fs::read(&out).unwrap(), b"before");
    }
}
