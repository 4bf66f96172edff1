//! From bytes to text, whatever program wrote the export; and what is no text at all.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use std::borrow::Cow;

/// The text of an export.
#[derive(Debug)]
pub(super) struct Text<'a> {
    pub(super) text: Cow<'a, str>,
    /// What is to be told about the way it was read.
    pub(super) notice: Option<&'static str>,
    /// How it is encoded.
    pub(super) encoding: &'static Encoding,
    /// Whether it begins with a byte order mark.
    pub(super) has_bom: bool,
}

impl Text<'_> {
    /// Encodes text in the same way; what the encoding does not have becomes `?`.
    pub(super) fn encode(&self, text: &str) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len());
        let units = text.encode_utf16();
        if self.encoding == UTF_16LE {
            out.extend(self.has_bom.then_some([0xff, 0xfe]).into_iter().flatten());
            out.extend(units.flat_map(u16::to_le_bytes));
        } else if self.encoding == UTF_16BE {
            out.extend(self.has_bom.then_some([0xfe, 0xff]).into_iter().flatten());
            out.extend(units.flat_map(u16::to_be_bytes));
        } else if self.encoding == UTF_8 {
            out.extend(
                self.has_bom
                    .then_some([0xef, 0xbb, 0xbf])
                    .into_iter()
                    .flatten(),
            );
            out.extend(text.as_bytes());
        } else {
            let known = |c: char| {
                let mut one = [0; 4];
                let (_, _, lacking) = self.encoding.encode(c.encode_utf8(&mut one));
                if lacking { '?' } else { c }
            };
            let text: String = if text.is_ascii() {
                text.to_owned()
            } else {
                text.chars().map(known).collect()
            };
            out.extend_from_slice(&self.encoding.encode(&text).0);
        }
        out
    }
}

/// Decodes an export; the error says what the bytes look like instead.
pub(super) fn decode(bytes: &[u8]) -> Result<Text<'_>, &'static str> {
    if let Some(text) = marked(bytes)? {
        return Ok(text);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => checked(UTF_8, text.into(), false),
        Err(_) => with(WINDOWS_1252, bytes),
    }
}

/// The same of bytes that are not needed any more, which mostly are the text; and what is to be told about it.
pub(super) fn decode_whole(bytes: Vec<u8>) -> Result<(String, Option<&'static str>), &'static str> {
    let owned = |text: Text<'_>| (text.text.into_owned(), text.notice);
    if let Some(text) = marked(&bytes)? {
        return Ok(owned(text));
    }
    match String::from_utf8(bytes) {
        Ok(text) => checked(UTF_8, text.into(), false).map(owned),
        Err(error) => with(WINDOWS_1252, error.as_bytes()).map(owned),
    }
}

/// The text of bytes that tell their encoding.
fn marked(bytes: &[u8]) -> Result<Option<Text<'_>>, &'static str> {
    if let Some(what) = magic(bytes) {
        return Err(what);
    }
    if let Some((encoding, bom)) = Encoding::for_bom(bytes) {
        let text = with(encoding, bytes.get(bom..).unwrap_or(&[]))?;
        return Ok(Some(Text {
            has_bom: true,
            ..text
        }));
    }
    let head = bytes.get(..bytes.len().min(8192)).unwrap_or(bytes);
    if head.contains(&0) {
        let encoding = utf16_by_zeros(head).ok_or("binary data")?;
        return with(encoding, bytes).map(Some);
    }
    Ok(None)
}

fn with<'a>(encoding: &'static Encoding, bytes: &'a [u8]) -> Result<Text<'a>, &'static str> {
    let (text, had_errors) = encoding.decode_without_bom_handling(bytes);
    checked(encoding, text, had_errors)
}

fn checked<'a>(
    encoding: &'static Encoding,
    text: Cow<'a, str>,
    had_errors: bool,
) -> Result<Text<'a>, &'static str> {
    let odd = text
        .chars()
        .take(8192)
        .filter(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{c}'))
        .count();
    // A text has no control characters; some exports have one here and there.
    if odd > 8 && odd * 50 > text.chars().take(8192).count() {
        return Err("binary data");
    }
    if let Some(what) = markup(&text) {
        return Err(what);
    }
    let notice = if had_errors {
        Some("some bytes are no characters of its encoding and were replaced")
    } else if encoding == WINDOWS_1252 {
        Some("not UTF-8; read as Windows-1252")
    } else {
        None
    };
    Ok(Text {
        text,
        notice,
        encoding,
        has_bom: false,
    })
}

/// UTF-16 of mostly Latin text has zeros in every second byte; other bytes with zeros are no text.
fn utf16_by_zeros(head: &[u8]) -> Option<&'static Encoding> {
    let zeros = |from: usize| {
        head.iter()
            .skip(from)
            .step_by(2)
            .filter(|b| **b == 0)
            .count()
    };
    let (even, odd, pairs) = (zeros(0), zeros(1), head.len() / 2);
    if odd * 10 >= pairs * 6 && even * 20 <= pairs {
        Some(UTF_16LE)
    } else if even * 10 >= pairs * 6 && odd * 20 <= pairs {
        Some(UTF_16BE)
    } else {
        None
    }
}

fn magic(bytes: &[u8]) -> Option<&'static str> {
    const MAGIC: &[(&[u8], &str)] = &[
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
            "an old office workbook",
        ),
        (b"%PDF-", "a PDF document"),
        (b"\x1f\x8b", "gzip data"),
        (b"\x7fELF", "a program"),
        (b"\xfe\xed\xfe\xed", "a Java keystore"),
        (b"\x30\x82", "DER data, as a certificate or key"),
        (b"PAR1", "Parquet data"),
    ];
    MAGIC
        .iter()
        .find(|(start, _)| bytes.starts_with(start))
        .map(|(_, what)| *what)
}

fn markup(text: &str) -> Option<&'static str> {
    let start: String = text
        .trim_start()
        .chars()
        .take(200)
        .collect::<String>()
        .to_lowercase();
    if start.starts_with("-----begin ") {
        Some("PEM, as a certificate or key")
    } else if start.starts_with("<!doctype html") || start.starts_with("<html") {
        Some("an HTML page")
    } else if start.starts_with("<?xml") || start.starts_with('<') {
        Some("XML or another markup")
    } else if ["ssh-rsa ", "ssh-ed25519 ", "ssh-dss "]
        .iter()
        .any(|a| start.starts_with(a))
        || start.starts_with("ecdsa-sha2-")
    {
        Some("OpenSSH public keys")
    } else if start.is_empty() {
        Some("nothing but blanks")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_told_apart() {
        let utf16 = |text: &str, little: bool| -> Vec<u8> {
            text.encode_utf16()
                .flat_map(|u| {
                    if little {
                        u.to_le_bytes()
                    } else {
                        u.to_be_bytes()
                    }
                })
                .collect()
        };
        for (bytes, expected) in [
            (
                b"id,name\n1,M\xc3\xbcller\n".to_vec(),
                "id,name\n1,Müller\n",
            ),
            (b"\xef\xbb\xbfid,name\n".to_vec(), "id,name\n"),
            (
                b"id,name\n1,M\xfcller \x80\n".to_vec(),
                "id,name\n1,Müller €\n",
            ),
            (
                [b"\xff\xfe".to_vec(), utf16("id\tü\n", true)].concat(),
                "id\tü\n",
            ),
            (
                [b"\xfe\xff".to_vec(), utf16("id\tü\n", false)].concat(),
                "id\tü\n",
            ),
            (utf16("id;owner\n", true), "id;owner\n"),
            (utf16("id;owner\n", false), "id;owner\n"),
        ] {
            assert_eq!(decode(&bytes).unwrap().text, expected);
        }
    }

    #[test]
    fn what_is_no_text_is_named() {
        assert_eq!(decode(b"PAR1....").unwrap_err(), "Parquet data");
        assert_eq!(
            decode(b"\x01\x02\x00\x00\x00\x07\x08").unwrap_err(),
            "binary data"
        );
        assert_eq!(
            decode(b"-----BEGIN CERTIFICATE-----\n").unwrap_err(),
            "PEM, as a certificate or key"
        );
        assert_eq!(decode(b"  <!DOCTYPE html><p>").unwrap_err(), "an HTML page");
        assert_eq!(decode(b" \r\n ").unwrap_err(), "nothing but blanks");
    }
}
