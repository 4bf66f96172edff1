//! Go: the module cache, which keeps a hash of each module's files, and the toolchain's own tree.
//!
//! Names in the cache are escaped (`!a` is `A`); the hash is of the unescaped ones (golang.org/x/mod/sumdb/dirhash,
//! `Hash1`): SHA-256, in base64 behind `h1:`, over a line `<hex sha256>  <module>@<version>/<path>` for each file,
//! sorted by path.

use super::{Ecosystem, Question};
use crate::host::digest::DigestKind;
use crate::host::index::{FileIndex, Standing};
use crate::host::rooted::Rooted;
use arcstr::ArcStr;
use base64::Engine as _;
use rustix::fs::FileType;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;

const HASH_LIMIT: u64 = 1024;
/// Most files and bytes that are read to check one module.
const MOST_FILES: usize = 50_000;
const MOST_BYTES: u64 = 1 << 30;
const MOST_NAMES: usize = 20_000;
const MOST_DEPTH: usize = 64;

/// `pkg/mod/MODULE@VERSION/…`: all files of the module together have the hash that Go recorded.
pub(super) struct Module;

impl Ecosystem for Module {
    fn prove(&self, question: &mut Question<'_>) -> Option<Standing> {
        let (before, rest) = question.after(b"/pkg/mod/")?;
        if rest.starts_with(b"cache/") {
            return None;
        }
        // The version ends at the first slash behind the first `@`; module paths have none.
        let at = rest.iter().position(|&b| b == b'@')?;
        let end = at.checked_add(rest.get(at..)?.iter().position(|&b| b == b'/')?)?;
        let (directory, relative) = (rest.get(..end)?, rest.get(end.checked_add(1)?..)?);
        let (module, version) = (rest.get(..at)?, rest.get(at.checked_add(1)?..end)?);
        let root = [before, directory].concat();
        question.look("go", &root, relative, |rooted, index| {
            let recorded = [
                before,
                b"cache/download/",
                module,
                b"/@v/",
                version,
                b".ziphash",
            ]
            .concat();
            let recorded = rooted.read(&recorded, HASH_LIMIT);
            check(rooted, &root, directory, recorded.as_deref(), index);
        })
    }
}

/// Adds the files of a module if they have the recorded hash.
fn check(
    rooted: &Rooted,
    root: &[u8],
    directory: &[u8],
    recorded: Option<&[u8]>,
    index: &mut FileIndex,
) -> Option<()> {
    let name = unescape(std::str::from_utf8(directory).ok()?)?;
    let number = index.package(&format!("go:{name}"))?;
    let mut files = BTreeMap::new();
    let mut budget = MOST_BYTES;
    collect(rooted, root, b"", 0, &mut files, &mut budget)?;
    let mut listing = String::new();
    for (path, digest) in &files {
        for byte in digest {
            write!(listing, "{byte:02x}").ok()?;
        }
        // A name that is not UTF-8 or has a newline cannot be in a module (golang.org/x/mod/module).
        let path = std::str::from_utf8(path)
            .ok()
            .filter(|path| !path.contains('\n'))?;
        writeln!(listing, "  {name}/{path}").ok()?;
    }
    let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(listing));
    if recorded?.trim_ascii() == format!("h1:{hash}").as_bytes() {
        for (path, digest) in &files {
            index.file(number, path, Some((DigestKind::Sha256, digest)));
        }
    }
    Some(())
}

/// SHA-256 of every file below `root`, by relative path; none if there is too much of it.
fn collect(
    rooted: &Rooted,
    root: &[u8],
    relative: &[u8],
    depth: usize,
    files: &mut BTreeMap<Vec<u8>, Vec<u8>>,
    budget: &mut u64,
) -> Option<()> {
    let directory = [root, b"/", relative].concat();
    for name in rooted.names(&directory, MOST_NAMES)? {
        let path = [relative, name.0.as_slice()].concat();
        let absolute = [root, b"/", path.as_slice()].concat();
        match FileType::from_raw_mode(rooted.stat(&absolute)?.st_mode) {
            FileType::Directory if depth < MOST_DEPTH => {
                let below = [path.as_slice(), b"/"].concat();
                collect(rooted, root, &below, depth.checked_add(1)?, files, budget)?;
            }
            FileType::RegularFile if files.len() < MOST_FILES => {
                let file = rooted.open(&absolute)?;
                let size = file.metadata().ok()?.len();
                *budget = budget.checked_sub(size)?;
                files.insert(path, DigestKind::Sha256.of(file, size).ok()?);
            }
            _ => return None,
        }
    }
    Some(())
}

/// Undoes the escaping of upper-case letters (golang.org/x/mod/module, `UnescapePath`).
fn unescape(escaped: &str) -> Option<String> {
    let mut name = String::new();
    let mut letters = escaped.chars();
    while let Some(letter) = letters.next() {
        name.push(match letter {
            '!' => letters
                .next()
                .filter(char::is_ascii_lowercase)?
                .to_ascii_uppercase(),
            letter if letter.is_ascii_uppercase() => return None,
            letter => letter,
        });
    }
    Some(name)
}

/// `pkg/mod/cache/download/MODULE/@v/VERSION.zip`: Go recorded the hash of its content beside it, when it had
/// checked it. The archive is not opened here: it counts as long as it is not newer than that record.
pub(super) struct ModuleZip;

impl Ecosystem for ModuleZip {
    fn prove(&self, question: &mut Question<'_>) -> Option<Standing> {
        let (_, rest) = question.after(b"/pkg/mod/cache/download/")?;
        let at = memchr::memmem::rfind(rest, b"/@v/")?;
        let version = rest.get(at.checked_add(4)?..)?.strip_suffix(b".zip")?;
        let name = [rest.get(..at)?, b"@", version].concat();
        let name = unescape(std::str::from_utf8(&name).ok()?)?;
        let record = [question.path.strip_suffix(b".zip")?, b".ziphash"].concat();
        let package: ArcStr = format!("go:{name}").into();
        Some(question.unmodified_since(&record, package))
    }
}

/// A tree with Go's `VERSION` and `go.env` or `api/go1.txt`, as the official archives have them: all files of one
/// release have one time.
pub(super) struct Toolchain;

impl Ecosystem for Toolchain {
    fn prove(&self, question: &mut Question<'_>) -> Option<Standing> {
        let rooted = question.rooted;
        let (root, _) = question.ancestors().find(|(root, relative)| {
            let tree = [
                &b"src/"[..],
                b"pkg/",
                b"lib/",
                b"test/",
                b"misc/",
                b"api/",
                b"doc/",
            ];
            tree.iter().any(|directory| relative.starts_with(directory))
                && rooted.exists(&[root, &b"/src/runtime/proc.go"[..]].concat())
                && rooted.exists(&[root, &b"/src/cmd/go/main.go"[..]].concat())
        })?;
        let path = [root, b"/VERSION"].concat();
        let version = rooted.read(&path, HASH_LIMIT)?;
        let version = std::str::from_utf8(&version).ok()?.lines().next()?.trim();
        let number = version
            .strip_prefix("go")
            .filter(|n| n.starts_with(|c: char| c.is_ascii_digit()))?;
        Some(question.unmodified_since(&path, format!("go:std@{number}").into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_letters() {
        assert_eq!(
            unescape("github.com/!azure/x@v1").as_deref(),
            Some("github.com/Azure/x@v1")
        );
        assert_eq!(unescape("a!"), None);
        assert_eq!(unescape("A"), None);
    }
}
