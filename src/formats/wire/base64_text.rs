//! Base64 of either alphabet as it stands in text: with or without padding, over one line or several.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Decodes base64 or base64url (RFC 4648, sections 4 and 5). White space may stand in it, nothing else.
pub fn decode(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut digits = Zeroizing::new(Vec::with_capacity(text.len()));
    digits.extend(
        text.iter()
            .filter(|b| !b.is_ascii_whitespace())
            .map(|byte| match byte {
                b'-' => b'+',
                b'_' => b'/',
                other => *other,
            }),
    );
    let mut decoded = Zeroizing::new(Vec::with_capacity(digits.len() / 4 * 3 + 3));
    LENIENT
        .decode_vec(digits.as_slice(), &mut decoded)
        .ok()
        .map(|()| decoded)
}

/// The same, where the end may be cut off or be followed by a digit that is none of it.
pub fn decode_lines(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let digits = text.iter().filter(|b| is_digit(**b) && **b != b'=').count();
    if digits % 4 != 1 {
        return decode(text);
    }
    let last = text.iter().rposition(|b| is_digit(*b) && *b != b'=')?;
    decode(text.get(..last)?)
}

/// Whether a byte may stand in base64 of either alphabet, padding included.
pub const fn is_digit(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=')
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn both_alphabets_with_and_without_padding() {
        for text in ["-_-_AA==", "+/+/AA", "+/ +/\r\nAA==", "-_-_AA"] {
            let decoded = decode(text.as_bytes()).unwrap();
            assert_eq!(*decoded, [0xfb, 0xff, 0xbf, 0], "{text}");
        }
        for wrong in ["A", "AAAA=AAA", "AA.A", "AAAA...."] {
            assert!(decode(wrong.as_bytes()).is_none(), "{wrong}");
        }
    }
}
