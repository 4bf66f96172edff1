//! Bech32 as age writes its keys: a word, `1`, and digits of five bits whose last six are a checksum (BIP 173).

use zeroize::Zeroizing;

const DIGITS: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
/// How many digits the checksum has.
const CHECKSUM: usize = 6;

/// What a Bech32 text holds. The word before the last `1` is in lower case.
#[derive(Debug)]
pub struct Bech32 {
    /// The word that says what the data is.
    pub word: String,
    /// The data.
    pub data: Zeroizing<Vec<u8>>,
}

/// Whether a byte is a digit, in lower or upper case.
pub fn is_digit(byte: u8) -> bool {
    value(byte).is_some()
}

/// Decodes a text of one case whose checksum agrees. Unlike BIP 173, its length has no limit.
pub fn decode(text: &[u8]) -> Option<Bech32> {
    let upper = text.iter().any(u8::is_ascii_uppercase);
    if upper && text.iter().any(u8::is_ascii_lowercase) {
        return None;
    }
    let split = text.iter().rposition(|b| *b == b'1')?;
    let (word, rest) = text.split_at_checked(split)?;
    let word = std::str::from_utf8(word).ok()?.to_ascii_lowercase();
    let digits = rest.get(1..)?;
    let payload = digits.len().checked_sub(CHECKSUM)?;
    if word.is_empty() || !word.bytes().all(|b| b.is_ascii_graphic()) {
        return None;
    }
    let mut check = 1;
    for byte in word.bytes() {
        check = step(check, byte >> 5);
    }
    check = step(check, 0);
    for byte in word.bytes() {
        check = step(check, byte & 31);
    }
    let mut data = Zeroizing::new(Vec::with_capacity(payload * 5 / 8 + 1));
    let (mut bits, mut count) = (0u32, 0u32);
    for (place, byte) in digits.iter().enumerate() {
        let five = value(*byte)?;
        check = step(check, five);
        if place >= payload {
            continue;
        }
        bits = (bits << 5 | u32::from(five)) & 0xfff;
        count += 5;
        if count >= 8 {
            count -= 8;
            let [.., byte] = (bits >> count).to_be_bytes();
            data.push(byte);
        }
    }
    // What is left over are fewer than five bits, all zero.
    let padded = count < 5 && bits & ((1 << count) - 1) == 0;
    (check == 1 && padded).then_some(Bech32 { word, data })
}

fn value(digit: u8) -> Option<u8> {
    let digit = digit.to_ascii_lowercase();
    let place = DIGITS.iter().position(|d| *d == digit)?;
    u8::try_from(place).ok()
}

/// The checksum over GF(32) of BIP 173, "Checksum".
fn step(check: u32, value: u8) -> u32 {
    const GENERATOR: [u32; 5] = [
        0x3b6a_57b2,
        0x2650_8e6d,
        0x1ea1_19fa,
        0x3d42_33dd,
        0x2a14_62b3,
    ];
    let top = check >> 25;
    let shifted = (check & 0x01ff_ffff) << 5 ^ u32::from(value);
    GENERATOR.iter().enumerate().fold(
        shifted,
        |sum, (i, g)| {
            if top >> i & 1 == 1 { sum ^ g } else { sum }
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The valid and invalid strings of BIP 173, "Test vectors".
    #[test]
    fn vectors_of_bip_173() {
        for good in [
            "A12UEL5L",
            "a12uel5l",
            "an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1tt5tgs",
            "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
            "?1ezyfcl",
        ] {
            assert!(decode(good.as_bytes()).is_some(), "{good}");
        }
        for bad in [
            "pzry9x0s0muk",
            "1pzry9x0s0muk",
            "x1b4n0q5v",
            "li1dgmt3",
            "A1G7SGD8",
            "10a06t8",
            "1qzzfhee",
            "A12uEL5L",
            "",
        ] {
            assert!(decode(bad.as_bytes()).is_none(), "{bad}");
        }
    }

    #[test]
    fn bytes_come_out_in_order() {
        let decoded = decode(b"abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw").unwrap();
        assert_eq!(decoded.word, "abcdef");
        let expected = "00443214c74254b635cf84653a56d7c675be77df";
        let hex: String = decoded.data.iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hex, expected);
    }
}
