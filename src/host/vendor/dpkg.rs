//! dpkg: `/var/lib/dpkg` (dpkg(1), deb-md5sums(5), dpkg-divert(1)), and the form of it in distroless images.
//!
//! A file's digest is in `info/PACKAGE.md5sums`, or for a configuration file in the package's paragraph of
//! `status`. MD5 is all that dpkg records; it tells changed files, and is no defence against forgery by root.

use super::{Aliases, Manager};
use crate::host::digest::{DigestKind, from_hex};
use crate::host::index::FileIndex;
use crate::host::rooted::Rooted;
use std::collections::{BTreeMap, HashSet};

/// The greatest list that is read, in bytes; the longest of Debian is about 6 MB.
const LIST_LIMIT: u64 = 64 << 20;
const MOST_PACKAGES: usize = 200_000;

pub(super) struct Dpkg;

impl Manager for Dpkg {
    fn read(&self, rooted: &Rooted, aliases: &Aliases, index: &mut FileIndex) {
        let diversions = rooted
            .read(b"var/lib/dpkg/diversions", LIST_LIMIT)
            .unwrap_or_default();
        let files = Files {
            rooted,
            aliases,
            diversions: diversions_of(&diversions),
        };
        if let Some(status) = rooted.read(b"var/lib/dpkg/status", LIST_LIMIT) {
            for paragraph in paragraphs(&status) {
                files.package(&paragraph, b"var/lib/dpkg/info/", index);
            }
        }
        // Distroless: one file a package, and its digests beside it.
        let parts = rooted
            .names(b"var/lib/dpkg/status.d", MOST_PACKAGES)
            .unwrap_or_default();
        for part in parts.iter().filter(|name| !name.0.ends_with(b".md5sums")) {
            let stem = [b"var/lib/dpkg/status.d/", part.0.as_slice()].concat();
            let control = rooted.read(&stem, LIST_LIMIT).unwrap_or_default();
            for paragraph in paragraphs(&control) {
                files.add(
                    &paragraph,
                    &[(Part::Digests, [stem.as_slice(), b".md5sums"].concat())],
                    index,
                );
            }
        }
    }
}

/// What the paragraphs of one host have in common.
struct Files<'a> {
    rooted: &'a Rooted,
    aliases: &'a Aliases,
    /// Diverted path → where it went, and the package that stays.
    diversions: BTreeMap<&'a [u8], (&'a [u8], &'a [u8])>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Digests,
    List,
}

impl Files<'_> {
    /// An installed package's files by its lists in `info`.
    fn package(&self, paragraph: &Paragraph<'_>, info: &[u8], index: &mut FileIndex) {
        if !paragraph.installed() {
            return;
        }
        let stem = [info, paragraph.name].concat();
        let mut stem = if self.rooted.exists(&[stem.as_slice(), b".list"].concat()) {
            stem
        } else {
            // Packages of several architectures have the architecture in their file names.
            [stem.as_slice(), b":", paragraph.architecture].concat()
        };
        let list = [stem.as_slice(), b".list"].concat();
        stem.extend_from_slice(b".md5sums");
        self.add(
            paragraph,
            &[(Part::Digests, stem), (Part::List, list)],
            index,
        );
    }

    fn add(&self, paragraph: &Paragraph<'_>, parts: &[(Part, Vec<u8>)], index: &mut FileIndex) {
        let name = String::from_utf8_lossy(paragraph.name);
        let version = String::from_utf8_lossy(paragraph.version);
        let Some(package) = index.package(&format!("dpkg:{name}@{version}")) else {
            return;
        };
        let mut add = |path: &[u8], digest: Option<&[u8]>| {
            let path = match self.diversions.get(path) {
                Some((to, by)) if *by != paragraph.name => to,
                _ => path,
            };
            let digest = digest.map(|bytes| (DigestKind::Md5, bytes));
            index.file(package, &self.aliases.real(path), digest);
        };
        let read = |wanted: Part| {
            let part = parts.iter().find(|(part, _)| *part == wanted);
            part.and_then(|(_, path)| self.rooted.read(path, LIST_LIMIT))
                .unwrap_or_default()
        };
        let (digests, list) = (read(Part::Digests), read(Part::List));
        // A digest and the blanks behind it are 34 bytes, and few paths are shorter than 16.
        let mut seen: HashSet<&[u8]> = HashSet::with_capacity(digests.len() / 50);
        let mut absolute = Vec::new();
        for (md5, path) in lines(&digests).filter_map(md5sums_line) {
            seen.insert(path);
            absolute.clear();
            absolute.push(b'/');
            absolute.extend_from_slice(path);
            add(&absolute, Some(&md5));
        }
        for (path, md5) in &paragraph.conffiles {
            seen.insert(path.strip_prefix(b"/").unwrap_or(path));
            add(path, Some(md5));
        }
        // Of the rest only that it belongs to the package is known. Directories precede what they hold.
        let mut paths = lines(&list).peekable();
        while let Some(path) = paths.next() {
            let is_directory = paths.peek().is_some_and(|next| {
                next.strip_prefix(path)
                    .is_some_and(|rest| rest.starts_with(b"/"))
            });
            let bare = path.strip_prefix(b"/").unwrap_or_default();
            if !bare.is_empty() && bare != b"." && !is_directory && !seen.contains(bare) {
                add(path, None);
            }
        }
    }
}

/// The fields of one paragraph of `status` that matter.
#[derive(Debug, Default)]
struct Paragraph<'a> {
    name: &'a [u8],
    version: &'a [u8],
    architecture: &'a [u8],
    status: &'a [u8],
    /// Configuration files with their MD5.
    conffiles: Vec<(&'a [u8], Vec<u8>)>,
}

impl Paragraph<'_> {
    /// The third word of `Status`: what is only unpacked or half configured has its files in place.
    fn installed(&self) -> bool {
        let state = self
            .status
            .rsplit(|&b| b == b' ')
            .next()
            .unwrap_or_default();
        !matches!(
            state,
            b"not-installed" | b"config-files" | b"half-installed" | b""
        )
    }
}

fn paragraphs(status: &[u8]) -> impl Iterator<Item = Paragraph<'_>> {
    let mut lines = lines(status).peekable();
    std::iter::from_fn(move || {
        lines.peek()?;
        let mut paragraph = Paragraph::default();
        let mut in_conffiles = false;
        for line in lines
            .by_ref()
            .take_while(|line| !line.trim_ascii().is_empty())
        {
            if line.starts_with(b" ") {
                if in_conffiles && let Some(conffile) = conffile(line) {
                    paragraph.conffiles.push(conffile);
                }
                continue;
            }
            let (field, value) = split_at_first(line, b':').unwrap_or((line, b""));
            let value = value.trim_ascii();
            in_conffiles = field.eq_ignore_ascii_case(b"conffiles");
            match field.to_ascii_lowercase().as_slice() {
                b"package" => paragraph.name = value,
                b"version" => paragraph.version = value,
                b"architecture" => paragraph.architecture = value,
                b"status" => paragraph.status = value,
                _ => {}
            }
        }
        Some(paragraph)
    })
    .filter(|paragraph| !paragraph.name.is_empty() && !paragraph.name.contains(&b'/'))
}

/// ` /etc/x <md5>`, perhaps with ` obsolete` behind it: then the package has it no longer.
fn conffile(line: &[u8]) -> Option<(&[u8], Vec<u8>)> {
    let line = line.trim_ascii();
    let space = line.iter().rposition(|&b| b == b' ')?;
    let (path, md5) = line.split_at_checked(space)?;
    let md5 = from_hex(md5.trim_ascii()).filter(|md5| md5.len() == 16)?;
    Some((path, md5))
}

/// `<md5>  path`, the path without leading slash.
fn md5sums_line(line: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let (md5, path) = line.split_at_checked(32)?;
    let path = path
        .strip_prefix(b"  ")
        .or_else(|| path.strip_prefix(b" *"))?;
    let path = path
        .strip_prefix(b"./")
        .or_else(|| path.strip_prefix(b"/"))
        .unwrap_or(path);
    Some((from_hex(md5)?, path))
}

/// Triples of lines: what is diverted, where to, and by which package (`:` is the administrator).
fn diversions_of(file: &[u8]) -> BTreeMap<&[u8], (&[u8], &[u8])> {
    let lines: Vec<&[u8]> = lines(file).collect();
    let (triples, _) = lines.as_chunks::<3>();
    triples
        .iter()
        .map(|&[from, to, by]| (from, (to, by)))
        .collect()
}

/// The lines of a list; a host has hundreds of thousands.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some(end) = memchr::memchr(b'\n', text) else {
            rest = None;
            return Some(text);
        };
        rest = text.get(end + 1..);
        text.get(..end)
    })
}

fn split_at_first(line: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let at = line.iter().position(|&b| b == separator)?;
    Some((line.get(..at)?, line.get(at.checked_add(1)?..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_with_conffiles() {
        let status = b"Package: a\nStatus: install ok installed\nVersion: 1\nConffiles:\n \
            /etc/a b 5d41402abc4b2a76b9719d911017c592\n /etc/old 5d41402abc4b2a76b9719d911017c592 obsolete\n \
            /etc/new newconffile\nDescription: x\n /etc/no 5d41402abc4b2a76b9719d911017c592\n\n\
            Package: gone\nStatus: deinstall ok config-files\n\nnonsense\n\n";
        let all: Vec<_> = paragraphs(status).collect();
        assert_eq!(all.len(), 2);
        assert!(all[0].installed() && !all[1].installed());
        let paths: Vec<&[u8]> = all[0].conffiles.iter().map(|(path, _)| *path).collect();
        assert_eq!(paths, [b"/etc/a b"]);
    }

    #[test]
    fn chance_bytes_are_no_lists() {
        assert_eq!(md5sums_line(b"5d41402abc4b2a76b9719d911017c59"), None);
        assert_eq!(md5sums_line(b"5d41402abc4b2a76b9719d911017c592 x"), None);
        assert!(diversions_of(b"a\nb").is_empty());
        assert_eq!(paragraphs(b"\n\n\n:\n:\xff\n").count(), 0);
        assert_eq!(paragraphs(b"Package: ../../x\n").count(), 0);
    }
}
