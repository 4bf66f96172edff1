//! Distinguished names, compared whatever their order, case and spelling.

/// A name as a sorted set of attributes; equal names have equal keys.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Name {
    attributes: Vec<(String, String)>,
    /// The text had no attribute types: it is one value, taken for a common name.
    bare: bool,
}

impl Name {
    /// Reads RFC 4514 text, `/C=…/CN=…` or `CN = …, O = …`; none for a blank text.
    pub(super) fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        if !text.contains('=') {
            return Some(Self {
                attributes: vec![("cn".to_owned(), folded(text))],
                bare: true,
            });
        }
        let parts = if text.starts_with('/') {
            split_slashes(text)
        } else {
            split_escaped(text)
        };
        let mut attributes: Vec<(String, String)> =
            parts.iter().filter_map(|part| attribute(part)).collect();
        attributes.sort();
        attributes.dedup();
        (!attributes.is_empty()).then_some(Self {
            attributes,
            bare: false,
        })
    }

    /// One text for hashing; equal for names with the same attributes.
    pub(super) fn key(&self) -> String {
        let mut out = String::new();
        for (kind, value) in &self.attributes {
            out.push_str(kind);
            out.push('=');
            out.push_str(value);
            out.push('\u{1f}');
        }
        out
    }

    /// The common names.
    pub(super) fn common_names(&self) -> impl Iterator<Item = &str> {
        self.attributes
            .iter()
            .filter(|(kind, _)| kind == "cn")
            .map(|(_, value)| value.as_str())
    }

    /// Whether a row's name and a certificate's agree; a bare text must be one of the common names.
    pub(super) fn agrees(&self, certificate: &Self) -> bool {
        if self.bare {
            let own = self.common_names().next();
            certificate.common_names().any(|cn| Some(cn) == own)
        } else {
            self.attributes == certificate.attributes
        }
    }
}

/// The key of a name's text, empty for a blank one.
pub(super) fn name_key(text: &str) -> String {
    Name::read(text).map(|name| name.key()).unwrap_or_default()
}

/// Lower case, blanks folded to one and trimmed (the gist of RFC 4518).
pub(super) fn folded(text: &str) -> String {
    text.split_whitespace()
        .map(str::to_lowercase)
        .collect::<Vec<_>>()
        .join(" ")
}

/// `/C=DE/O=a/b/CN=x`: a slash starts an attribute only when a type and `=` follow.
fn split_slashes(text: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for piece in text.split('/').skip(1) {
        let starts = piece.split_once('=').is_some_and(|(kind, _)| is_type(kind));
        match parts.last_mut() {
            Some(last) if !starts => {
                last.push('/');
                last.push_str(piece);
            }
            _ => parts.push(piece.to_owned()),
        }
    }
    parts
}

/// Splits at `,`, `;` and `+` that are neither escaped nor quoted, and takes the escapes away.
fn split_escaped(text: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut current: Vec<u8> = Vec::new();
    let mut quoted = false;
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'\\' => {
                let pair = bytes
                    .get(at..at + 2)
                    .and_then(|p| std::str::from_utf8(p).ok());
                match pair.and_then(|p| u8::from_str_radix(p, 16).ok()) {
                    Some(value) => {
                        current.push(value);
                        at += 2;
                    }
                    None => {
                        current.extend(bytes.get(at));
                        at += 1;
                    }
                }
            }
            b'"' => quoted = !quoted,
            b',' | b';' | b'+' if !quoted => parts.push(std::mem::take(&mut current)),
            other => current.push(other),
        }
    }
    parts.push(current);
    parts
        .iter()
        .map(|p| String::from_utf8_lossy(p).into_owned())
        .collect()
}

fn attribute(part: &str) -> Option<(String, String)> {
    let (kind, value) = part.split_once('=')?;
    let kind = kind.trim().to_ascii_lowercase();
    let kind = kind.strip_prefix("oid.").unwrap_or(&kind);
    is_type(kind).then(|| (canonical_type(kind).to_owned(), folded(value)))
}

fn is_type(kind: &str) -> bool {
    let kind = kind.trim();
    !kind.is_empty()
        && kind
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-')
}

fn canonical_type(kind: &str) -> &str {
    match kind {
        "2.5.4.3" | "commonname" => "cn",
        "2.5.4.4" | "surname" => "sn",
        "2.5.4.5" => "serialnumber",
        "2.5.4.6" | "countryname" => "c",
        "2.5.4.7" | "localityname" => "l",
        "2.5.4.8" | "s" | "sp" | "stateorprovincename" => "st",
        "2.5.4.9" | "streetaddress" => "street",
        "2.5.4.10" | "organizationname" => "o",
        "2.5.4.11" | "organizationalunitname" => "ou",
        "2.5.4.42" | "gn" => "givenname",
        "2.5.4.97" => "organizationidentifier",
        "0.9.2342.19200300.100.1.1" | "userid" => "uid",
        "0.9.2342.19200300.100.1.25" | "domaincomponent" => "dc",
        "1.2.840.113549.1.9.1" | "e" | "email" => "emailaddress",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_name_agree() {
        let name = Name::read("CN=Shop\\, Inc,O=Acme,C=DE").unwrap();
        for text in [
            "C=DE, O=acme, CN=\"Shop, Inc\"",
            "/C=DE/O=ACME/CN=Shop,  Inc",
            "c = de, o = Acme, cn = shop\\2C inc",
            "OID.2.5.4.3=Shop\\, Inc+O=Acme,C=DE",
        ] {
            assert!(Name::read(text).unwrap().agrees(&name), "{text}");
            assert_eq!(name_key(text), name.key(), "{text}");
        }
    }

    #[test]
    fn other_names_do_not() {
        let name = Name::read("CN=shop.example,O=Acme").unwrap();
        for text in [
            "CN=shop.example",
            "CN=shop.example,O=Other",
            "CN=shop.example,O=Acme,OU=x",
            "Acme",
        ] {
            assert!(!Name::read(text).unwrap().agrees(&name), "{text}");
        }
        assert!(Name::read("Shop.Example").unwrap().agrees(&name));
        assert!(Name::read("  ").is_none());
    }

    #[test]
    fn a_slash_inside_a_value_stays() {
        assert_eq!(name_key("/O=a/b/CN=x"), name_key("CN=x,O=a/b"));
    }
}
