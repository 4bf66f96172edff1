//! Understands one header: which field it means, and what else it says (units, order of a date, base of a number).

use super::columns::{Field, Rank, lookup};

/// What a header means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Heading {
    pub(super) field: Field,
    pub(super) rank: Rank,
    pub(super) hints: Hints,
}

/// What a header says beside its field.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Hints {
    /// Unit of a period.
    pub(super) unit: Option<Unit>,
    /// Order of day and month.
    pub(super) order: Option<Order>,
    /// Base of a serial number.
    pub(super) base: Option<Base>,
}

/// A unit of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Hours,
    Days,
    Weeks,
    Months,
    Years,
}

/// Which of two numbers before a year is the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    DayFirst,
    MonthFirst,
}

/// The base of a number that is written with digits only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Base {
    Decimal,
    Hexadecimal,
}

/// Lower case, letters and digits only. A lone `#` counts as `no`.
pub(super) fn compact(name: &str) -> String {
    if name.trim() == "#" {
        return "no".to_owned();
    }
    if name.is_ascii() {
        let mut out = String::with_capacity(name.len());
        let letters = name.bytes().filter(u8::is_ascii_alphanumeric);
        out.extend(letters.map(|b| char::from(b.to_ascii_lowercase())));
        return out;
    }
    name.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// Objects around a field that add nothing to its meaning, as JSON exports nest them.
const WRAPPERS: &[&str] = &[
    "attributes",
    "properties",
    "metadata",
    "data",
    "fields",
    "field",
    "details",
    "spec",
    "tags",
    "labels",
    "certificate",
    "cert",
    "key",
    "item",
    "record",
    "validity",
    "custom",
    "info",
    "x509",
    "publickey",
    "lifecycle",
    "fingerprints",
    "fingerprint",
    "thumbprints",
    "thumbprint",
    "identifiers",
    "hashes",
    "digests",
];

/// Words before a name that add nothing to its meaning.
const FOREWORDS: &[&str] = &["certificate", "cert", "key", "x509", "ssl", "tls", "crypto"];

/// Understands a header; `None` where no field is meant.
pub(super) fn understand(header: &str) -> Option<Heading> {
    let header = header.get(..header.len().min(200)).unwrap_or("");
    // What a profile's constant filled in.
    let header = header.strip_suffix(" (by the profile)").unwrap_or(header);
    let (plain, hints) = set_hints_aside(header);
    let (field, rank) = meaning(header).or_else(|| meaning(&plain))?;
    Some(Heading { field, rank, hints })
}

fn meaning(header: &str) -> Option<(Field, Rank)> {
    let mut rest = header;
    loop {
        if let Some(found) = named(&compact(rest)) {
            return Some(found);
        }
        let (outer, inner) = rest.split_once('.')?;
        if !WRAPPERS.contains(&compact(outer).as_str()) {
            return None;
        }
        rest = inner;
    }
}

fn named(name: &str) -> Option<(Field, Rank)> {
    lookup(name).or_else(|| date_suffix(name)).or_else(|| {
        let bare = FOREWORDS.iter().find_map(|word| name.strip_prefix(word))?;
        lookup(bare)
            .or_else(|| date_suffix(bare))
            .map(|(f, _)| (f, Rank::Weak))
    })
}

/// `expirationDateTime`, `rotatedTimestamp`: a date field's name with a word for date behind it.
fn date_suffix(name: &str) -> Option<(Field, Rank)> {
    ["datetime", "timestamp", "date", "time", "at", "on"]
        .iter()
        .filter_map(|suffix| lookup(name.strip_suffix(suffix)?))
        .find(|(field, _)| field.is_date())
}

/// Splits off what stands in brackets, or behind the name, and is a unit, a base or a form of date.
fn set_hints_aside(header: &str) -> (String, Hints) {
    let mut hints = Hints::default();
    let mut plain = String::new();
    let mut rest = header;
    while let Some(open) = rest.find(['(', '[']) {
        let (before, tail) = rest.split_at(open);
        let Some(close) = tail.find([')', ']']) else {
            break;
        };
        let inside = tail.get(1..close).unwrap_or("");
        plain.push_str(before);
        if !take_hint(inside, &mut hints) {
            plain.push_str(inside);
        }
        rest = tail.get(close + 1..).unwrap_or("");
    }
    plain.push_str(rest);
    // `rotation_period_days`, `Valid To UTC`, `Serial hex`: a last word that is a hint, in any of the usual spellings.
    let words: Vec<&str> = plain
        .split(|c: char| !c.is_alphanumeric())
        .filter(|w| !w.is_empty())
        .collect();
    let camel = plain
        .char_indices()
        .rev()
        .find(|(_, c)| c.is_uppercase())
        .map(|(at, _)| plain.split_at(at));
    match (words.split_last(), camel) {
        (Some((last, before)), _) if !before.is_empty() => {
            if take_hint(last, &mut hints) {
                let kept = match before.split_last() {
                    Some((&"in", start)) => start,
                    _ => before,
                };
                plain = kept.join(" ");
            } else if let Some((front, last)) = camel
                && take_hint(last, &mut hints)
            {
                plain = front.to_owned();
            }
        }
        (_, Some((front, last))) if !front.is_empty() && take_hint(last, &mut hints) => {
            plain = front.to_owned();
        }
        _ => {}
    }
    (plain, hints)
}

fn take_hint(word: &str, hints: &mut Hints) -> bool {
    let word = compact(word.trim_start().strip_prefix("in ").unwrap_or(word));
    match word.as_str() {
        "h" | "hours" | "hrs" => hints.unit = Some(Unit::Hours),
        "d" | "day" | "days" => hints.unit = Some(Unit::Days),
        "w" | "weeks" => hints.unit = Some(Unit::Weeks),
        "months" | "mo" | "month" => hints.unit = Some(Unit::Months),
        "y" | "years" | "yrs" | "year" => hints.unit = Some(Unit::Years),
        "ddmmyyyy" | "dmy" | "dmyyyy" => hints.order = Some(Order::DayFirst),
        "mmddyyyy" | "mdy" | "mdyyyy" => hints.order = Some(Order::MonthFirst),
        "hex" | "hexadecimal" => hints.base = Some(Base::Hexadecimal),
        "dec" | "decimal" => hints.base = Some(Base::Decimal),
        "utc" | "gmt" | "z" | "bits" | "bit" | "date" | "datetime" | "iso" | "iso8601"
        | "rfc3339" | "epoch" | "unix" | "yyyymmdd" | "optional" | "required" | "mandatory"
        | "ifany" => {}
        _ => return false,
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_found_by_meaning() {
        for (header, field) in [
            ("Key ID", Field::Id),
            ("keyId", Field::Id),
            ("ASSET_ID", Field::Id),
            ("#", Field::Id),
            ("Common Name", Field::Name),
            ("CN", Field::Name),
            ("Friendly Name", Field::Name),
            ("Type", Field::Type),
            ("Owner", Field::Owner),
            ("Owner email", Field::Owner),
            ("Owner (e-mail)", Field::Owner),
            ("owner.email", Field::Owner),
            ("Assigned to", Field::Owner),
            ("Date Generated", Field::Created),
            ("creationDate", Field::Created),
            ("Last rotated", Field::LastRotated),
            ("Rotation Period (days)", Field::RotationPeriod),
            ("rotation_period_days", Field::RotationPeriod),
            ("rotationPeriodDays", Field::RotationPeriod),
            ("Rotate every", Field::RotationPeriod),
            ("Crypto period", Field::RotationPeriod),
            ("cryptoperiod", Field::RotationPeriod),
            ("Valid From", Field::NotBefore),
            ("Expires On", Field::Expires),
            ("Expires On (DD/MM/YYYY)", Field::Expires),
            ("notAfter", Field::Expires),
            ("validity.notAfter", Field::Expires),
            ("attributes.expires", Field::Expires),
            ("Valid To (UTC)", Field::Expires),
            ("Certificate Expiration Date", Field::Expires),
            ("expirationDateTime", Field::Expires),
            ("Status", Field::State),
            ("Env", Field::Environment),
            ("Stored at", Field::Location),
            ("Hosts", Field::Host),
            ("Path", Field::Path),
            ("Thumbprint", Field::CertFingerprint),
            ("SHA-1", Field::CertSha1),
            ("SHA1 Fingerprint", Field::CertSha1),
            ("Fingerprint (SHA256)", Field::Fingerprint),
            ("SHA-256", Field::Fingerprint),
            ("Certificate SHA-256", Field::CertSha256),
            ("x5t#S256", Field::CertSha256),
            ("SPKI SHA-256", Field::SpkiSha256),
            ("Public Key Hash", Field::SpkiSha256),
            ("MD5", Field::Md5),
            ("SSH fingerprint", Field::SshFingerprint),
            ("Serial Number", Field::Serial),
            ("Serial (hex)", Field::Serial),
            ("Key size (bits)", Field::Bits),
            ("CKA_ID", Field::Pkcs11Id),
            ("keygrip", Field::Keygrip),
            ("GPG key ID", Field::PgpKeyId),
            ("Max Hosts", Field::AllowedHosts),
            ("metadata.name", Field::Name),
            ("SANs", Field::Sans),
            ("fingerprints.cert_sha256", Field::CertSha256),
            ("fingerprint.sha1", Field::CertSha1),
            ("identifiers.keygrip", Field::Keygrip),
            ("rotation_period", Field::RotationPeriod),
            ("pgp_keyid", Field::PgpKeyId),
        ] {
            assert_eq!(understand(header).map(|h| h.field), Some(field), "{header}");
        }
    }

    #[test]
    fn what_is_not_known_is_not_guessed() {
        for header in [
            "Cost centre",
            "issuer.thumbprint",
            "Thumbprint (old)",
            "Previous fingerprint",
            "Signature Algorithm",
            "requester.name",
            "Next rotation",
            "",
            "   ",
        ] {
            assert_eq!(understand(header), None, "{header}");
        }
    }

    #[test]
    fn units_and_orders_in_the_header_count() {
        let hints = |header: &str| understand(header).unwrap().hints;
        assert_eq!(hints("Rotation Period (months)").unit, Some(Unit::Months));
        assert_eq!(hints("rotation_period_days").unit, Some(Unit::Days));
        assert_eq!(hints("rotationPeriodYears").unit, Some(Unit::Years));
        assert_eq!(hints("Rotation interval in weeks").unit, Some(Unit::Weeks));
        assert_eq!(hints("Expiry (MM/DD/YYYY)").order, Some(Order::MonthFirst));
        assert_eq!(hints("Serial [dec]").base, Some(Base::Decimal));
        assert_eq!(hints("Serial"), Hints::default());
    }
}
