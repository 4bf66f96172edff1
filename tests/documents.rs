//! The README says what the code does: formats, flags, gaps, fields, options, examples.

use clap::{CommandFactory as _, Parser as _};
use keymuster::cli::args::Cli;
use keymuster::inventory::{self, ReadOptions};
use keymuster::model::{Flag, GapReason};
use keymuster::{formats, policy};
use std::collections::BTreeSet;
use std::fs;

fn readme() -> String {
    fs::read_to_string("README.md").unwrap()
}

/// The cells of the table row that begins with this word.
fn row(text: &str, word: &str) -> Vec<String> {
    let start = format!("| `{word}` |");
    let rows: Vec<&str> = text.lines().filter(|l| l.starts_with(&start)).collect();
    assert_eq!(rows.len(), 1, "README has {} rows of `{word}`", rows.len());
    // A bar inside a cell would be written `\|`; no row needs one.
    rows[0]
        .trim_matches('|')
        .split('|')
        .map(|cell| cell.trim().to_owned())
        .collect()
}

fn section(text: &str, title: &str) -> String {
    let start = text.find(&format!("\n## {title}\n")).unwrap();
    let rest = &text[start + 1..];
    let end = rest[3..].find("\n## ").map_or(rest.len(), |at| at + 3);
    rest[..end].to_owned()
}

/// Words in backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn every_format_has_a_row() {
    let table = section(&readme(), "Formats");
    let names: BTreeSet<&str> = formats::ALL.iter().map(|f| f.name()).collect();
    assert!(names.len() > 15);
    for name in &names {
        assert_eq!(row(&table, name).len(), 5, "{name}");
    }
    let told = table.lines().filter(|l| l.starts_with("| `")).count();
    assert_eq!(
        told,
        names.len(),
        "the table has a format that is not in the list"
    );
}

#[test]
fn every_flag_has_a_row_with_its_severity() {
    let table = section(&readme(), "Flags");
    for flag in Flag::ALL {
        let cells = row(&table, flag.as_str());
        let severity = policy::default_severity(*flag).as_str();
        assert!(
            cells[3].contains(severity),
            "{}: {}",
            flag.as_str(),
            cells[3]
        );
    }
    let told = table.lines().filter(|l| l.starts_with("| `")).count();
    assert_eq!(told, Flag::ALL.len());
}

#[test]
fn every_gap_reason_is_told_with_what_it_does() {
    let all = [
        GapReason::PermissionDenied,
        GapReason::IoError,
        GapReason::Interrupted,
        GapReason::Limit,
        GapReason::Vanished,
        GapReason::Malformed,
        GapReason::Truncated,
        GapReason::Unsupported,
        GapReason::Encrypted,
        GapReason::NotSwept,
    ];
    for reason in all {
        // A further reason does not compile until it is in the list above.
        match reason {
            GapReason::PermissionDenied
            | GapReason::IoError
            | GapReason::Interrupted
            | GapReason::Limit
            | GapReason::Vanished
            | GapReason::Malformed
            | GapReason::Truncated
            | GapReason::Unsupported
            | GapReason::Encrypted
            | GapReason::NotSwept => {}
        }
        let cells = row(&readme(), reason.as_str());
        let word = if reason.makes_incomplete() {
            "incomplete"
        } else {
            "complete"
        };
        assert!(cells[1].starts_with(word), "{}", reason.as_str());
    }
}

#[test]
fn every_option_is_named_and_no_other() {
    let text = readme();
    let mut known: BTreeSet<String> = ["--help", "--version", "--release"]
        .map(str::to_owned)
        .into();
    let cli = Cli::command();
    let inner = cli.get_subcommands().flat_map(|c| c.get_subcommands());
    for command in cli.get_subcommands().chain(inner) {
        for argument in command.get_arguments() {
            let Some(long) = argument.get_long().filter(|l| *l != "help") else {
                continue;
            };
            let long = format!("--{long}");
            let named = quoted(&text).any(|word| word.split([' ', ',']).any(|w| w == long));
            assert!(named, "README lacks {long}");
            known.insert(long);
        }
    }
    assert!(known.len() > 20);
    for word in text.split(|c: char| c.is_whitespace() || "`|,;()[]".contains(c)) {
        let Some(name) = word.strip_prefix("--") else {
            continue;
        };
        // Neither a rule of a table nor the end of a comment.
        if name.starts_with(|c: char| c.is_ascii_lowercase()) {
            assert!(known.contains(word), "README names {word}");
        }
    }
}

#[test]
fn every_command_is_told_and_every_example_parses() {
    let text = readme();
    let cli = Cli::command();
    for command in cli.get_subcommands().filter(|c| !c.is_hide_set()) {
        let name = format!("keymuster {}", command.get_name());
        assert!(text.contains(&name), "README lacks {name}");
    }
    let mut parsed = 0;
    for block in text.split("```sh\n").skip(1) {
        let block = block.split("```").next().unwrap();
        for line in block.lines() {
            let line = line.split("   #").next().unwrap().trim();
            let typed = line.replace("cargo run --release --", "keymuster");
            let words: Vec<&str> = typed
                .split_whitespace()
                .map(|word| word.trim_matches('\''))
                .collect();
            if words[0] == "keymuster" {
                if let Err(error) = Cli::try_parse_from(&words) {
                    panic!("{line}: {error}");
                }
                parsed += 1;
            } else {
                assert!(fs::exists(words[0]).unwrap(), "{line}");
            }
            for path in words.iter().filter(|w| w.starts_with("fixtures/")) {
                assert!(fs::exists(path).unwrap(), "{path}");
            }
        }
    }
    assert!(parsed >= 8, "only {parsed} examples seen");
}

#[test]
fn every_field_of_an_inventory_has_a_row_whose_headers_are_understood() {
    let table = section(&readme(), "Inventory");
    let bogus = ReadOptions {
        map: vec![("no such field".to_owned(), "Owner".to_owned())],
        ..ReadOptions::default()
    };
    let csv = b"Key ID,Owner\nK-1,alice\n";
    let error = inventory::read_bytes("x.csv", csv, &bogus).unwrap_err();
    let inventory::InventoryError::UnknownField { known, .. } = error else {
        panic!("{error}");
    };
    let fields: Vec<&str> = known.split(", ").collect();
    assert!(fields.len() > 30);
    for field in &fields {
        let cells = row(&table, field);
        let mut seen = 0;
        for header in quoted(&cells[1]).filter(|h| *h != "Key ID" || *field == "id") {
            // Beside one column of another field, so that no better column takes this one.
            let other = if *field == "id" { "Owner" } else { "ID" };
            let csv = format!("{header};{other}\nx;y\n");
            let options = ReadOptions {
                allow_partial: true,
                ..ReadOptions::default()
            };
            let read = inventory::read_bytes("x.csv", csv.as_bytes(), &options).unwrap();
            let meant = read.columns.iter().find(|(name, _)| name == header);
            let meant = meant.and_then(|(_, field)| field.as_deref());
            assert_eq!(meant, Some(*field), "{header}");
            seen += 1;
        }
        assert!(seen > 0, "{field}");
    }
    let told = table.lines().filter(|l| l.starts_with("| `")).count();
    assert_eq!(told, fields.len());
}

#[test]
fn the_policy_shown_is_one() {
    let text = readme();
    let blocks: Vec<&str> = text
        .split("```toml\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect();
    let of = |start: &str| {
        blocks
            .iter()
            .find(|block| block.starts_with(start))
            .unwrap()
    };
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("policy.toml");
    fs::write(&path, of("# policy.toml")).unwrap();
    fs::write(dir.path().join("exceptions.toml"), of("[[exceptions]]")).unwrap();
    let read = policy::read_policy(&path).unwrap();
    let today = "2026-11-24".parse().unwrap();
    assert_eq!(read.exceptions.len(), 1);
    assert_eq!(
        read.exceptions[0].fault(None, today, read.exception_max_days),
        None
    );
    assert_eq!(read.places.len(), 1);
}

#[test]
fn the_records_shown_are_json() {
    let text = readme();
    let mut seen = 0;
    for block in text.split("```json\n").skip(1) {
        let block = block.split("```").next().unwrap();
        for value in serde_json::Deserializer::from_str(block).into_iter::<serde_json::Value>() {
            assert!(value.unwrap().is_object());
            seen += 1;
        }
    }
    assert!(seen >= 5);
}

#[test]
fn the_table_of_imports_is_the_one_that_is_tested() {
    let text = fs::read_to_string("ARCHITECTURE.md").unwrap();
    for (stage, may) in super::architecture::allowed() {
        let cells = row(&text, stage);
        let told: BTreeSet<&str> = quoted(&cells[1])
            .filter(|word| !word.contains([':', '/']))
            .collect();
        let may: BTreeSet<&str> = may.iter().copied().collect();
        assert_eq!(told, may, "{stage}");
    }
}

#[test]
fn the_changelog_tells_this_version() {
    let text = fs::read_to_string("CHANGELOG.md").unwrap();
    let head = format!("## [{}]", env!("CARGO_PKG_VERSION"));
    assert!(text.lines().any(|l| l.starts_with(&head)), "no {head}");
}

#[test]
fn every_family_of_fixtures_is_told() {
    let text = std::fs::read_to_string("fixtures/README.md").unwrap();
    let mut families = 0;
    for entry in std::fs::read_dir("fixtures").unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_dir() && name != "generate" && name != "estate" {
            families += 1;
            assert!(
                text.contains(&format!("`{name}`")),
                "fixtures/README.md lacks {name}"
            );
        }
    }
    assert!(families > 50, "{families}");
}
