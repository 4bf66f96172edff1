//! The picture in ARCHITECTURE.md cannot rot: who imports whom, which paths the documents name, and that
//! every test file takes part.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Which stages a stage may import (the table in ARCHITECTURE.md). A stage may always import itself.
pub(crate) fn allowed() -> BTreeMap<&'static str, &'static [&'static str]> {
    BTreeMap::from([
        ("model", &[][..]),
        ("walk", &["model"]),
        ("formats", &["model", "containers"]),
        ("containers", &["model", "formats"]),
        ("archives", &["model"]),
        ("fields", &[]),
        ("detect", &["model", "formats"]),
        ("parse", &["model", "formats"]),
        // Of the formats only `wire`, as the next test says.
        ("identity", &["model", "formats"]),
        // Of the formats only `wire`.
        ("host", &["model", "formats"]),
        // Of the formats only `wire`.
        ("stores", &["model", "formats"]),
        // Of the formats only `wire`.
        ("inventory", &["model", "formats"]),
        ("policy", &["model"]),
        ("reconcile", &["model", "policy", "identity"]),
        ("history", &["model"]),
        ("report", &["model"]),
        (
            "pipeline",
            &[
                "model", "walk", "archives", "fields", "detect", "formats", "parse", "identity",
                "host", "stores",
            ],
        ),
        (
            "cli",
            &[
                "model",
                "walk",
                "pipeline",
                "stores",
                "inventory",
                "policy",
                "reconcile",
                "history",
                "report",
            ],
        ),
    ])
}

fn sources(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The code of a file without its trailing test module.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let end = text.find("#[cfg(test)]\nmod ").unwrap_or(text.len());
    text[..end].to_owned()
}

fn stage_of(path: &Path) -> String {
    let relative = path.strip_prefix("src").unwrap();
    let first = relative.components().next().unwrap();
    first
        .as_os_str()
        .to_str()
        .unwrap()
        .trim_end_matches(".rs")
        .to_owned()
}

/// The stages that a text names after `crate::`.
fn imports(text: &str) -> BTreeSet<String> {
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| line.split("crate::").skip(1))
        .map(|rest| {
            rest.chars()
                .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                .collect::<String>()
        })
        .filter(|name| !name.is_empty())
        .collect()
}

#[test]
fn stages_import_only_what_the_table_allows() {
    let allowed = allowed();
    let files = sources(Path::new("src"));
    assert!(files.len() > 40, "only {} files seen", files.len());
    let mut wrong = Vec::new();
    for file in files {
        let stage = stage_of(&file);
        if stage == "lib" || stage == "main" {
            continue;
        }
        let may = allowed
            .get(stage.as_str())
            .unwrap_or_else(|| panic!("stage {stage} is not in the table"));
        for import in imports(&code(&file)) {
            if import != stage && !may.contains(&import.as_str()) {
                wrong.push(format!("{} imports {import}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn identity_and_inventory_know_no_format() {
    let mut uses = 0;
    let mut files = sources(Path::new("src/identity"));
    files.extend(sources(Path::new("src/inventory")));
    for file in files {
        for rest in code(&file).split("crate::formats::").skip(1) {
            assert!(rest.starts_with("wire::"), "{}", file.display());
            uses += 1;
        }
    }
    assert!(uses > 0);
}

#[test]
fn formats_import_no_sibling() {
    let mut wrong = Vec::new();
    for dir in ["src/formats", "src/containers"] {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|e| e != "rs") || path.ends_with("mod.rs") {
                continue;
            }
            let text = code(&path);
            for rest in text.split("crate::formats::").skip(1) {
                let name: String = rest
                    .chars()
                    .take_while(|c| c.is_ascii_lowercase() || *c == '_' || c.is_ascii_digit())
                    .collect();
                if !["", "wire"].contains(&name.as_str()) {
                    wrong.push(format!("{} imports {name}", path.display()));
                }
            }
            if text.contains("super::")
                && !text.contains("super::wire")
                && !text.contains("super::{Format")
                && !text.contains("use super::Format;")
            {
                wrong.push(format!("{} uses super::", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn output_and_argument_crates_stay_in_the_command_line() {
    for file in sources(Path::new("src")) {
        let stage = stage_of(&file);
        if ["cli", "main"].contains(&stage.as_str()) {
            continue;
        }
        let text = code(&file);
        for word in ["clap::", "anyhow", "indicatif", "println!", "process::exit"] {
            assert!(!text.contains(word), "{} uses {word}", file.display());
        }
    }
}

#[test]
fn paths_that_the_documents_name_exist() {
    let mut seen = 0;
    for document in ["ARCHITECTURE.md", "CONTRIBUTING.md", "README.md"] {
        let text = fs::read_to_string(document).unwrap();
        for word in text.split('`').skip(1).step_by(2) {
            let word = word.trim_end_matches('/');
            let is_path = ["src/", "tests/", "fixtures/", "benches/", ".ci/"]
                .iter()
                .any(|root| word.starts_with(root))
                && !word.contains(['*', '<', ' ', '…']);
            if is_path {
                seen += 1;
                assert!(Path::new(word).exists(), "{document} names {word}");
            }
        }
    }
    assert!(seen >= 10, "only {seen} paths seen");
}

#[test]
fn every_test_file_takes_part() {
    let main = fs::read_to_string("tests/main.rs").unwrap();
    for entry in fs::read_dir("tests").unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let is_module = path.extension().is_some_and(|e| e == "rs") && stem != "main";
        if is_module || path.join("mod.rs").exists() {
            assert!(
                main.contains(&format!("mod {stem};")),
                "tests/main.rs lacks mod {stem};"
            );
        }
    }
}
