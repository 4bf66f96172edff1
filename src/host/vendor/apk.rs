//! apk, of Alpine and its kin: `/lib/apk/db/installed` (apk-package(5), "installed database").
//!
//! Lines of a letter, a colon and a value: `P` name, `V` version, `F` directory, `R` file in it, `Z` its digest,
//! which is `Q1` and the base64 of a SHA-1, or `Q2` and that of a SHA-256.

use super::{Aliases, Manager};
use crate::host::digest::DigestKind;
use crate::host::index::FileIndex;
use crate::host::rooted::Rooted;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const LIMIT: u64 = 256 << 20;

pub(super) struct Apk;

impl Manager for Apk {
    fn read(&self, rooted: &Rooted, aliases: &Aliases, index: &mut FileIndex) {
        let places: [&[u8]; 2] = [b"lib/apk/db/installed", b"usr/lib/apk/db/installed"];
        if let Some(database) = places.iter().find_map(|path| rooted.read(path, LIMIT)) {
            read(&database, aliases, index);
        }
    }
}

fn read(database: &[u8], aliases: &Aliases, index: &mut FileIndex) {
    let mut name: &[u8] = b"";
    let (mut package, mut directory, mut file) = (None, None, None);
    // The end of a paragraph is a line without letter, so that a last file without digest is told too.
    for line in database.split(|&b| b == b'\n') {
        let (letter, value) = match line {
            [letter, b':', value @ ..] => (*letter, value),
            _ => (0, line),
        };
        if letter != b'a' && letter != b'Z' {
            add(index, package, file.take(), None);
        }
        match letter {
            0 => (package, directory) = (None, None),
            b'P' => name = value,
            b'V' => {
                let (name, version) = (
                    String::from_utf8_lossy(name),
                    String::from_utf8_lossy(value),
                );
                package = index.package(&format!("apk:{name}@{version}"));
            }
            b'F' => directory = Some(value),
            b'R' => {
                file = directory.map(|directory| {
                    let slash: &[u8] = if directory.is_empty() { b"" } else { b"/" };
                    let path = [b"/", directory, slash, value].concat();
                    aliases.real(&path).into_owned()
                });
            }
            b'Z' => add(index, package, file.take(), digest(value)),
            _ => {}
        }
    }
    add(index, package, file, None);
}

fn add(
    index: &mut FileIndex,
    package: Option<u32>,
    file: Option<Vec<u8>>,
    digest: Option<(DigestKind, Vec<u8>)>,
) {
    if let (Some(package), Some(file)) = (package, file) {
        let digest = digest
            .as_ref()
            .map(|(kind, bytes)| (*kind, bytes.as_slice()));
        index.file(package, &file, digest);
    }
}

fn digest(value: &[u8]) -> Option<(DigestKind, Vec<u8>)> {
    let (kind, length, text) = match value {
        [b'Q', b'1', text @ ..] => (DigestKind::Sha1, 20, text),
        [b'Q', b'2', text @ ..] => (DigestKind::Sha256, 32, text),
        _ => return None,
    };
    let bytes = STANDARD.decode(text.trim_ascii()).ok()?;
    (bytes.len() == length).then_some((kind, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::index::Standing;

    /// `printf hello | openssl sha1 -binary | base64`
    const DATABASE: &[u8] = b"C:Q1abc=\nP:demo\nV:1.2-r0\nF:etc/demo\nM:0:0:755\nR:a.pem\na:0:0:644\n\
        Z:Q1qvTGHdzF6KLavt4PO0gs2a6pQ00=\nR:link\nF:\nR:top\nZ:broken\n\nP:other\nV:2\nF:etc\nR:last";

    #[test]
    fn digests_and_files_without() {
        let mut index = FileIndex::default();
        read(DATABASE, &Aliases::default(), &mut index);
        let index = index.finish();
        let mut of = |kind: DigestKind| kind.of(&b"hello"[..], 5).ok();
        let demo = "apk:demo@1.2-r0";
        assert_eq!(
            index.look(b"/etc/demo/a.pem", &mut of),
            Some(Standing::Proven(demo.into()))
        );
        assert_eq!(
            index.look(b"/etc/demo/link", &mut of),
            Some(Standing::Listed(demo.into()))
        );
        assert_eq!(
            index.look(b"/top", &mut of),
            Some(Standing::Listed(demo.into()))
        );
        assert_eq!(
            index.look(b"/etc/last", &mut of),
            Some(Standing::Listed("apk:other@2".into()))
        );
        let mut changed = |kind: DigestKind| kind.of(&b"hellO"[..], 5).ok();
        assert_eq!(
            index.look(b"/etc/demo/a.pem", &mut changed),
            Some(Standing::Listed(demo.into()))
        );
    }
}
