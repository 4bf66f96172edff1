//! What looks like a key and is none, in every kind of archive: nothing is found there, and no more is told than of the files.

use super::kinds::KINDS;
use super::plants::{pack, sweep};
use crate::support::{arg, open_directory};
use serde_json::Value;
use std::fs;

/// Of a gap of a decoy: the file's name and the reason.
type Told = Vec<(String, String)>;

#[test]
fn decoys_are_taken_for_nothing_in_every_kind() {
    let decoys = open_directory();
    let mut expected = Told::new();
    let mut count = 0;
    for entry in fs::read_dir("fixtures/decoys").unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let Some(decoy) = name.strip_suffix(".expect.json") else {
            fs::copy(&path, decoys.path().join(&name)).unwrap();
            count += 1;
            continue;
        };
        let told: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        assert_eq!(told["sightings"], Value::Array(Vec::new()), "{name}");
        let gaps = told["gaps"].as_array().unwrap().iter();
        expected.extend(gaps.map(|gap| (decoy.to_owned(), gap["reason"].as_str().unwrap().into())));
    }
    assert!(count > 30, "{count}");
    expected.sort();
    let archives = open_directory();
    let file = |ending: &str| archives.path().join(format!("x.{ending}"));
    for kind in KINDS {
        pack(kind, decoys.path(), &file(kind.ending));
    }
    let swept = sweep(archives.path(), &[]);
    assert!(swept.found.is_empty(), "{:?}", swept.found);
    for kind in KINDS {
        let file = file(kind.ending);
        let mut told: Told = (swept.gaps.iter().filter(|gap| gap["path"] == arg(&file)))
            .map(|gap| {
                let last = gap["inside"].as_array().and_then(|chain| chain.last());
                let name = last.and_then(|m| m["name"].as_str()).unwrap_or_default();
                let name = name.rsplit('/').next().unwrap_or_default();
                (name.to_owned(), gap["reason"].as_str().unwrap().to_owned())
            })
            .collect();
        told.sort();
        assert_eq!(told, expected, "{}", kind.ending);
    }
}
