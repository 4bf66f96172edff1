//! Cargo: unpacked registry crates, vendored crates, Git checkouts, and the `.crate` archives themselves.

use super::{Ecosystem, Question, first, git, package_of, tarball};
use crate::host::digest::{DigestKind, from_hex};
use crate::host::index::{FileIndex, Standing};
use crate::host::rooted::Rooted;
use arcstr::ArcStr;
use serde::Deserialize;
use std::collections::HashMap;

const MANIFEST_LIMIT: u64 = 32 << 20;

/// `registry/src/INDEX/NAME-VERSION/…`: the file is as in `registry/cache/INDEX/NAME-VERSION.crate`, and cargo
/// finished unpacking that (`.cargo-ok`).
pub(super) struct Registry;

impl Ecosystem for Registry {
    fn prove(&self, question: &mut Question<'_>) -> Option<Standing> {
        let (before, rest) = question.after(b"/registry/src/")?;
        let (source, rest) = first(rest)?;
        let (directory, relative) = first(rest)?;
        let package = package_of("cargo", directory)?;
        let root = [before, source, b"/", directory].concat();
        let registry = before.strip_suffix(b"src/")?;
        let archive = [registry, b"cache/", source, b"/", directory, b".crate"].concat();
        question.look("cargo", &root, relative, |rooted, index| {
            let Some(number) = index.package(&package) else {
                return;
            };
            let complete = rooted.exists(&[root.as_slice(), b"/.cargo-ok"].concat());
            let Some(archive) = rooted.open(&archive).filter(|_| complete) else {
                return;
            };
            tarball::files(archive, |path, digest| {
                let inside = path
                    .strip_prefix(directory)
                    .and_then(|path| path.strip_prefix(b"/"));
                if let Some(path) = inside {
                    index.file(number, path, Some(digest));
                }
            });
        })
    }
}

/// A directory with `.cargo-checksum.json`, as `cargo vendor` writes it: the SHA-256 of each file.
pub(super) struct Vendored;

#[derive(Deserialize)]
struct Checksums {
    files: HashMap<String, String>,
}

impl Ecosystem for Vendored {
    fn prove(&self, question: &mut Question<'_>) -> Option<Standing> {
        question.ancestors().find_map(|(root, relative)| {
            question.look("cargo-vendor", root, relative, |rooted, index| {
                vendored(rooted, root, index);
            })
        })
    }
}

fn vendored(rooted: &Rooted, root: &[u8], index: &mut FileIndex) -> Option<()> {
    let checksums = rooted.read(&[root, b"/.cargo-checksum.json"].concat(), MANIFEST_LIMIT)?;
    let checksums: Checksums = serde_json::from_slice(&checksums).ok()?;
    let manifest = rooted.read(&[root, b"/Cargo.toml"].concat(), MANIFEST_LIMIT)?;
    let number = index.package(&package_in_manifest(&manifest)?)?;
    for (path, sha256) in checksums.files {
        let digest = from_hex(sha256.as_bytes());
        let digest = digest.as_deref().map(|bytes| (DigestKind::Sha256, bytes));
        index.file(number, path.as_bytes(), digest);
    }
    Some(())
}

/// Name and version in `[package]` of a `Cargo.toml`. Cargo writes these in the plain form when it packages a crate.
fn package_in_manifest(manifest: &[u8]) -> Option<String> {
    let manifest = std::str::from_utf8(manifest).ok()?;
    let lines = manifest
        .lines()
        .map(str::trim)
        .skip_while(|line| *line != "[package]")
        .skip(1);
    let (mut name, mut version) = (None, None);
    for line in lines.take_while(|line| !line.starts_with('[')) {
        let Some((field, value)) = line.split_once('=') else {
            continue;
        };
        let value = value
            .trim()
            .strip_prefix('"')
            .and_then(|value| value.strip_suffix('"'));
        match field.trim() {
            "name" => name = value,
            "version" => version = value,
            _ => {}
        }
    }
    Some(format!("cargo:{}@{}", name?, version?))
}

/// `git/checkouts/REPOSITORY-HASH/REVISION/…`: the file is as in the checkout's Git index, and cargo finished it
/// (`.cargo-ok`).
pub(super) struct GitCheckout;

impl Ecosystem for GitCheckout {
    fn prove(&self, question: &mut Question<'_>) -> Option<Standing> {
        let (before, rest) = question.after(b"/git/checkouts/")?;
        let (repository, rest) = first(rest)?;
        let (revision, relative) = first(rest)?;
        let root = [before, repository, b"/", revision].concat();
        question.look("cargo-git", &root, relative, |rooted, index| {
            let repository = String::from_utf8_lossy(repository);
            let name = repository
                .rsplit_once('-')
                .map_or(&*repository, |(name, _)| name);
            let revision = String::from_utf8_lossy(revision);
            let complete = rooted.exists(&[root.as_slice(), b"/.cargo-ok"].concat());
            let path = [root.as_slice(), b"/.git/index"].concat();
            let Some(listing) = rooted.read(&path, MANIFEST_LIMIT).filter(|_| complete) else {
                return;
            };
            if let Some(number) = index.package(&format!("cargo:{name}@{revision}")) {
                git::add_index(&listing, number, index);
            }
        })
    }
}

/// `registry/cache/INDEX/NAME-VERSION.crate`: its SHA-256 is in the registry index's cache.
pub(super) struct Crate;

impl Ecosystem for Crate {
    fn prove(&self, question: &mut Question<'_>) -> Option<Standing> {
        let (before, rest) = question.after(b"/registry/cache/")?;
        let (source, file) = first(rest)?;
        let package = package_of("cargo", file.strip_suffix(b".crate")?)?;
        let name = package
            .strip_prefix("cargo:")?
            .split('@')
            .next()?
            .to_ascii_lowercase();
        let registry = before.strip_suffix(b"cache/")?;
        let entry = [
            registry,
            b"index/",
            source,
            b"/.cache/",
            index_path(&name)?.as_bytes(),
        ]
        .concat();
        let versions = question.rooted.read(&entry, MANIFEST_LIMIT)?;
        let package: ArcStr = package.into();
        let actual = (question.digests)(DigestKind::Sha256)?;
        let digits: String = actual.iter().map(|byte| format!("{byte:02x}")).collect();
        let recorded = format!("\"{digits}\"");
        Some(match memchr::memmem::find(&versions, recorded.as_bytes()) {
            Some(_) => Standing::Proven(package),
            None => Standing::Listed(package),
        })
    }
}

/// Where a crate is in a registry index (the Cargo Book, "Index format").
fn index_path(name: &str) -> Option<String> {
    Some(match name.len() {
        0 => return None,
        1 => format!("1/{name}"),
        2 => format!("2/{name}"),
        3 => format!("3/{}/{name}", name.get(..1)?),
        _ => format!("{}/{}/{name}", name.get(..2)?, name.get(2..4)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_package_table_alone_names_it() {
        let manifest = b"[lib]\nname = \"other\"\n[package]\nname = \"a\"\nversion = \"1.0.0\"\n[x]\nname=\"b\"";
        assert_eq!(
            package_in_manifest(manifest).as_deref(),
            Some("cargo:a@1.0.0")
        );
        assert_eq!(
            package_in_manifest(b"[package]\nname = \"a\"\nversion.workspace = true"),
            None
        );
    }

    #[test]
    fn index_paths_of_the_cargo_book() {
        assert_eq!(index_path("a").as_deref(), Some("1/a"));
        assert_eq!(index_path("abc").as_deref(), Some("3/a/abc"));
        assert_eq!(index_path("cargo").as_deref(), Some("ca/rg/cargo"));
        assert_eq!(index_path(""), None);
        assert_eq!(index_path("éé"), Some("é/é/éé".to_owned()));
    }
}
