//! rpm: `rpmdb.sqlite` (rpm 4.16 and later), a table of package headers.
//!
//! The older Berkeley DB (`Packages`) and SUSE's `Packages.db` are not read; files of such hosts are not proven.

mod header;

use super::{Aliases, Manager};
use crate::formats::wire::sqlite::{self, ReadAt};
use crate::host::digest::{DigestKind, from_hex};
use crate::host::index::FileIndex;
use crate::host::rooted::Rooted;
use header::Header;
use std::fs::File;
use std::os::unix::fs::FileExt as _;

pub(super) struct Rpm;

impl Manager for Rpm {
    fn read(&self, rooted: &Rooted, aliases: &Aliases, index: &mut FileIndex) {
        let places: [&[u8]; 3] = [
            b"usr/lib/sysimage/rpm/rpmdb.sqlite",
            b"var/lib/rpm/rpmdb.sqlite",
            b"usr/share/rpm/rpmdb.sqlite",
        ];
        let Some(file) = places.iter().find_map(|path| rooted.open(path)) else {
            return;
        };
        // Second column: `CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)`.
        sqlite::rows(&Database(file), b"Packages", &mut |row| {
            if let Some(header) = row.get(1).and_then(|blob| Header::parse(blob)) {
                add(&header, aliases, index);
            }
        });
    }
}

/// The database's file, open beneath the host's root.
struct Database(File);

impl ReadAt for Database {
    fn length(&self) -> u64 {
        self.0.metadata().map_or(0, |facts| facts.len())
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> Option<()> {
        self.0.read_exact_at(buffer, offset).ok()
    }
}

/// Tags of rpm's `rpmtag.h`.
mod tag {
    pub(super) const NAME: u32 = 1000;
    pub(super) const VERSION: u32 = 1001;
    pub(super) const RELEASE: u32 = 1002;
    pub(super) const EPOCH: u32 = 1003;
    pub(super) const FILE_MODES: u32 = 1030;
    pub(super) const FILE_DIGESTS: u32 = 1035;
    pub(super) const DIR_INDEXES: u32 = 1116;
    pub(super) const BASE_NAMES: u32 = 1117;
    pub(super) const DIR_NAMES: u32 = 1118;
    pub(super) const FILE_DIGEST_ALGORITHM: u32 = 5011;
}

/// Adds the files of one package.
fn add(header: &Header<'_>, aliases: &Aliases, index: &mut FileIndex) -> Option<()> {
    let text = |tag| Some(String::from_utf8_lossy(header.strings(tag).next()?).into_owned());
    let epoch = header.int32s(tag::EPOCH).next();
    let epoch = epoch.map_or_else(String::new, |epoch| format!("{epoch}:"));
    let (name, version, release) = (text(tag::NAME)?, text(tag::VERSION)?, text(tag::RELEASE)?);
    let package = index.package(&format!("rpm:{name}@{epoch}{version}-{release}"))?;
    // Numbers of RFC 4880, section 9.4; packages without the tag have MD5.
    let kind = match header.int32s(tag::FILE_DIGEST_ALGORITHM).next() {
        None | Some(1) => Some(DigestKind::Md5),
        Some(2) => Some(DigestKind::Sha1),
        Some(8) => Some(DigestKind::Sha256),
        Some(10) => Some(DigestKind::Sha512),
        Some(_) => None,
    };
    let directories: Vec<&[u8]> = header.strings(tag::DIR_NAMES).collect();
    let mut modes = header.int16s(tag::FILE_MODES);
    let mut digests = header.strings(tag::FILE_DIGESTS);
    let names = header.strings(tag::BASE_NAMES);
    for (name, directory) in names.zip(header.int32s(tag::DIR_INDEXES)) {
        let (mode, digest) = (modes.next().unwrap_or(0), digests.next().and_then(from_hex));
        if mode & 0o170_000 == 0o040_000 {
            continue;
        }
        let directory = directories.get(usize::try_from(directory).ok()?)?;
        let path = [directory, name].concat();
        let digest = digest.as_deref().and_then(|bytes| Some((kind?, bytes)));
        index.file(package, &aliases.real(&path), digest);
    }
    Some(())
}
