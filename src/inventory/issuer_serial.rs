//! `serial=…;issuer=…`, in either order and with the labels that people write.

use super::serial;
use crate::model::Identifier;
use arcstr::ArcStr;

/// The parts of a cell that names issuer and serial.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Parts {
    issuer: String,
    serial: String,
    /// What stood before or behind and is something else.
    pub(super) rest: String,
}

impl Parts {
    /// The identifiers, one for each reading of the serial.
    pub(super) fn identifiers(&self) -> Result<Vec<Identifier>, &'static str> {
        if self.issuer.is_empty() {
            return Err("issuer and serial, but the issuer is empty");
        }
        let issuer: ArcStr = self.issuer.as_str().into();
        Ok(serial::readings(&self.serial, None)?
            .into_iter()
            .map(|serial| Identifier::IssuerSerial {
                issuer: ArcStr::clone(&issuer),
                serial: serial.into(),
            })
            .collect())
    }
}

/// Finds both labels in a line; `None` where one is lacking.
pub(super) fn split(line: &str) -> Option<Parts> {
    if !has_ignoring_case(line, "issuer") {
        return None;
    }
    let lower = line.to_ascii_lowercase();
    let issuer = label(&lower, "issuer", &["dn", "name"])?;
    let serial = label(&lower, "serial", &["number", "no", "nr"])?;
    let text = |from: usize, to: usize| line.get(from..to).unwrap_or("");
    let trim = |s: &str| {
        s.trim_matches(|c: char| c.is_whitespace() || matches!(c, ';' | ',' | '"'))
            .to_owned()
    };
    Some(if serial.0 < issuer.0 {
        Parts {
            serial: trim(text(serial.1, issuer.0)),
            issuer: trim(text(issuer.1, line.len())),
            rest: trim(text(0, serial.0)),
        }
    } else {
        let behind = text(serial.1, line.len());
        let end = behind.find([';', ',']).unwrap_or(behind.len());
        let (number, more) = behind.split_at(end);
        let rest = format!("{};{}", text(0, issuer.0), more);
        Parts {
            issuer: trim(text(issuer.1, serial.0)),
            serial: trim(number),
            rest: trim(&rest),
        }
    })
}

/// Whether a text has a word, without a copy of it in lower case.
fn has_ignoring_case(text: &str, word: &str) -> bool {
    let (text, word) = (text.as_bytes(), word.as_bytes());
    let Some(first) = word.first() else {
        return true;
    };
    memchr::memchr2_iter(*first, first.to_ascii_uppercase(), text)
        .filter_map(|at| text.get(at..at + word.len()))
        .any(|found| found.eq_ignore_ascii_case(word))
}

/// Where a label begins and where its value does. `serialNumber=` inside a distinguished name is an attribute (RFC 4519,
/// section 2.31), so a label at the start or behind a semicolon is preferred, then the last one.
fn label(lower: &str, word: &str, suffixes: &[&str]) -> Option<(usize, usize)> {
    let mut fallback = None;
    for (at, _) in lower.match_indices(word) {
        let before = lower.get(..at).unwrap_or("").trim_end();
        if lower
            .get(..at)
            .is_some_and(|b| b.ends_with(|c: char| c.is_alphanumeric()))
        {
            continue;
        }
        let mut end = at + word.len();
        let mut tail = lower.get(end..).unwrap_or("");
        let skipped = tail.trim_start_matches([' ', '_', '-']);
        if let Some(rest) = suffixes.iter().find_map(|s| skipped.strip_prefix(s)) {
            end = lower.len() - rest.len();
            tail = rest;
        }
        let value = tail.trim_start();
        let value = value.strip_prefix([':', '=', '#']).unwrap_or(value);
        if value.len() == tail.len() {
            continue; // no blank, colon or equals sign behind the label: another word
        }
        end = end.max(lower.len() - value.len());
        if before.is_empty() || before.ends_with(';') {
            return Some((at, end));
        }
        fallback = Some((at, end));
    }
    fallback
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_orders_and_usual_labels() {
        for line in [
            "serial=0A1B;issuer=CN=Test CA,O=Example, C=DE",
            "issuer=CN=Test CA,O=Example, C=DE;serial=0A1B",
            "Serial: 0A:1B; Issuer: CN=Test CA,O=Example, C=DE",
            "issuer CN=Test CA,O=Example, C=DE serial 0A1B",
            "Issuer DN = CN=Test CA,O=Example, C=DE; Serial Number = 0a1b",
        ] {
            let parts = split(line).unwrap();
            assert_eq!(
                parts.identifiers().unwrap(),
                [Identifier::IssuerSerial {
                    issuer: "CN=Test CA,O=Example, C=DE".into(),
                    serial: "a1b".into()
                }],
                "{line}"
            );
            assert_eq!(parts.rest, "", "{line}");
        }
    }

    #[test]
    fn an_attribute_of_the_name_is_no_label() {
        let parts = split("issuer=CN=X,serialNumber=55;serial=0A").unwrap();
        assert_eq!(
            (parts.issuer.as_str(), parts.serial.as_str()),
            ("CN=X,serialNumber=55", "0A")
        );
    }

    #[test]
    fn what_else_is_in_the_cell_is_left_over() {
        let parts = split("issuer=CN=X;serial=0A;SHA1:aabb").unwrap();
        assert_eq!(parts.rest, "SHA1:aabb");
        let parts = split("aabb;serial=0A;issuer=CN=X").unwrap();
        assert_eq!(parts.rest, "aabb");
        assert_eq!(split("serial=0A"), None);
        assert_eq!(split("issuers serials"), None);
    }

    #[test]
    fn an_empty_issuer_is_a_fault() {
        assert!(split("serial=0A;issuer=").unwrap().identifiers().is_err());
    }
}
