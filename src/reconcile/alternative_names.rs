//! Subject alternative names in one spelling, as certificates and people write them.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Types by which a name may be introduced, with what separates them from it, and their word here.
const TYPES: &[(&str, &str)] = &[
    ("dns:", "dns"),
    ("dns name:", "dns"),
    ("dns name=", "dns"),
    ("dns=", "dns"),
    ("ip:", "ip"),
    ("ip address:", "ip"),
    ("ip address=", "ip"),
    ("ip=", "ip"),
    ("email:", "email"),
    ("rfc822 name=", "email"),
    ("rfc822name=", "email"),
    ("rfc822name:", "email"),
    ("uri:", "uri"),
    ("url=", "uri"),
    ("uri=", "uri"),
];

/// Names in one spelling.
pub(super) type Set<'n> = BTreeSet<Cow<'n, str>>;

/// Names without type, in one spelling each: lower case, no dot at the end, internationalised labels in Unicode,
/// addresses as RFC 5952 writes them, and one form of wildcard.
pub(super) fn normal(names: &[String]) -> Set<'_> {
    names
        .iter()
        .map(|name| typed(name).1)
        .filter(|name| !name.is_empty())
        .collect()
}

/// Where the names of a row and of a certificate differ: those that the certificate lacks, and those that only it has.
/// The common name, which some exports add and some leave out, does not count; nor do names of a kind (addresses, URIs)
/// of which the row has none at all.
pub(super) fn differ<'n, C: Iterator<Item = &'n str>>(
    row: &[String],
    certificate: &[String],
    common_names: impl Fn() -> C,
) -> Option<(Vec<String>, Vec<String>)> {
    let own = normal(row);
    if own.is_empty() {
        return None;
    }
    let of_host =
        |name: &Cow<'_, str>| !name.contains(['@', '/', ':']) && name.parse::<IpAddr>().is_err();
    let only_hosts = own.iter().all(of_host);
    let seen: Set<'_> = certificate
        .iter()
        .map(|name| typed(name))
        .filter(|(kind, _)| !only_hosts || kind.is_none_or(|k| k == "dns"))
        .map(|(_, name)| name)
        .collect();
    let common: Vec<Cow<'_, str>> = common_names().map(|cn| typed(cn).1).collect();
    let not_in = |one: &Set<'_>, other: &Set<'_>| -> Vec<String> {
        let lacking = one.difference(other).filter(|n| !common.contains(*n));
        lacking.map(|name| name.to_string()).collect()
    };
    let (lacks, more) = (not_in(&own, &seen), not_in(&seen, &own));
    let same = lacks.is_empty() && more.is_empty();
    (!same).then_some((lacks, more))
}

/// A name's type, where it tells one, and the name in one spelling.
fn typed(name: &str) -> (Option<&'static str>, Cow<'_, str>) {
    if let Some(plain) = plain_host(name) {
        return plain;
    }
    let (kind, name) = typed_slowly(name);
    (kind, Cow::Owned(name))
}

/// Most names are those of hosts, written as they are kept.
fn plain_host(name: &str) -> Option<(Option<&'static str>, Cow<'_, str>)> {
    let (kind, host) = match name.strip_prefix("DNS:") {
        Some(host) => (Some("dns"), host),
        None => (None, name),
    };
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-');
    // Addresses end with a digit; `--` may be that of an internationalised label.
    let is_plain = host.strip_prefix("*.").unwrap_or(host).bytes().all(plain)
        && host.ends_with(|c: char| c.is_ascii_lowercase())
        && !host.contains("--")
        && !host.starts_with("wildcard.");
    is_plain.then_some((kind, Cow::Borrowed(host)))
}

fn typed_slowly(name: &str) -> (Option<&'static str>, String) {
    let lower = name.trim().to_lowercase();
    let found = TYPES
        .iter()
        .find_map(|(prefix, kind)| Some((*kind, lower.strip_prefix(prefix)?)));
    let (kind, rest) = found.map_or((None, lower.as_str()), |(k, r)| (Some(k), r));
    let rest = rest.trim();
    if let Ok(address) = rest.parse::<IpAddr>() {
        return (Some("ip"), address.to_string());
    }
    if matches!(kind, Some("uri" | "email")) {
        return (kind, rest.to_owned());
    }
    let rest = rest.trim_end_matches('.');
    // Where `*` is special, as in file names and shells, it is spelled out.
    let rest = ["\\*.", "_wildcard.", "wildcard."]
        .iter()
        .find_map(|form| rest.strip_prefix(form))
        .map_or_else(|| rest.to_owned(), |rest| format!("*.{rest}"));
    let labels: Vec<String> = rest.split('.').map(unicode_label).collect();
    (kind, labels.join("."))
}

/// A label in Unicode (RFC 5890: an A-label is `xn--` and Punycode); what cannot be decoded stays.
fn unicode_label(label: &str) -> String {
    label
        .strip_prefix("xn--")
        .and_then(punycode)
        .map_or_else(|| label.to_owned(), |text| text.to_lowercase())
}

/// Punycode, decoded (RFC 3492, section 6.2). A label has 63 octets at most.
fn punycode(text: &str) -> Option<String> {
    const BASE: u32 = 36;
    const T_MIN: u32 = 1;
    const T_MAX: u32 = 26;
    let (basic, digits) = text.rsplit_once('-').unwrap_or(("", text));
    if text.is_empty() || text.len() > 63 || !text.is_ascii() {
        return None;
    }
    let mut out: Vec<char> = basic.chars().collect();
    let (mut n, mut i, mut bias) = (128u32, 0u32, 72u32);
    let mut rest = digits.bytes().peekable();
    while rest.peek().is_some() {
        let start = i;
        let (mut weight, mut k) = (1u32, BASE);
        loop {
            let digit = match rest.next()? {
                b @ b'a'..=b'z' => u32::from(b - b'a'),
                b @ b'0'..=b'9' => u32::from(b - b'0') + 26,
                _ => return None,
            };
            i = i.checked_add(digit.checked_mul(weight)?)?;
            let threshold = k.saturating_sub(bias).clamp(T_MIN, T_MAX);
            if digit < threshold {
                break;
            }
            weight = weight.checked_mul(BASE - threshold)?;
            k += BASE;
        }
        let length = u32::try_from(out.len()).ok()? + 1;
        // Section 6.1: how the bias adapts.
        let mut delta = (i - start) / if start == 0 { 700 } else { 2 };
        delta += delta / length;
        let mut more = 0;
        while delta > ((BASE - T_MIN) * T_MAX) / 2 {
            delta /= BASE - T_MIN;
            more += BASE;
        }
        bias = more + (BASE - T_MIN + 1) * delta / (delta + 38);
        n = n.checked_add(i / length)?;
        i %= length;
        out.insert(usize::try_from(i).ok()?, char::from_u32(n)?);
        i += 1;
    }
    Some(out.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(name: &str) -> String {
        let (kind, spelling) = typed(name);
        assert_eq!(typed_slowly(name), (kind, spelling.to_string()));
        spelling.into_owned()
    }

    #[test]
    fn spellings_of_one_name() {
        for (left, right) in [
            ("DNS:Shop.Example", "shop.example."),
            ("DNS Name=shop.example", "shop.example"),
            ("*.shop.example", "\\*.Shop.Example"),
            ("*.shop.example", "wildcard.shop.example"),
            ("IP:192.0.2.1", "IP Address: 192.0.2.1"),
            ("IP:2001:db8::1", "2001:0DB8:0:0:0:0:0:1"),
            // The examples of the RFCs and of IANA's test domains.
            ("DNS:xn--bcher-kva.example", "Bücher.example"),
            ("xn--mnchen-3ya.example", "MÜNCHEN.example"),
            ("xn--hxajbheg2az3al.example", "παράδειγμα.example"),
            ("xn--fsqu00a.example", "例子.example"),
        ] {
            assert_eq!(one(left), one(right), "{left} {right}");
        }
    }

    #[test]
    fn other_names() {
        for (left, right) in [
            ("shop.example", "www.shop.example"),
            ("*.shop.example", "shop.example"),
            ("xn--bcher-kva.example", "bucher.example"),
            ("IP:192.0.2.1", "192.0.2.10"),
        ] {
            assert_ne!(one(left), one(right), "{left} {right}");
        }
        // What is no Punycode stays as it is.
        for odd in ["xn--", "xn--a_b", "xn--99999999", "xn--\u{fc}"] {
            assert_eq!(one(odd), odd);
        }
    }

    #[test]
    fn differences() {
        let list =
            |names: &[&str]| -> Vec<String> { names.iter().map(|&n| n.to_owned()).collect() };
        let common = || ["shop.example"].into_iter();
        let seen = list(&["DNS:shop.example", "DNS:www.shop.example", "IP:192.0.2.1"]);
        for row in [
            list(&["www.shop.example", "shop.example"]),
            list(&["WWW.shop.example."]),
            list(&["www.shop.example", "192.0.2.1"]),
            list(&[]),
        ] {
            assert_eq!(differ(&row, &seen, common), None, "{row:?}");
        }
        let lacking = differ(&list(&["www.shop.example", "a.example"]), &seen, common);
        assert_eq!(lacking, Some((list(&["a.example"]), list(&[]))));
        let more = differ(&list(&["shop.example"]), &seen, common);
        assert_eq!(more, Some((list(&[]), list(&["www.shop.example"]))));
        let addresses = differ(&list(&["www.shop.example", "192.0.2.2"]), &seen, common);
        assert_eq!(
            addresses,
            Some((list(&["192.0.2.2"]), list(&["192.0.2.1"])))
        );
    }
}
