//! Conda: `conda-meta/NAME-VERSION-BUILD.json` in an environment, with the SHA-256 of each file.

use super::{Ecosystem, Question};
use crate::host::digest::{DigestKind, from_hex};
use crate::host::index::{FileIndex, Standing};
use crate::host::rooted::Rooted;
use serde::Deserialize;

const META_LIMIT: u64 = 64 << 20;
const MOST_NAMES: usize = 20_000;

pub(super) struct Conda;

#[derive(Deserialize)]
struct Meta {
    name: String,
    version: String,
    paths_data: PathsData,
}

#[derive(Deserialize)]
struct PathsData {
    paths: Vec<PathData>,
}

#[derive(Deserialize)]
struct PathData {
    #[serde(rename = "_path")]
    path: String,
    sha256: Option<String>,
    /// Of the file as installed, where the environment's own path was written into it.
    sha256_in_prefix: Option<String>,
}

impl Ecosystem for Conda {
    fn prove(&self, question: &mut Question<'_>) -> Option<Standing> {
        question.ancestors().find_map(|(prefix, relative)| {
            question.look("conda", prefix, relative, |rooted, index| {
                installed(rooted, prefix, index);
            })
        })
    }
}

fn installed(rooted: &Rooted, prefix: &[u8], index: &mut FileIndex) {
    let directory = [prefix, b"/conda-meta"].concat();
    for name in rooted.names(&directory, MOST_NAMES).unwrap_or_default() {
        if !name.0.ends_with(b".json") {
            continue;
        }
        let path = [directory.as_slice(), b"/", name.0.as_slice()].concat();
        let Some(text) = rooted.read(&path, META_LIMIT) else {
            continue;
        };
        let Ok(meta) = serde_json::from_slice::<Meta>(&text) else {
            continue;
        };
        let package = format!("conda:{}@{}", meta.name, meta.version);
        let Some(number) = index.package(&package) else {
            continue;
        };
        for file in meta.paths_data.paths {
            let digest = file.sha256_in_prefix.or(file.sha256);
            let digest = digest.and_then(|text| from_hex(text.as_bytes()));
            let digest = digest.as_deref().map(|bytes| (DigestKind::Sha256, bytes));
            index.file(number, file.path.as_bytes(), digest);
        }
    }
}
