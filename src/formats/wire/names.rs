//! Names as text: RFC 4514 for distinguished names, OpenSSL's prefixes for general names.

use super::der::{self, DerError, Element, Reader};
use super::oid;
use std::fmt::Write as _;

/// A distinguished name (RFC 5280, section 4.1.2.4) as `openssl -nameopt RFC2253` prints it: last
/// component first, special characters escaped, controls and what is not ASCII as `\XX` of UTF-8.
pub fn rfc4514(name: &Element<'_>) -> Result<String, DerError> {
    let mut attributes = Vec::new();
    walk(name, |attribute| attributes.push(attribute))?;
    let mut text = String::with_capacity(name.content.len());
    for (kind, value, first_of_rdn) in attributes.iter().rev() {
        match oid::attribute(kind) {
            Some(known) => {
                text.push_str(known);
                text.push('=');
                push_value(&mut text, value);
            }
            None => {
                text.push_str(&oid::dotted(kind));
                text.push('=');
                push_hex(&mut text, value.raw);
            }
        }
        text.push(if *first_of_rdn { ',' } else { '+' });
    }
    text.pop();
    Ok(text)
}

/// Whether an element is a distinguished name.
pub fn is_name(element: &Element<'_>) -> bool {
    walk(element, |_| ()).is_ok()
}

/// Type and value of an attribute, and whether it is the first of its relative name.
type Attribute<'a> = (&'a [u8], Element<'a>, bool);

fn walk<'a>(name: &Element<'a>, mut each: impl FnMut(Attribute<'a>)) -> Result<(), DerError> {
    let mut rdns = name.enter(der::SEQUENCE)?;
    while !rdns.is_empty() {
        let mut rdn = rdns.enter(der::SET)?;
        let mut first = true;
        while !rdn.is_empty() {
            let mut fields = rdn.enter(der::SEQUENCE)?;
            let kind = fields.expect(der::OID)?.content;
            let value = fields.element()?;
            fields.finish()?;
            each((kind, value, first));
            first = false;
        }
    }
    Ok(())
}

fn push_value(text: &mut String, value: &Element<'_>) {
    match value.tag {
        // UTF8String
        0x0c => push_escaped(text, value.content),
        // NumericString, PrintableString, T61String, IA5String, times, VisibleString: read as Latin-1.
        0x12 | 0x13 | 0x14 | 0x16 | 0x17 | 0x18 | 0x1a => {
            if value.content.is_ascii() {
                push_escaped(text, value.content);
            } else {
                let decoded: String = value.content.iter().map(|b| char::from(*b)).collect();
                push_escaped(text, decoded.as_bytes());
            }
        }
        // UniversalString and BMPString
        0x1c if value.content.len().is_multiple_of(4) => push_wide(text, value.content, 4),
        0x1e if value.content.len().is_multiple_of(2) => push_wide(text, value.content, 2),
        _ => push_hex(text, value.raw),
    }
}

fn push_wide(text: &mut String, bytes: &[u8], width: usize) {
    let decoded: String = bytes
        .chunks_exact(width)
        .map(|unit| unit.iter().fold(0u32, |n, b| n << 8 | u32::from(*b)))
        .map(|code| char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect();
    push_escaped(text, decoded.as_bytes());
}

/// RFC 4514, section 2.4.
fn push_escaped(text: &mut String, utf8: &[u8]) {
    for (i, byte) in utf8.iter().enumerate() {
        let edge = i == 0 || i + 1 == utf8.len();
        match byte {
            b',' | b'+' | b'"' | b'\\' | b'<' | b'>' | b';' => {
                text.push('\\');
                text.push(char::from(*byte));
            }
            b' ' if edge => text.push_str("\\ "),
            b'#' if i == 0 => text.push_str("\\#"),
            0x20..=0x7e => text.push(char::from(*byte)),
            _ => {
                // Writing to a String does not fail.
                let _ = write!(text, "\\{byte:02X}");
            }
        }
    }
}

fn push_hex(text: &mut String, bytes: &[u8]) {
    text.push('#');
    for byte in bytes {
        let _ = write!(text, "{byte:02X}");
    }
}

/// How many general names are told: many times what any real certificate has, as each costs far more memory
/// than the bytes that it is read from.
const MAX_NAMES: usize = 10_000;

/// General names (RFC 5280, section 4.2.1.6) with OpenSSL's prefixes. What cannot be read, or is
/// too much, is left out, and the flag tells so.
pub fn general_names(mut names: Reader<'_>) -> (Vec<String>, bool) {
    let mut out = Vec::new();
    let mut whole = true;
    while !names.is_empty() {
        let Ok(name) = names.element() else {
            return (out, false);
        };
        if out.len() >= MAX_NAMES {
            return (out, false);
        }
        match general_name(&name) {
            Some(text) => out.push(text),
            None => whole = false,
        }
    }
    (out, whole)
}

fn general_name(name: &Element<'_>) -> Option<String> {
    let text = || String::from_utf8_lossy(name.content);
    Some(match name.tag {
        0x81 => format!("email:{}", text()),
        0x82 => format!("DNS:{}", text()),
        0x86 => format!("URI:{}", text()),
        0x87 => address(name.content)?,
        0x88 => format!("RID:{}", oid::dotted(name.content)),
        0xa0 => other_name(name.content)?,
        0xa4 => format!(
            "DirName:{}",
            rfc4514(&Element::read_all(name.content).ok()?).ok()?
        ),
        0xa3 => "X400Name".to_owned(),
        0xa5 => "EdiPartyName".to_owned(),
        _ => return None,
    })
}

fn address(bytes: &[u8]) -> Option<String> {
    if let Ok(v4) = <[u8; 4]>::try_from(bytes) {
        return Some(format!("IP:{}", std::net::Ipv4Addr::from(v4)));
    }
    let v6 = <[u8; 16]>::try_from(bytes).ok()?;
    let groups = std::net::Ipv6Addr::from(v6).segments();
    let groups: Vec<String> = groups.iter().map(|g| format!("{g:X}")).collect();
    Some(format!("IP:{}", groups.join(":")))
}

fn other_name(bytes: &[u8]) -> Option<String> {
    let mut fields = Reader::new(bytes);
    let kind = oid::dotted(fields.expect(der::OID).ok()?.content);
    let wrapped = fields.expect(der::context(0)).ok()?;
    let value = Element::read_all(wrapped.content).ok()?;
    let mut text = format!("otherName:{kind}=");
    push_value(&mut text, &value);
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(kind: &[u8], tag: u8, value: &[u8]) -> Vec<u8> {
        let kind = der::encode(der::OID, &[kind]);
        let value = der::encode(tag, &[value]);
        der::encode(der::SEQUENCE, &[&kind, &value])
    }

    fn name(rdns: &[&[u8]]) -> String {
        let rdns: Vec<Vec<u8>> = rdns.iter().map(|r| der::encode(der::SET, &[r])).collect();
        let rdns: Vec<&[u8]> = rdns.iter().map(Vec::as_slice).collect();
        let name = der::encode(der::SEQUENCE, &rdns);
        rfc4514(&Element::read_all(&name).unwrap()).unwrap()
    }

    /// The examples of RFC 4514, section 4.
    #[test]
    fn prints_the_examples_of_rfc_4514() {
        let dc = oid::oid!(0, 9, 2342, 19200300, 100, 1, 25);
        let uid = oid::oid!(0, 9, 2342, 19200300, 100, 1, 1);
        let (cn, ou, sn) = (
            oid::oid!(2, 5, 4, 3),
            oid::oid!(2, 5, 4, 11),
            oid::oid!(2, 5, 4, 4),
        );
        let net = attribute(dc, 0x16, b"net");
        let example = attribute(dc, 0x16, b"example");
        assert_eq!(
            name(&[&net, &example, &attribute(uid, 0x13, b"jsmith")]),
            "UID=jsmith,DC=example,DC=net"
        );
        let smith = [
            attribute(cn, 0x13, b"J.  Smith"),
            attribute(ou, 0x13, b"Sales"),
        ]
        .concat();
        assert_eq!(
            name(&[&net, &example, &smith]),
            "OU=Sales+CN=J.  Smith,DC=example,DC=net"
        );
        assert_eq!(
            name(&[
                &net,
                &example,
                &attribute(cn, 0x13, b"James \"Jim\" Smith, III")
            ]),
            "CN=James \\\"Jim\\\" Smith\\, III,DC=example,DC=net"
        );
        assert_eq!(
            name(&[&net, &example, &attribute(cn, 0x13, b"Before\rAfter")]),
            "CN=Before\\0DAfter,DC=example,DC=net"
        );
        let unknown = attribute(oid::oid!(1, 3, 6, 1, 4, 1, 1466, 0), 4, b"Hi");
        assert_eq!(name(&[&unknown]), "1.3.6.1.4.1.1466.0=#04024869");
        assert_eq!(
            name(&[&attribute(sn, 0x0c, "Lučić".as_bytes())]),
            "SN=Lu\\C4\\8Di\\C4\\87"
        );
        assert_eq!(name(&[&attribute(cn, 0x0c, b" #x ")]), "CN=\\ #x\\ ");
        assert_eq!(name(&[]), "");
    }
}
