//! Passwords: where they come from, what is told of them, and what trying them may cost.

use super::sweep;
use crate::support::{
    BINARY, arg, check, command, err, expect, gaps, keymuster, measured, of_kind, open_directory,
    out, plant, records, told,
};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// What must never be told.
const TEXTS: [&str; 4] = ["Kranich-7719", "Reiher-4402", "Pirol-3318", "Sperber-9054"];

/// A store that openssl makes of a key whose identity is known.
fn store(path: &Path, algorithm: &str, options: &[&str], password: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let fixture = |name: &str| format!("fixtures/identity/{algorithm}/{name}");
    let output = Command::new("openssl")
        .args(["pkcs12", "-export", "-name", "entry", "-inkey"])
        .arg(fixture("pkcs8.pem"))
        .arg("-in")
        .arg(fixture("certificate.pem"))
        .args(options)
        .args(["-passout", &format!("pass:{password}"), "-out"])
        .arg(path)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", err(&output));
}

/// The identity that openssl told of that key.
fn identity(algorithm: &str) -> Value {
    told(&format!("identity/{algorithm}/pkcs8.pem"))["key_id"].clone()
}

fn private<'a>(records: &'a [Value], path: &Path) -> &'a Value {
    let of_path = of_kind(records, "sighting")
        .into_iter()
        .filter(|s| s["location"]["path"] == arg(path) && s["kind"] == "private_key");
    let found: Vec<&Value> = of_path.collect();
    assert_eq!(found.len(), 1, "{}", path.display());
    found[0]
}

/// Whether the store's key was opened, as whose it is, and by which place of which list.
fn is_open(records: &[Value], path: &Path, algorithm: &str, list: &str, position: u64) {
    let key = private(records, path);
    assert_eq!(key["key_id"], identity(algorithm), "{}", path.display());
    let by = json!({"list": list, "position": position});
    assert_eq!(key["opened"], by, "{}", path.display());
}

fn is_closed(records: &[Value], path: &Path) {
    let key = private(records, path);
    assert_eq!(key["opened"], Value::Null);
    assert!(
        key["key_id"]
            .as_str()
            .unwrap()
            .starts_with("opaque-sha256:"),
        "{key}"
    );
}

/// Nothing that a run wrote has one of the texts.
fn silent(output: &Output) {
    let said = [&output.stdout[..], &output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    for text in TEXTS {
        assert!(!said.contains(text), "a password is told");
    }
}

/// The sweep in each form; none tells a password. Gives the records.
fn scan(
    code: i32,
    dir: &TempDir,
    tree: &Path,
    options: &[&str],
    home: &[(&str, &str)],
) -> Vec<Value> {
    let run = |form: &str| {
        let args = ["scan", arg(tree), "-v", "-f", form];
        let output = command(&[&args[..], options].concat())
            .env_remove("KEYMUSTER_PASSWORDS_FILE")
            .envs(home.iter().copied())
            .current_dir(dir.path())
            .output()
            .unwrap();
        silent(&output);
        check(&output, code, &format!("{options:?}"));
        output
    };
    run("text");
    run("json");
    records(&run("jsonl").stdout)
}

fn write(dir: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = dir.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    path
}

#[test]
fn a_list_opens_by_option_and_by_environment_and_is_told_by_place() {
    let dir = open_directory();
    let tree = dir.path().join("tree");
    let place = tree.join("a.p12");
    store(&place, "p256", &[], TEXTS[0]);
    let list = write(
        &dir,
        "list",
        &format!("wrong\n\n{}\n{}\n", TEXTS[1], TEXTS[0]),
    );
    let other = write(&dir, "other", &format!("{}\n", TEXTS[2]));
    is_closed(&scan(0, &dir, &tree, &[], &[]), &place);
    let by_option = scan(0, &dir, &tree, &["--passwords", arg(&list)], &[]);
    is_open(&by_option, &place, "p256", "given", 4);
    let variable = "KEYMUSTER_PASSWORDS_FILE";
    let by_variable = scan(0, &dir, &tree, &[], &[(variable, arg(&list))]);
    is_open(&by_variable, &place, "p256", "given", 4);
    // The option goes before the environment, and an empty name is none.
    let both = scan(
        0,
        &dir,
        &tree,
        &["--passwords", arg(&other)],
        &[(variable, arg(&list))],
    );
    is_closed(&both, &place);
    is_closed(&scan(0, &dir, &tree, &[], &[(variable, "")]), &place);
    // Blanks and case are the user's.
    for text in [format!(" {}", TEXTS[0]), TEXTS[0].to_lowercase()] {
        let near = write(&dir, "near", &text);
        is_closed(
            &scan(0, &dir, &tree, &["--passwords", arg(&near)], &[]),
            &place,
        );
    }
    // What was opened is told in the summary for people too.
    let text = keymuster(&[
        "scan",
        arg(&tree),
        "-v",
        "--passwords",
        arg(&list),
        "--sweep",
        arg(&dir.path().join("kept")),
    ]);
    silent(&text);
    let id = identity("p256");
    let explained = expect(
        0,
        &[
            "explain",
            id.as_str().unwrap(),
            arg(&dir.path().join("kept")),
        ],
    );
    silent(&explained);
    assert!(
        out(&explained).contains("opened with password 4"),
        "{}",
        out(&explained)
    );
    // A list that is not there is an error before anything is swept.
    let output = keymuster(&[
        "scan",
        arg(&tree),
        "--passwords",
        arg(&dir.path().join("none")),
    ]);
    check(&output, 2, "no list");
    assert!(err(&output).contains("none"), "{}", err(&output));
    assert!(output.stdout.is_empty());
}

#[test]
fn rules_of_a_configuration_hold_for_their_paths_and_go_first() {
    let dir = open_directory();
    let tree = dir.path().join("tree");
    let (app, mail, rest) = (
        tree.join("app/a.p12"),
        tree.join("mail/b.p12"),
        tree.join("c.p12"),
    );
    store(&app, "p256", &[], TEXTS[0]);
    store(&mail, "ed25519", &[], TEXTS[1]);
    store(&rest, "p384", &[], TEXTS[0]);
    write(&dir, "conf/app.txt", &format!("no\n{}\n", TEXTS[0]));
    write(&dir, "conf/mail.txt", &format!("{}\n", TEXTS[1]));
    let config = format!(
        "[[passwords]]\npaths = [\"{0}/app/**\"]\nfile = \"app.txt\"\n\n[[passwords]]\npaths = [\"{0}/mail/*\", \"{0}/app/*\"]\nfile = \"mail.txt\"\n",
        arg(&tree)
    );
    let config = write(&dir, "conf/keymuster.toml", &config);
    let options = ["--config", arg(&config)];
    let seen = scan(0, &dir, &tree, &options, &[]);
    is_open(&seen, &app, "p256", "configured", 2);
    // The second rule's list counts on from the first one's.
    is_open(&seen, &mail, "ed25519", "configured", 3);
    // A rule's password is for its paths alone.
    is_closed(&seen, &rest);
    // With a list for all, a rule's own passwords come before it.
    let list = write(&dir, "list", &format!("{}\n", TEXTS[0]));
    let seen = scan(
        0,
        &dir,
        &tree,
        &[&options[..], &["--passwords", arg(&list)]].concat(),
        &[],
    );
    is_open(&seen, &app, "p256", "configured", 2);
    is_open(&seen, &rest, "p384", "given", 1);
    // What is wrong with a configuration is told by line and reason, never by its text.
    for (text, said) in [
        (format!("[[passwords]]\npath = \"{}\"\n", TEXTS[2]), ":2"),
        (
            format!(
                "[[passwords]]\npaths = [\"/a\"]\nfile = \"x\"\ntext = \"{}\"\n",
                TEXTS[2]
            ),
            ":4",
        ),
        (format!("[[passwords]]\npaths = \"{}\n", TEXTS[2]), ":2"),
        (
            "[[passwords]]\npaths = [\"/a\"]\nfile = \"absent.txt\"\n".to_owned(),
            "absent.txt",
        ),
        (
            "[[passwords]]\npaths = [\"[\"]\nfile = \"app.txt\"\n".to_owned(),
            "`[`",
        ),
    ] {
        let wrong = write(&dir, "conf/wrong.toml", &text);
        let output = keymuster(&["scan", arg(&tree), "--config", arg(&wrong)]);
        check(&output, 2, &text);
        silent(&output);
        assert!(err(&output).contains(said), "{}", err(&output));
    }
}

/// The flags of a report's findings on keys, with the reason.
fn flags(output: &Output) -> Vec<(String, String)> {
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let keys = report["keys"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    keys.iter()
        .flat_map(|key| key["flags"].as_array().unwrap())
        .map(|flag| (text(&flag["flag"]), text(&flag["why"])))
        .collect()
}

#[test]
fn a_default_password_is_weak_and_can_be_left_untried() {
    let dir = open_directory();
    let tree = dir.path().join("tree");
    let place = tree.join("a.p12");
    store(&place, "p256", &[], "changeit");
    let good = tree.join("b.p12");
    store(&good, "ed25519", &[], TEXTS[0]);
    let list = write(&dir, "list", &format!("{}\nchangeit\n", TEXTS[0]));
    let seen = scan(0, &dir, &tree, &[], &[]);
    is_open(&seen, &place, "p256", "built_in", 2);
    is_closed(&seen, &good);
    let untried = scan(0, &dir, &tree, &["--no-default-passwords"], &[]);
    is_closed(&untried, &place);
    let weak = |options: &[&str]| -> Vec<String> {
        let kept = dir.path().join("kept");
        let args = ["scan", arg(&tree), "-f", "json", "--sweep", arg(&kept)];
        let at_once = expect(0, &[&args[..], options].concat());
        let later = expect(0, &["reconcile", arg(&kept), "-f", "json"]);
        let judged = flags(&at_once);
        assert_eq!(judged, flags(&later));
        judged
            .into_iter()
            .filter(|(flag, _)| flag == "weak")
            .map(|(_, why)| why)
            .collect()
    };
    let told = weak(&[]);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].contains("default password") && told[0].contains(arg(&place)),
        "{told:?}"
    );
    assert!(!told[0].contains("changeit"));
    assert!(weak(&["--no-default-passwords"]).is_empty());
    // A default is one, whoever names it.
    assert_eq!(weak(&["--passwords", arg(&list)]), told);
    assert_eq!(
        weak(&["--passwords", arg(&list), "--no-default-passwords"]),
        told
    );
    // One that is not is none.
    let seen = scan(0, &dir, &tree, &["--passwords", arg(&list)], &[]);
    is_open(&seen, &good, "ed25519", "given", 1);
}

#[test]
fn texts_beside_a_store_and_in_a_unit_are_evidence_and_are_tried_only_when_that_is_wanted() {
    let dir = open_directory();
    let root = dir.path().join("host");
    let beside = root.join("srv/app/app.p12");
    store(&beside, "p256", &[], TEXTS[0]);
    fs::write(
        root.join("srv/app/keystore.password"),
        format!("{}\n", TEXTS[0]),
    )
    .unwrap();
    fs::write(root.join("srv/app/readme"), format!("{}\n", TEXTS[1])).unwrap();
    let by_unit = root.join("opt/mail/mail.p12");
    store(&by_unit, "ed25519", &[], TEXTS[2]);
    let units = root.join("etc/systemd/system");
    fs::create_dir_all(&units).unwrap();
    let unit = |store: &str, text: &str| {
        format!("[Service]\nExecStart=/usr/bin/java Mail -keystore {store} -storepass {text}\n")
    };
    fs::write(
        units.join("mail.service"),
        unit("/opt/mail/mail.p12", TEXTS[2]),
    )
    .unwrap();
    // It starts something else.
    fs::write(
        units.join("other.service"),
        unit("/opt/other.p12", TEXTS[3]),
    )
    .unwrap();
    let alone = root.join("opt/alone/alone.p12");
    store(&alone, "p384", &[], TEXTS[3]);
    let named = format!("host={}", arg(&root));
    let scan = |options: &[&str]| -> Vec<Value> {
        for form in ["text", "json"] {
            let args = ["scan", "/", "--host-root", &named, "-v", "-f", form];
            silent(&expect(0, &[&args[..], options].concat()));
        }
        let args = ["scan", "/", "--host-root", &named, "-f", "jsonl"];
        let output = expect(0, &[&args[..], options].concat());
        silent(&output);
        records(&output.stdout)
    };
    let inside = |path: &Path| Path::new("/").join(path.strip_prefix(&root).unwrap());
    let (beside, by_unit, alone) = (inside(&beside), inside(&by_unit), inside(&alone));
    let notes = |records: &[Value], path: &Path| -> String {
        of_kind(records, "sighting")
            .iter()
            .filter(|s| s["location"]["path"] == arg(path))
            .map(|s| s["notes"].to_string())
            .collect()
    };
    let evidence = |records: &[Value]| {
        assert!(
            notes(records, &beside)
                .contains("/srv/app/keystore.password names itself its password")
        );
        assert!(!notes(records, &beside).contains("readme"));
        assert!(
            notes(records, &by_unit)
                .contains("/etc/systemd/system/mail.service names itself its password")
        );
        assert!(!notes(records, &by_unit).contains("other.service"));
        assert!(!notes(records, &alone).contains("names itself"));
    };
    let seen = scan(&[]);
    evidence(&seen);
    for path in [&beside, &by_unit, &alone] {
        is_closed(&seen, path);
    }
    let seen = scan(&["--use-found-passwords"]);
    evidence(&seen);
    is_open(&seen, &beside, "p256", "found", 1);
    is_open(&seen, &by_unit, "ed25519", "found", 1);
    is_closed(&seen, &alone);
    // The file is still known.
    let key = private(&seen, &beside);
    assert!(key["file"]["mode"].is_string(), "{key}");
    // Each is told once.
    let count = |path: &Path| {
        of_kind(&seen, "sighting")
            .iter()
            .filter(|s| s["location"]["path"] == arg(path))
            .count()
    };
    assert_eq!([count(&beside), count(&by_unit)], [3, 3]);
    // What others open stays open beside what was found: two entries with passwords of their own.
    let list = write(&dir, "list", &format!("{}\n", TEXTS[3]));
    let seen = scan(&["--use-found-passwords", "--passwords", arg(&list)]);
    is_open(&seen, &beside, "p256", "found", 1);
    is_open(&seen, &alone, "p384", "given", 1);
}

#[test]
fn a_derivation_that_asks_for_too_much_is_refused_and_told() {
    let dir = open_directory();
    let tree = dir.path().join("tree");
    let place = plant("pkcs12/ten_million_iterations.p12", &tree, "slow.p12");
    let list = write(&dir, "list", "fixture passphrase, not a secret\n");
    let args = [
        "scan",
        arg(&tree),
        "-q",
        "-f",
        "jsonl",
        "--passwords",
        arg(&list),
    ];
    let (output, cost) = measured(BINARY, &args);
    check(&output, 4, "ten million iterations");
    assert!(cost.cpu < 2.0, "{cost:?}");
    let seen = records(&output.stdout);
    let told = gaps(&seen);
    assert!(!told.is_empty());
    for (path, reason) in &told {
        assert_eq!((path.as_str(), reason.as_str()), (arg(&place), "limit"));
    }
    let details: String = of_kind(&seen, "gap")
        .iter()
        .map(|gap| gap["detail"].to_string())
        .collect();
    assert!(details.contains("10000000 iterations"), "{details}");
    assert_eq!(of_kind(&seen, "end")[0]["complete"], false);
    // Who accepts it gets a sweep without complaint, and nothing was tried where nothing is to try.
    sweep(
        0,
        &tree,
        &["--passwords", arg(&list), "--allow-gaps", "limit"],
    );
}

#[test]
fn slow_stores_hold_neither_the_rest_nor_the_end() {
    let dir = open_directory();
    let tree = dir.path().join("tree");
    // Dear and legal: the whole effort for one file, and no password opens it.
    let dear = ["-iter", "100000", "-maciter"];
    let model = dir.path().join("model");
    store(&model, "p256", &dear, TEXTS[0]);
    let slow: u8 = 6;
    for number in 0..slow {
        fs::create_dir_all(&tree).unwrap();
        fs::copy(&model, tree.join(format!("slow{number}.p12"))).unwrap();
    }
    for number in 0..200 {
        plant(
            "identity/p256/certificate.pem",
            &tree,
            &format!("rest/{number}.pem"),
        );
    }
    let list: String = (0..100).map(|number| format!("wrong {number}\n")).collect();
    let list = write(&dir, "list", &list);
    let options = ["--passwords", arg(&list), "-j", "2"];
    let cost = |options: &[&str]| -> (Vec<Value>, f64) {
        let args = ["scan", arg(&tree), "-q", "-f", "jsonl"];
        let (output, cost) = measured(BINARY, &[&args[..], options].concat());
        check(&output, 4, "slow stores");
        println!("{options:?}: {cost:?}");
        assert!(cost.memory < 256.0, "{cost:?}");
        (records(&output.stdout), cost.cpu)
    };
    let (seen, cpu) = cost(&options);
    // Each costs no more than the effort that is granted for a file, a second or four without optimisation; a hundred passwords
    // would take ten times that.
    assert!(cpu < 4.0 * f64::from(slow), "{cpu}");
    let found = of_kind(&seen, "sighting")
        .iter()
        .filter(|s| {
            s["kind"] == "certificate" && s["location"]["path"].as_str().unwrap().contains("/rest/")
        })
        .count();
    assert_eq!(found, 200);
    let limits = gaps(&seen).into_iter().filter(|(path, reason)| {
        assert_eq!(reason, "limit");
        path.contains("slow")
    });
    assert!(limits.count() >= usize::from(slow));
    // The end of the time comes between two stores, and is told.
    let (seen, cpu) = cost(&[&options[..], &["--time-limit", "1s"]].concat());
    assert!(cpu < 10.0, "{cpu}");
    let details: String = of_kind(&seen, "gap")
        .iter()
        .map(|gap| gap["detail"].to_string())
        .collect();
    assert!(details.contains("time limit"), "{details}");
}
