//! Serial numbers in every spelling, brought to lower-case hexadecimal without leading zeros.

use super::heading::Base;

/// Longest serial in hexadecimal digits: RFC 5280 allows 20 octets, and old authorities wrote a little more.
const MAX_HEX: usize = 64;
/// From this many decimal digits on, a number is too long for the 40 hexadecimal digits of RFC 5280, so it is decimal.
const SURELY_DECIMAL: usize = 41;

/// The readings of a serial number, best first.
///
/// With a letter, a colon or `0x` there is one. Digits alone may be decimal or hexadecimal: where neither the column nor
/// the length nor a leading zero tells, both readings are given.
pub(super) fn readings(text: &str, base: Option<Base>) -> Result<Vec<String>, &'static str> {
    let text = text.trim();
    // With a letter and nothing but digits there is one reading.
    if text.len() <= MAX_HEX
        && text.bytes().all(|b| b.is_ascii_hexdigit())
        && text.bytes().any(|b| b.is_ascii_alphabetic())
    {
        return Ok(vec![without_zeros(&text.to_ascii_lowercase())]);
    }
    if is_rounded(text) {
        return Err("a number that a spreadsheet has rounded; its digits are lost");
    }
    // openssl's `4096 (0x1000)`
    let text = match text.split_once('(') {
        Some((_, inside)) if inside.trim_start().to_ascii_lowercase().starts_with("0x") => {
            inside.trim_end_matches(')').trim()
        }
        _ => text,
    };
    let lower = text.to_ascii_lowercase();
    let text = lower
        .trim_start_matches(|c: char| c == '#' || c.is_whitespace())
        .trim_start_matches("serial")
        .trim_start_matches("number")
        .trim_start_matches(|c: char| matches!(c, '=' | ':') || c.is_whitespace());
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (marked, text) = match text.strip_prefix("0x").or_else(|| text.strip_suffix('h')) {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let separated = text.contains(':');
    let digits: String = text
        .chars()
        .filter(|c| !matches!(c, ':' | ' ' | '-' | '\t' | '\u{a0}') && !is_invisible(*c))
        .collect();
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err("no serial number: digits 0-9 and a-f are expected");
    }
    if digits.len() > MAX_HEX {
        return Err("too long for a serial number");
    }
    let sign = |hex: String| if negative { format!("-{hex}") } else { hex };
    let hex = sign(without_zeros(&digits));
    let only_decimal = digits.bytes().all(|b| b.is_ascii_digit());
    if marked || separated || !only_decimal || base == Some(Base::Hexadecimal) {
        return Ok(vec![hex]);
    }
    let decimal = sign(decimal_to_hex(&digits));
    if base == Some(Base::Decimal) || digits.len() >= SURELY_DECIMAL {
        return Ok(vec![decimal]);
    }
    if decimal == hex || (digits.starts_with('0') && digits.len() > 1) {
        return Ok(vec![hex]);
    }
    Ok(vec![hex, decimal])
}

/// `1.23E+47`, as spreadsheets write long numbers.
pub(super) fn is_rounded(text: &str) -> bool {
    let text = text.trim();
    let split = memchr::memchr_iter(b'+', text.as_bytes())
        .filter_map(|at| Some((text.get(..at)?, text.get(at + 1..)?)))
        .find_map(|(before, exponent)| Some((before.strip_suffix(['e', 'E'])?, exponent)));
    let Some((mantissa, exponent)) = split else {
        return false;
    };
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    digits(exponent)
        && mantissa
            .strip_prefix('-')
            .unwrap_or(mantissa)
            .split(['.', ','])
            .all(digits)
}

/// Marks without width that copying from a certificate viewer leaves in a cell.
pub(super) const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{feff}')
}

fn without_zeros(digits: &str) -> String {
    match digits.trim_start_matches('0') {
        "" => "0".to_owned(),
        rest => rest.to_owned(),
    }
}

/// Schoolbook conversion; the number has at most [`MAX_HEX`] digits.
fn decimal_to_hex(decimal: &str) -> String {
    let mut bytes: Vec<u8> = Vec::new(); // little-endian
    for digit in decimal.bytes() {
        let mut carry = u16::from(digit.saturating_sub(b'0'));
        for byte in &mut bytes {
            let value = u16::from(*byte) * 10 + carry;
            *byte = value.to_le_bytes()[0];
            carry = value >> 8;
        }
        if carry > 0 {
            bytes.push(carry.to_le_bytes()[0]);
        }
    }
    let hex: String = bytes.iter().rev().map(|b| format!("{b:02x}")).collect();
    without_zeros(&hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_reading_where_the_spelling_tells() {
        for (text, expected) in [
            ("0A:1B:2C", "a1b2c"),
            ("0x0a1b2c", "a1b2c"),
            ("00A1B2C3", "a1b2c3"),
            ("serial=0A1B2C", "a1b2c"),
            ("4096 (0x1000)", "1000"),
            ("01", "1"),
            ("12:34", "1234"),
            ("00", "0"),
            ("-0A", "-a"),
            ("0a 1b 2c", "a1b2c"),
            ("\u{200e}0a1b", "a1b"),
        ] {
            assert_eq!(readings(text, None).unwrap(), [expected], "{text}");
        }
    }

    #[test]
    fn digits_alone_have_two_readings_unless_something_tells() {
        // printf '%x' 4096 = 1000; bc: obase=16; 123456789012345678901234567890 = 18EE90FF6C373E0EE4E3F0AD2
        assert_eq!(readings("4096", None).unwrap(), ["4096", "1000"]);
        assert_eq!(readings("4096", Some(Base::Decimal)).unwrap(), ["1000"]);
        assert_eq!(readings("4096", Some(Base::Hexadecimal)).unwrap(), ["4096"]);
        assert_eq!(readings("7", None).unwrap(), ["7"]);
        assert_eq!(
            readings("123456789012345678901234567890", Some(Base::Decimal)).unwrap(),
            ["18ee90ff6c373e0ee4e3f0ad2"]
        );
        // 48 decimal digits cannot be 20 octets in hexadecimal; 2^159 = 730750818665451459101842416358141509827966271488
        assert_eq!(
            readings("730750818665451459101842416358141509827966271488", None).unwrap(),
            [format!("8{}", "0".repeat(39))]
        );
    }

    #[test]
    fn rounded_and_foreign_text_is_refused() {
        for text in [
            "1.23E+47",
            "1,23e+47",
            "5E+12",
            "hello",
            "0x",
            &"1".repeat(65),
        ] {
            assert!(readings(text, None).is_err(), "{text}");
        }
    }
}
