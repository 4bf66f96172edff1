//! What a workbook may unpack to. The sizes that an archive declares are its own claim, so every member is unpacked once
//! and counted before a reader that trusts them sees it.

use std::io::{self, Cursor, Read};

/// Most members.
const MAX_MEMBERS: usize = 10_000;
/// Most bytes of all members together, unpacked.
const MAX_UNPACKED: u64 = 256 << 20;
/// Most bytes unpacked for one that is packed, beyond [`FREE`]; sheets of like rows reach 60.
const MAX_RATIO: u64 = 200;
/// What may be unpacked whatever the ratio.
const FREE: u64 = 16 << 20;

/// Which workbook it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Office Open XML (ISO/IEC 29500).
    Xlsx,
    /// OpenDocument (ISO/IEC 26300).
    Ods,
    /// Another archive.
    Other,
}

/// Tells the kind by the members, and refuses a bomb.
pub(super) fn check(bytes: &[u8]) -> Result<Kind, &'static str> {
    let mut archive =
        zip::ZipArchive::new(Cursor::new(bytes)).map_err(|_| "its archive is damaged")?;
    if archive.len() > MAX_MEMBERS {
        return Err("its archive has more members than are read");
    }
    let has = |archive: &zip::ZipArchive<Cursor<&[u8]>>, name: &str| {
        archive.index_for_name(name).is_some()
    };
    let kind = if has(&archive, "xl/workbook.xml") {
        Kind::Xlsx
    } else if has(&archive, "content.xml") && is_ods(&mut archive) {
        Kind::Ods
    } else {
        return Ok(Kind::Other);
    };
    let allowed = MAX_UNPACKED.min(FREE + (bytes.len() as u64).saturating_mul(MAX_RATIO));
    let mut left = allowed;
    for index in 0..archive.len() {
        let member = archive
            .by_index(index)
            .map_err(|_| "a member of its archive is damaged or encrypted")?;
        let unpacked = io::copy(&mut member.take(left + 1), &mut io::sink())
            .map_err(|_| "a member of its archive is damaged")?;
        if unpacked > left {
            return Err("it unpacks to more than a workbook of its size may");
        }
        left -= unpacked;
    }
    Ok(kind)
}

/// OpenDocument names its kind in a member; text documents and drawings have a `content.xml` too.
fn is_ods(archive: &mut zip::ZipArchive<Cursor<&[u8]>>) -> bool {
    let mut kind = String::new();
    archive.by_name("mimetype").is_ok_and(|member| {
        member.take(200).read_to_string(&mut kind).is_ok()
            && kind.starts_with("application/vnd.oasis.opendocument.spreadsheet")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bomb_is_refused_and_a_truncated_archive_too() {
        let bomb = include_bytes!("../../../fixtures/inventory/hostile/bomb.xlsx");
        assert!(bomb.len() < 300_000);
        assert_eq!(
            check(bomb),
            Err("it unpacks to more than a workbook of its size may")
        );
        let whole = include_bytes!("../../../fixtures/inventory/forms/register.xlsx");
        assert_eq!(check(whole), Ok(Kind::Xlsx));
        assert!(check(&whole[..whole.len() / 2]).is_err());
    }
}
