//! Names of members: their encoding is told in three ways, or not at all.

use flate2::Crc;

/// The name is UTF-8.
const UTF8: u16 = 1 << 11;
/// Who made the record: MS-DOS and Windows. Others write names as their file systems have them.
const DOS: [u8; 4] = [0, 6, 11, 14];

/// The upper half of code page 437, in which names are where nothing else is said (APPNOTE, appendix D.1).
const CP437: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

/// The name as it is told: UTF-8 as it stands; other bytes as code page 437 if a program of DOS or Windows wrote them, else as they are.
pub(super) fn decode(raw: &[u8], flags: u16, host: u8) -> Vec<u8> {
    if flags & UTF8 != 0 || std::str::from_utf8(raw).is_ok() || !DOS.contains(&host) {
        return raw.to_vec();
    }
    let mut name = String::new();
    for byte in raw {
        match byte.checked_sub(128) {
            Some(upper) => name.extend(CP437.chars().nth(upper.into())),
            None => name.push(char::from(*byte)),
        }
    }
    name.into_bytes()
}

/// Info-ZIP's Unicode path: version, checksum of the name that it is for, and the name in UTF-8 (APPNOTE 4.6.9).
pub(super) fn unicode_path(field: &[u8], raw: &[u8]) -> Option<Vec<u8>> {
    let (head, name) = field.split_at_checked(5)?;
    let mut crc = Crc::new();
    crc.update(raw);
    let told = u32::from_le_bytes(*head.get(1..)?.first_chunk()?);
    (head.first() == Some(&1) && told == crc.sum()).then(|| name.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_each_encoding() {
        assert_eq!(CP437.chars().count(), 128);
        let told = |raw: &[u8], flags, host| String::from_utf8(decode(raw, flags, host));
        assert_eq!(told(b"\x84\x81\xe1", 0, 0).unwrap(), "äüß");
        assert_eq!(told("äüß".as_bytes(), UTF8, 0).unwrap(), "äüß");
        assert_eq!(told("äüß".as_bytes(), 0, 0).unwrap(), "äüß");
        assert_eq!(decode(b"\xe4\xfc", 0, 3), b"\xe4\xfc");
    }

    #[test]
    fn a_unicode_path_for_another_name_is_none() {
        let mut crc = Crc::new();
        crc.update(b"name");
        let field = [&[1][..], &crc.sum().to_le_bytes(), "ä".as_bytes()].concat();
        assert_eq!(unicode_path(&field, b"name").unwrap(), "ä".as_bytes());
        assert_eq!(unicode_path(&field, b"nam"), None);
        assert_eq!(unicode_path(b"\x01\0", b"name"), None);
    }
}
