//! What single cells say: names, lists, sizes, counts.

use super::words;

/// `issuer=CN=…`, as openssl prints a name.
pub(super) fn without_label(cell: &str, label: &str) -> String {
    let rest = cell
        .get(..label.len())
        .filter(|start| start.eq_ignore_ascii_case(label))
        .and_then(|_| {
            cell.get(label.len()..)?
                .trim_start()
                .strip_prefix(['=', ':'])
        });
    rest.unwrap_or(cell).trim().to_owned()
}

/// The parts of a cell that lists several.
pub(super) fn list(cell: &str, blanks: bool) -> Vec<String> {
    cell.split(|c: char| {
        matches!(c, '\n' | '\r' | ';' | ',' | '|') || (blanks && c.is_whitespace())
    })
    .map(str::trim)
    .filter(|part| !words::is_nothing(part))
    .map(str::to_owned)
    .collect()
}

/// A name as sightings tell it: `DNS:…`, `IP:…`, `email:…`, `URI:…`. `None` for the word before a name (`DNS Name=…`).
pub(super) fn alternative_name(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    for (label, form) in [
        ("dns:", "DNS"),
        ("dns=", "DNS"),
        ("name=", "DNS"),
        ("dnsname=", "DNS"),
        ("dnsname:", "DNS"),
        ("ip:", "IP"),
        ("ip=", "IP"),
        ("address:", "IP"),
        ("address=", "IP"),
        ("email:", "email"),
        ("uri:", "URI"),
        ("url=", "URI"),
    ] {
        if lower.starts_with(label) {
            let value = text.get(label.len()..).unwrap_or("");
            let value = if form == "DNS" {
                value.to_ascii_lowercase()
            } else {
                value.to_owned()
            };
            return (!value.is_empty()).then(|| format!("{form}:{value}"));
        }
    }
    if matches!(lower.as_str(), "dns" | "ip" | "email" | "uri" | "rfc822") {
        return None;
    }
    Some(if text.contains("://") {
        format!("URI:{text}")
    } else if text.parse::<std::net::IpAddr>().is_ok() {
        format!("IP:{text}")
    } else if text.contains('@') {
        format!("email:{text}")
    } else {
        format!("DNS:{lower}")
    })
}

/// A size, with the word for bits behind it or not.
pub(super) fn leading_number(cell: &str) -> Option<u32> {
    let cell = cell
        .trim()
        .trim_start_matches(|c: char| c.is_ascii_alphabetic() || matches!(c, ' ' | '-'));
    let end = cell
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(cell.len());
    let (number, tail) = cell.split_at(end);
    let tail = tail
        .trim()
        .trim_start_matches(['-', '.'])
        .to_ascii_lowercase();
    matches!(tail.as_str(), "" | "0" | "bit" | "bits" | "b")
        .then(|| number.parse().ok())
        .flatten()
}

/// `RSA 2048`, `rsa-4096`, `AES256`; only for families whose names are followed by a size.
pub(super) fn bits_of_name(name: &str) -> Option<u32> {
    let word = super::heading::compact(name);
    let digits = ["rsa", "dsa", "aes"]
        .iter()
        .find_map(|family| word.strip_prefix(family))?;
    let digits = digits
        .strip_suffix("bits")
        .or_else(|| digits.strip_suffix("bit"))
        .unwrap_or(digits);
    let bits: u32 = digits.parse().ok()?;
    (128..=16_384).contains(&bits).then_some(bits)
}

/// A number, or a list of hosts that is counted; `Some(None)` where there is no limit.
pub(super) fn allowed_hosts(cell: &str) -> Option<Option<u32>> {
    let lower = cell.to_ascii_lowercase();
    if matches!(lower.as_str(), "unlimited" | "any" | "all" | "*") {
        return Some(None);
    }
    let first = lower.split_whitespace().next().unwrap_or("");
    if first.bytes().all(|b| b.is_ascii_digit())
        && lower
            .split_whitespace()
            .skip(1)
            .all(|w| matches!(w, "host" | "hosts" | "servers"))
    {
        return first.parse().ok().map(Some);
    }
    let hosts: Vec<&str> = cell
        .split(|c: char| c.is_whitespace() || matches!(c, ';' | ',' | '|'))
        .filter(|w| !w.is_empty())
        .collect();
    let names = hosts.iter().all(|h| {
        h.chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '-' | '.' | '_'))
    });
    (names && (hosts.len() > 1 || first.contains(|c: char| c.is_ascii_digit())))
        .then(|| u32::try_from(hosts.len()).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_counts() {
        for (cell, expected) in [
            ("2048", Some(2048)),
            ("2048 bit", Some(2048)),
            ("RSA-4096", Some(4096)),
            ("256.0", Some(256)),
            ("big", None),
        ] {
            assert_eq!(leading_number(cell), expected, "{cell}");
        }
        for (name, expected) in [
            ("RSA 2048", Some(2048)),
            ("rsa4096", Some(4096)),
            ("AES-256", Some(256)),
            ("Ed25519", None),
            ("RSA", None),
        ] {
            assert_eq!(bits_of_name(name), expected, "{name}");
        }
        for (cell, expected) in [
            ("3", Some(Some(3))),
            ("3 hosts", Some(Some(3))),
            ("web01, web02", Some(Some(2))),
            ("any", Some(None)),
            ("few", None),
        ] {
            assert_eq!(allowed_hosts(cell), expected, "{cell}");
        }
    }

    #[test]
    fn alternative_names_take_the_form_of_sightings() {
        for (text, expected) in [
            ("WWW.example.com", Some("DNS:www.example.com")),
            ("DNS:a.example", Some("DNS:a.example")),
            ("Name=a.example", Some("DNS:a.example")),
            ("10.0.0.1", Some("IP:10.0.0.1")),
            ("a@b.example", Some("email:a@b.example")),
            ("spiffe://x/y", Some("URI:spiffe://x/y")),
            ("DNS", None),
        ] {
            assert_eq!(alternative_name(text).as_deref(), expected, "{text}");
        }
    }
}
