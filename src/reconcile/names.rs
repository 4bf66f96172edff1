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
            split_slashes(&unescape_slashes(text))
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

/// The bytes that OpenSSL's one-line form writes as `\xC3`.
fn unescape_slashes(text: &str) -> String {
    if !text.contains("\\x") {
        return text.to_owned();
    }
    let mut out: Vec<u8> = Vec::new();
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let digits = bytes
            .get(at..at + 4)
            .filter(|four| four.starts_with(b"\\x"))
            .and_then(|four| std::str::from_utf8(four.get(2..)?).ok());
        match digits.and_then(|d| u8::from_str_radix(d, 16).ok()) {
            Some(value) => {
                out.push(value);
                at += 4;
            }
            None => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// A value as RFC 4514, section 2.4 writes what it has no text for: `#` and the digits of its DER.
fn text_of_der(value: &str) -> Option<String> {
    let digits = value.trim().strip_prefix('#')?;
    let pair = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    let bytes: Option<Vec<u8>> = (0..digits.len()).step_by(2).map(pair).collect();
    let bytes = bytes?;
    // A short length is enough for a name.
    let (&[tag, length], content) = bytes.split_first_chunk::<2>()?;
    if usize::from(length) != content.len() || length >= 0x80 {
        return None;
    }
    match tag {
        // UTF8String, PrintableString, TeletexString, IA5String.
        0x0c | 0x13 | 0x14 | 0x16 => String::from_utf8(content.to_vec()).ok(),
        // BMPString.
        0x1e if content.len() % 2 == 0 => {
            let units = content.chunks_exact(2).filter_map(|two| match two {
                [high, low] => Some(u16::from_be_bytes([*high, *low])),
                _ => None,
            });
            String::from_utf16(&units.collect::<Vec<u16>>()).ok()
        }
        _ => None,
    }
}

/// Splits at `,`, `;`, `+` and line ends that are neither escaped nor quoted, and takes the escapes away.
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
            // Windows doubles a quotation mark within them.
            b'"' if quoted && bytes.get(at) == Some(&b'"') => {
                current.push(b'"');
                at += 1;
            }
            b'"' => quoted = !quoted,
            b',' | b';' | b'+' | b'\n' if !quoted => parts.push(std::mem::take(&mut current)),
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
    let text = text_of_der(value);
    let value = folded(text.as_deref().unwrap_or(value));
    is_type(kind).then(|| (canonical_type(kind).to_owned(), value))
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
        "2.5.4.12" | "t" => "title",
        "2.5.4.15" => "businesscategory",
        "2.5.4.17" => "postalcode",
        "2.5.4.42" | "gn" | "g" => "givenname",
        "2.5.4.43" | "i" => "initials",
        "2.5.4.44" => "generationqualifier",
        "2.5.4.46" => "dnqualifier",
        "2.5.4.65" => "pseudonym",
        "1.3.6.1.4.1.311.60.2.1.1" | "jurisdictionlocalityname" => "jurisdictionl",
        "1.3.6.1.4.1.311.60.2.1.2" | "jurisdictionstateorprovincename" => "jurisdictionst",
        "1.3.6.1.4.1.311.60.2.1.3" | "jurisdictioncountryname" => "jurisdictionc",
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
    fn forms_of_openssl_and_windows() {
        // openssl x509 -subject -nameopt: oneline, RFC2253, multiline; certutil.
        let name = Name::read(
            "CN=M\u{fc}ller \\\"Shop\\\",OU=a\\, b,ST=Berlin,C=DE,1.2.840.113549.1.9.1=a@b.example",
        )
        .unwrap();
        for text in [
            "/C=DE/ST=Berlin/OU=a, b/CN=M\\xC3\\xBCller \"Shop\"/emailAddress=a@b.example",
            "emailAddress=a@b.example,CN=M\\C3\\BCller \\22Shop\\22,OU=a\\2C b,ST=Berlin,C=DE",
            "countryName = DE\nstateOrProvinceName = Berlin\norganizationalUnitName = a\\, b\ncommonName = M\u{fc}ller \\\"Shop\\\"\nemailAddress = a@b.example",
            "E=a@b.example, CN=\"M\u{fc}ller \"\"Shop\"\"\", OU=\"a, b\", S=Berlin, C=DE",
            "1.2.840.113549.1.9.1=#160b6140622e6578616d706c65,CN=M\u{fc}ller \\\"Shop\\\",OU=a\\, b,ST=Berlin,C=DE",
        ] {
            assert!(
                Name::read(text).unwrap().agrees(&name),
                "{text}: {:?}",
                Name::read(text)
            );
        }
    }

    #[test]
    fn values_in_der() {
        assert_eq!(text_of_der("#0c0141").as_deref(), Some("A"));
        assert_eq!(text_of_der("#1e0400410042").as_deref(), Some("AB"));
        for odd in [
            "0c0141",
            "#0c0241",
            "#0c01",
            "#xx0141",
            "#02 01",
            "#020105",
            "#1e0300410",
        ] {
            assert_eq!(text_of_der(odd), None, "{odd}");
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
