//! Serials of certificates, in hexadecimal and in decimal.

use super::value::Value;

/// Lower-case digits without separators and prefix.
pub(super) fn hex_digits(text: &str) -> impl Iterator<Item = u8> + Clone {
    let text = text.trim();
    let prefix = text
        .get(..2)
        .is_some_and(|two| two.eq_ignore_ascii_case("0x"));
    let text = if prefix {
        text.get(2..).unwrap_or_default()
    } else {
        text
    };
    text.bytes()
        .filter(|b| !matches!(b, b':' | b' ' | b'-'))
        .map(|b| b.to_ascii_lowercase())
}

/// The sign of a serial, and its digits without separators, prefix and leading zeros.
pub(super) fn serial_digits(text: &str) -> (bool, impl Iterator<Item = u8> + Clone) {
    let (negative, digits) = match text.trim().strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let mut digits = hex_digits(digits);
    let mut rest = digits.clone();
    while digits.next() == Some(b'0') {
        rest = digits.clone();
    }
    let is_zero = rest.clone().next().is_none();
    let zero = is_zero.then_some(b'0');
    // Zero has no sign.
    (negative && !is_zero, zero.into_iter().chain(rest))
}

/// A serial without separators, prefix and leading zeros; the sign stays.
fn serial_form(text: &str) -> String {
    let (negative, digits) = serial_digits(text);
    let sign = negative.then_some(b'-');
    String::from_utf8(sign.into_iter().chain(digits).collect()).unwrap_or_default()
}

/// A certificate's serial as a row may write it: hexadecimal, and decimal where that differs.
pub(in super::super) fn serial_forms(hexadecimal: &str) -> Vec<String> {
    let hex = serial_form(hexadecimal);
    let mut forms = vec![hex.clone()];
    let (sign, digits) = match hex.strip_prefix('-') {
        Some(digits) => ("-", digits.to_owned()),
        None => ("", hex.clone()),
    };
    // RFC 5280 allows 20 octets; what is longer is no number that a person writes in decimal.
    if digits.len() <= 64
        && let Some(decimal) = decimal(&digits).map(|d| format!("{sign}{d}"))
        && decimal != hex
    {
        forms.push(decimal);
    }
    forms
}

/// How many bits a hexadecimal serial has.
pub(in super::super) fn serial_bits(hexadecimal: &str) -> usize {
    let digits = serial_form(hexadecimal);
    let digits = digits.trim_start_matches('-');
    let top = digits
        .chars()
        .next()
        .and_then(|c| c.to_digit(16))
        .unwrap_or(0);
    let top_bits = usize::try_from(u32::BITS - top.leading_zeros()).unwrap_or(0);
    digits.len().saturating_sub(1) * 4 + top_bits
}

/// Whether two serials, the second a certificate's, are the same in either spelling.
pub(in super::super) fn serials_agree(row: &str, certificate: &str) -> bool {
    let value = Value::serial(certificate);
    Value::serial(row) == value || Value::of_decimal_serial(row) == Some(value)
}

fn decimal(hexadecimal: &str) -> Option<String> {
    // Nine decimal digits each, the least first; each hexadecimal digit multiplies by sixteen and adds.
    const NINE_DIGITS: u64 = 1_000_000_000;
    let mut parts: Vec<u64> = vec![0];
    for c in hexadecimal.chars() {
        let mut carry = u64::from(c.to_digit(16)?);
        for part in &mut parts {
            let value = *part * 16 + carry;
            *part = value % NINE_DIGITS;
            carry = value / NINE_DIGITS;
        }
        if carry > 0 {
            parts.push(carry);
        }
    }
    let mut parts = parts.iter().rev();
    let first = parts.next()?.to_string();
    Some(parts.fold(first, |text, part| format!("{text}{part:09}")))
}

/// The hexadecimal digits of a decimal number; none if it is none, or longer than a serial is (see [`serial_forms`]).
pub(super) fn hexadecimal(decimal: impl Iterator<Item = u8>) -> Option<Vec<u8>> {
    // The least hexadecimal digit first; each decimal digit multiplies by ten and adds.
    let mut digits: Vec<u8> = Vec::new();
    for letter in decimal {
        let mut carry = letter.checked_sub(b'0').filter(|digit| *digit <= 9)?;
        for digit in &mut digits {
            let value = *digit * 10 + carry;
            *digit = value % 16;
            carry = value / 16;
        }
        if carry > 0 {
            digits.push(carry);
        }
        if digits.len() > usize::from(Value::DIGITS_MAX) {
            return None;
        }
    }
    if digits.is_empty() {
        digits.push(0);
    }
    let letter = |digit: &u8| b"0123456789abcdef".get(usize::from(*digit)).copied();
    digits.iter().rev().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serials_agree_in_both_bases() {
        // printf '%d' 0x1f2e3d4c5b6a7988
        assert!(serials_agree("2246800662264969608", "1f2e3d4c5b6a7988"));
        assert!(serials_agree("1F:2E:3D:4C:5B:6A:79:88", "1f2e3d4c5b6a7988"));
        assert!(serials_agree("0x0010", "10"));
        assert!(!serials_agree("2246800662264969609", "1f2e3d4c5b6a7988"));
    }

    #[test]
    fn long_serials_in_decimal() {
        // python3: 10**27, 16**40 - 1
        for (hexadecimal, text) in [
            ("33b2e3c9fd0803ce8000000", "1000000000000000000000000000"),
            (
                "ffffffffffffffffffffffffffffffffffffffff",
                "1461501637330902918203684832716283019655932542975",
            ),
            ("0", "0"),
        ] {
            assert_eq!(decimal(hexadecimal).as_deref(), Some(text));
        }
    }

    #[test]
    fn bits_of_a_serial() {
        assert_eq!(serial_bits("8000000000000000"), 64);
        assert_eq!(serial_bits("7fffffffffffffff"), 63);
        assert_eq!(serial_bits("01"), 1);
    }
}
