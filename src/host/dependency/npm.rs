//! npm and its kin. None records digests of single files, so proof is a lock file, written when the packages were,
//! that has this package at this place, a `package.json` that agrees, and a file not modified since.

use super::{Ecosystem, Question};
use crate::host::digest::{DigestKind, from_hex};
use crate::host::index::{FileIndex, Standing};
use crate::host::rooted::Rooted;
use arcstr::ArcStr;
use serde::Deserialize;
use std::collections::HashMap;

const LOCK_LIMIT: u64 = 64 << 20;

/// `…/node_modules/NAME/…`, `…/node_modules/@SCOPE/NAME/…`, nested or not.
pub(super) struct Npm;

#[derive(Deserialize)]
struct PackageJson {
    name: String,
    version: String,
}

/// `node_modules/.package-lock.json` (npm 7 and later): packages by place, relative to the project.
#[derive(Deserialize)]
struct HiddenLock {
    packages: HashMap<String, LockedPackage>,
}

#[derive(Deserialize)]
struct LockedPackage {
    version: Option<String>,
    /// A link to a directory of the project: what lies there is the project's own.
    #[serde(default)]
    link: bool,
}

/// `node_modules/.yarn-integrity` (Yarn 1): `name@range` to the archive that it came from.
#[derive(Deserialize)]
struct YarnIntegrity {
    #[serde(rename = "lockfileEntries")]
    entries: HashMap<String, String>,
}

impl Ecosystem for Npm {
    fn prove(&self, question: &mut Question<'_>) -> Option<Standing> {
        const MODULES: &[u8] = b"/node_modules/";
        let (before, rest) = question.after(MODULES)?;
        let name = package_directory(rest)?;
        let manifest = [before, name, b"/package.json"].concat();
        let manifest = question.rooted.read(&manifest, LOCK_LIMIT)?;
        let manifest: PackageJson = serde_json::from_slice(&manifest).ok()?;
        if manifest.name.as_bytes() != name {
            return None;
        }
        let PackageJson { name, version } = &manifest;
        let package: ArcStr = format!("npm:{name}@{version}").into();
        // The outermost `node_modules` has the lock; a package that lies deeper is told in it by its whole path.
        let outer = memchr::memmem::find(question.path, MODULES)?;
        let (project, inside) = question.path.split_at_checked(outer)?;
        let place = inside.get(1..before.len().checked_sub(outer)?.checked_add(name.len())?)?;
        let listed = [place, b"@", version.as_bytes()].concat();
        let modules = [project, MODULES].concat();
        for (ecosystem, lock) in LOCKS {
            let path = [modules.as_slice(), lock].concat();
            let keys = match *ecosystem {
                "npm" => listed.clone(),
                _ => [name.as_bytes(), b"@", version.as_bytes()].concat(),
            };
            let found = question.look(ecosystem, &path, &keys, |rooted, index| {
                read_lock(rooted, ecosystem, &path, index);
            });
            if found.is_some() {
                return Some(question.unmodified_since(&path, package));
            }
        }
        Some(Standing::Listed(package))
    }
}

/// Lock files in `node_modules`, which the package manager writes last.
static LOCKS: &[(&str, &[u8])] = &[
    ("npm", b".package-lock.json"),
    ("yarn", b".yarn-integrity"),
    ("pnpm", b".pnpm/lock.yaml"),
];

/// `NAME` or `@SCOPE/NAME`, which must have something behind it.
fn package_directory(rest: &[u8]) -> Option<&[u8]> {
    let slashes = if rest.starts_with(b"@") { 2 } else { 1 };
    let mut at = rest
        .iter()
        .enumerate()
        .filter(|(_, b)| **b == b'/')
        .map(|(at, _)| at);
    rest.get(..at.nth(slashes - 1)?)
}

/// Adds the packages of a lock file: by place for npm, by name for the others, each with `@` and its version.
fn read_lock(rooted: &Rooted, ecosystem: &str, path: &[u8], index: &mut FileIndex) -> Option<()> {
    let text = rooted.read(path, LOCK_LIMIT)?;
    let number = index.package(ecosystem)?;
    match ecosystem {
        "npm" => {
            let lock: HiddenLock = serde_json::from_slice(&text).ok()?;
            for (place, locked) in lock.packages {
                if let (Some(version), false) = (locked.version, locked.link) {
                    index.file(number, format!("{place}@{version}").as_bytes(), None);
                }
            }
        }
        "yarn" => {
            let lock: YarnIntegrity = serde_json::from_slice(&text).ok()?;
            for (wanted, archive) in lock.entries {
                // `https://…/NAME-VERSION.tgz#digest`
                let file = archive
                    .split('#')
                    .next()?
                    .rsplit('/')
                    .next()
                    .unwrap_or_default();
                let name = wanted.get(1..)?.find('@').and_then(|at| wanted.get(..=at));
                let version = file.strip_suffix(".tgz").and_then(super::name_and_version);
                if let (Some(name), Some((_, version))) = (name, version) {
                    index.file(number, format!("{name}@{version}").as_bytes(), None);
                }
            }
        }
        _ => {
            // Keys of `packages:` in YAML, `/name@1.0.0:`, `'@scope/name@1.0.0':`, `name@1.0.0(peer@2)`.
            for line in text.split(|&b| b == b'\n') {
                let line = line.trim_ascii();
                let Some(key) = line.strip_suffix(b":") else {
                    continue;
                };
                let key = key
                    .strip_prefix(b"'")
                    .and_then(|k| k.strip_suffix(b"'"))
                    .unwrap_or(key);
                let key = key.strip_prefix(b"/").unwrap_or(key);
                let key = key.split(|&b| b == b'(').next().unwrap_or(key);
                if key.iter().skip(1).any(|&b| b == b'@') {
                    index.file(number, key, None);
                }
            }
        }
    }
    Some(())
}

/// `_cacache/content-v2/sha512/ab/cd/REST`: npm's cache, in which a file's name is its SHA-512.
pub(super) struct Cache;

impl Ecosystem for Cache {
    fn prove(&self, question: &mut Question<'_>) -> Option<Standing> {
        let (_, rest) = question.after(b"/_cacache/content-v2/sha512/")?;
        let digits: Vec<u8> = rest.iter().copied().filter(|&b| b != b'/').collect();
        let expected = from_hex(&digits)?;
        Some(question.proven_by(DigestKind::Sha512, &expected, ArcStr::from("npm:cache")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_and_without_scope() {
        assert_eq!(package_directory(b"foo/a.pem"), Some(&b"foo"[..]));
        assert_eq!(package_directory(b"@s/foo/a.pem"), Some(&b"@s/foo"[..]));
        assert_eq!(package_directory(b"a.pem"), None);
        assert_eq!(package_directory(b"@s/a.pem"), None);
    }
}
