//! Distinguished names, compared whatever their order, case and spelling.

use super::few::NONE;
use super::texts::Texts;
use std::borrow::Cow;
use std::hash::BuildHasher as _;

/// A name in one spelling: its attributes in order, each of which ends a line; no value has a line end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    key: String,
    /// The text had no attribute types: it is one value, taken for a common name.
    bare: bool,
}

impl Name {
    /// Reads RFC 4514 text, `/C=…/CN=…` or `CN = …, O = …`; none for a blank text.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut speller = Speller::default();
        let bare = speller.spell(text)?;
        Some(Self {
            key: speller.out,
            bare,
        })
    }

    /// Whether a row's name and a certificate's agree; a bare text must be one of the common names.
    pub(super) fn agrees(&self, certificate: &Self) -> bool {
        agree(&self.key, self.bare, &certificate.key)
    }
}

fn agree(own: &str, bare: bool, certificate: &str) -> bool {
    if bare {
        let own = common_names(own).next();
        common_names(certificate).any(|cn| Some(cn) == own)
    } else {
        own == certificate
    }
}

/// The common names in a name's one spelling.
fn common_names(key: &str) -> impl Iterator<Item = &str> {
    key.split('\n').filter_map(|line| line.strip_prefix("cn="))
}

/// A distinguished name by number; a blank one has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct NameId(u32);

impl NameId {
    /// The blank name.
    pub(super) const BLANK: Self = Self(NONE);

    /// Whether it is the blank name.
    pub(super) fn is_blank(self) -> bool {
        self == Self::BLANK
    }

    /// Its number.
    pub(super) const fn number(self) -> u32 {
        self.0
    }
}

/// A name as a text gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) id: NameId,
    /// The text had no attribute types: it is one value, taken for a common name.
    bare: bool,
}

/// All names of sightings and rows, each read once into its one spelling.
#[derive(Default)]
pub(super) struct Names {
    texts: Texts,
}

impl Names {
    /// The name of a text, if it is among these.
    pub(super) fn find(&self, text: &str) -> Option<Named> {
        let mut speller = Speller::default();
        let Some(bare) = speller.spell(text) else {
            let id = NameId::BLANK;
            return Some(Named { id, bare: false });
        };
        let id = NameId(self.texts.find(&speller.out)?);
        Some(Named { id, bare })
    }

    /// The common names, in one spelling.
    pub(super) fn common_names(&self, name: NameId) -> impl Iterator<Item = &str> {
        common_names(self.texts.get(name.0))
    }

    /// The names among these that are one of its common names alone.
    pub(super) fn common_alone(&self, name: NameId) -> impl Iterator<Item = NameId> {
        let common = self.common_names(name);
        let alone = common.filter_map(|cn| Some(self.find(cn)?.id));
        alone.filter(move |&id| id != name && !id.is_blank())
    }

    /// Whether a row's name and a certificate's agree; a bare text must be one of the common names.
    pub(super) fn agree(&self, own: Named, certificate: NameId) -> bool {
        if !own.bare || certificate.is_blank() {
            return own.id == certificate;
        }
        agree(
            self.texts.get(own.id.0),
            true,
            self.texts.get(certificate.0),
        )
    }
}

/// Reads names into their list. Issuers repeat a thousandfold: the texts that were read last are not read again.
pub(super) struct NameReader<'n, 't> {
    names: &'n mut Names,
    speller: Speller,
    recent: Vec<Option<(&'t str, Option<Named>)>>,
    hasher: foldhash::fast::RandomState,
}

impl<'n, 't> NameReader<'n, 't> {
    /// How many texts are remembered, at most.
    const RECENT: usize = 512;

    pub(super) fn new(names: &'n mut Names) -> Self {
        Self {
            names,
            speller: Speller::default(),
            recent: vec![None; Self::RECENT],
            hasher: foldhash::fast::RandomState::default(),
        }
    }

    /// The name of a text; none for a blank one.
    pub(super) fn read(&mut self, text: &'t str) -> Option<Named> {
        let hash = usize::try_from(self.hasher.hash_one(text) >> 32).unwrap_or(0);
        let slot = self.recent.get_mut(hash % Self::RECENT);
        if let Some(Some((known, named))) = &slot
            && *known == text
        {
            return *named;
        }
        let named = self.speller.spell(text).map(|bare| Named {
            id: NameId(self.names.texts.number(&self.speller.out)),
            bare,
        });
        if let Some(slot) = slot {
            *slot = Some((text, named));
        }
        named
    }

    /// The same; the blank name for a blank text.
    pub(super) fn read_id(&mut self, text: &'t str) -> NameId {
        self.read(text).map_or(NameId::BLANK, |named| named.id)
    }
}

/// Makes the one spelling of names, in memory that is used again for each.
#[derive(Default)]
struct Speller {
    /// The attributes as they come.
    parts: String,
    /// Where each begins and ends.
    ranges: Vec<std::ops::Range<usize>>,
    out: String,
}

impl Speller {
    /// Leaves the one spelling in `out`, and tells whether the text had no attribute types; none for a blank text.
    fn spell(&mut self, text: &str) -> Option<bool> {
        self.parts.clear();
        self.ranges.clear();
        self.out.clear();
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        if !text.contains('=') {
            self.out.push_str("cn=");
            fold_into(text, &mut self.out);
            self.out.push('\n');
            return Some(true);
        }
        if text.starts_with('/') {
            let parts = split_slashes(&unescape_slashes(text));
            parts.iter().for_each(|part| self.attribute(part));
        } else if text.contains(['\\', '"']) {
            let parts = split_escaped(text);
            parts.iter().for_each(|part| self.attribute(part));
        } else {
            text.split([',', ';', '+', '\n'])
                .for_each(|part| self.attribute(part));
        }
        let Self { parts, ranges, out } = self;
        let of = |range: &std::ops::Range<usize>| parts.get(range.clone()).unwrap_or_default();
        ranges.sort_unstable_by(|one, other| of(one).cmp(of(other)));
        ranges.dedup_by(|one, other| of(one) == of(other));
        ranges.iter().for_each(|range| out.push_str(of(range)));
        (!ranges.is_empty()).then_some(false)
    }

    /// Adds `type=value`, if it is that.
    fn attribute(&mut self, part: &str) {
        let Some((kind, value)) = part.split_once('=') else {
            return;
        };
        let start = self.parts.len();
        self.parts.push_str(kind.trim());
        if let Some(kind) = self.parts.get_mut(start..) {
            kind.make_ascii_lowercase();
        }
        let kind = self.parts.get(start..).unwrap_or_default();
        let plain = kind.strip_prefix("oid.").unwrap_or(kind);
        if !is_type(plain) {
            self.parts.truncate(start);
            return;
        }
        let prefix = kind.len() - plain.len();
        match canonical_type(plain) {
            Some(word) => {
                self.parts.truncate(start);
                self.parts.push_str(word);
            }
            None if prefix > 0 => self.parts.replace_range(start..start + prefix, ""),
            None => {}
        }
        self.parts.push('=');
        let text = value.contains('#').then(|| text_of_der(value)).flatten();
        fold_into(text.as_deref().unwrap_or(value), &mut self.parts);
        self.parts.push('\n');
        self.ranges.push(start..self.parts.len());
    }
}

/// The key of a name's text, empty for a blank one.
#[cfg(test)]
fn name_key(text: &str) -> String {
    Name::read(text).map(|name| name.key).unwrap_or_default()
}

/// Lower case, without a copy where it is that already.
pub(super) fn lower_case(text: &str) -> Cow<'_, str> {
    match text
        .bytes()
        .any(|b| !b.is_ascii() || b.is_ascii_uppercase())
    {
        true => Cow::Owned(text.to_lowercase()),
        false => Cow::Borrowed(text),
    }
}

/// Lower case, blanks folded to one and trimmed (the gist of RFC 4518).
pub(super) fn folded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    fold_into(text, &mut out);
    out
}

/// The same, added to a text.
pub(super) fn fold_into(text: &str, out: &mut String) {
    if is_spaced(text) {
        let start = out.len();
        out.push_str(text);
        if let Some(text) = out.get_mut(start..) {
            text.make_ascii_lowercase();
        }
        return;
    }
    for (number, word) in text.split_whitespace().enumerate() {
        if number > 0 {
            out.push(' ');
        }
        if word.is_ascii() {
            let start = out.len();
            out.push_str(word);
            if let Some(word) = out.get_mut(start..) {
                word.make_ascii_lowercase();
            }
        } else {
            out.push_str(&word.to_lowercase());
        }
    }
}

/// Whether a text is ASCII and has no blanks but single ones between its words, as nearly all have.
fn is_spaced(text: &str) -> bool {
    let mut before = b' ';
    let mut odd = false;
    for &byte in text.as_bytes() {
        let is_blank = byte == b' ';
        odd |= !byte.is_ascii() | matches!(byte, b'\t'..=b'\r') | (is_blank & (before == b' '));
        before = byte;
    }
    !odd && before != b' '
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

fn is_type(kind: &str) -> bool {
    let kind = kind.trim();
    !kind.is_empty()
        && kind
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-')
}

/// The usual word for an attribute type that has several.
fn canonical_type(kind: &str) -> Option<&'static str> {
    // Most are usual already.
    if matches!(kind, "cn" | "o" | "ou" | "c" | "l" | "st" | "dc") {
        return None;
    }
    let word = match kind {
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
        _ => return None,
    };
    Some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_are_folded() {
        for (text, expected) in [
            ("", ""),
            (" ", ""),
            ("Issuing CA 0", "issuing ca 0"),
            (" A  b", "a b"),
            ("a\tB ", "a b"),
            ("a\u{b}b\u{1f}", "a b\u{1f}"),
            ("\u{c4} \u{a0}B", "\u{e4} b"),
        ] {
            assert_eq!(folded(text), expected, "{text:?}");
        }
    }

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
            assert_eq!(name_key(text), name.key, "{text}");
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
