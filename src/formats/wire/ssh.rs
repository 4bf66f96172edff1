//! The data types of the SSH protocol (RFC 4251, section 5) and the public key blobs made of them.
//!
//! A blob is the algorithm's name and the key's fields, all as SSH strings (RFC 4253, section 6.6).
//! Everything here borrows, so that reading a private section copies no private byte.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// What the name of an OpenSSH certificate's algorithm ends with (PROTOCOL.certkeys).
pub const CERTIFICATE_SUFFIX: &str = "-cert-v01@openssh.com";

/// The longest algorithm name that is believed, in bytes (RFC 4251, section 6).
pub const NAME_LIMIT: usize = 64;

/// The least that the fields of an unknown algorithm's key hold together, in bytes; no key is smaller.
const UNKNOWN_KEY_BYTES: usize = 16;

/// Base64 as people paste it: with padding or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Why bytes are not an SSH structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SshError {
    /// A field reaches past the end of the bytes.
    #[error("reaches past the end")]
    Truncated,
    /// Bytes follow where none may.
    #[error("trailing bytes")]
    Trailing,
    /// A field is not what its place requires.
    #[error("invalid contents")]
    Contents,
    /// It is whole, and of a kind that is not known here.
    #[error("of a kind that is not known")]
    Unsupported,
}

/// Reads fields one after the other.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A reader over these bytes.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What is left.
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Whether nothing is left.
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next `count` bytes.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], SshError> {
        let (head, rest) = self
            .rest
            .split_at_checked(count)
            .ok_or(SshError::Truncated)?;
        self.rest = rest;
        Ok(head)
    }

    /// A `byte`.
    pub fn byte(&mut self) -> Result<u8, SshError> {
        let (first, rest) = self.rest.split_first().ok_or(SshError::Truncated)?;
        self.rest = rest;
        Ok(*first)
    }

    /// A `uint32`.
    pub fn uint32(&mut self) -> Result<u32, SshError> {
        let (head, rest) = self
            .rest
            .split_first_chunk::<4>()
            .ok_or(SshError::Truncated)?;
        self.rest = rest;
        Ok(u32::from_be_bytes(*head))
    }

    /// A `uint64`.
    pub fn uint64(&mut self) -> Result<u64, SshError> {
        let (head, rest) = self
            .rest
            .split_first_chunk::<8>()
            .ok_or(SshError::Truncated)?;
        self.rest = rest;
        Ok(u64::from_be_bytes(*head))
    }

    /// A `string`: its bytes. On failure the reader stays where it was.
    pub fn string(&mut self) -> Result<&'a [u8], SshError> {
        let mut ahead = *self;
        let length = usize::try_from(ahead.uint32()?).map_err(|_| SshError::Truncated)?;
        let bytes = ahead.take(length)?;
        *self = ahead;
        Ok(bytes)
    }

    /// A positive `mpint`: its magnitude without leading zeros.
    pub fn positive(&mut self) -> Result<&'a [u8], SshError> {
        let bytes = self.string()?;
        let magnitude = super::der::trim_zeros(bytes);
        match bytes.first() {
            Some(first) if first & 0x80 == 0 && !magnitude.is_empty() => Ok(magnitude),
            _ => Err(SshError::Contents),
        }
    }

    /// Fails if something is left.
    pub const fn finish(&self) -> Result<(), SshError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(SshError::Trailing)
        }
    }
}

/// Appends a `string`.
pub fn put_string(out: &mut Vec<u8>, bytes: &[u8]) {
    // Fields come from blobs with 32-bit lengths, so theirs fit.
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(bytes);
}

/// Decodes base64 of the standard alphabet, with or without padding; nothing else may stand in it.
pub fn decode_base64(text: &[u8]) -> Option<Vec<u8>> {
    BASE64.decode(text).ok()
}

/// Decodes base64 into a buffer that is large enough, and gives the number of bytes.
pub fn decode_base64_into(text: &[u8], buffer: &mut [u8]) -> Option<usize> {
    BASE64.decode_slice(text, buffer).ok()
}

/// OpenSSH's `SHA256:` form of a blob's fingerprint.
pub fn fingerprint(blob: &[u8]) -> String {
    use sha2::Digest as _;
    let digest = sha2::Sha256::digest(blob);
    let text = base64::engine::general_purpose::STANDARD_NO_PAD.encode(digest);
    format!("SHA256:{text}")
}

/// The algorithm's name, if the bytes could be one.
pub fn algorithm_name(bytes: &[u8]) -> Option<&str> {
    let plausible = (3..=NAME_LIMIT).contains(&bytes.len())
        && bytes.iter().all(|b| is_name_byte(*b))
        && bytes.first().is_some_and(u8::is_ascii_lowercase);
    std::str::from_utf8(bytes).ok().filter(|_| plausible)
}

/// Whether a byte may stand in an algorithm's name.
pub const fn is_name_byte(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'@' | b'.' | b'-' | b'_')
}

/// Whether the name is that of a certificate's algorithm.
pub fn is_certificate_name(name: &str) -> bool {
    name.ends_with(CERTIFICATE_SUFFIX)
}

/// How many fields follow the name in a plain blob; `None` for an algorithm that is not known here.
pub fn field_count(algorithm: &str) -> Option<usize> {
    Some(match algorithm {
        "ssh-rsa" | "sk-ssh-ed25519@openssh.com" => 2,
        "ssh-dss" => 4,
        "ecdsa-sha2-nistp256" | "ecdsa-sha2-nistp384" | "ecdsa-sha2-nistp521" => 2,
        "sk-ecdsa-sha2-nistp256@openssh.com" => 3,
        "ssh-ed25519" | "ssh-ed448" => 1,
        _ => return None,
    })
}

/// Reads a plain public key blob to its end and gives its algorithm's name.
///
/// Known algorithms (RFC 4253, 5656, 8709, PROTOCOL.u2f) must have their own fields and nothing after
/// them; a key of any other must be a sequence of strings that fills the blob.
pub fn plain_key(blob: &[u8]) -> Result<&str, SshError> {
    let mut fields = Reader::new(blob);
    let name = algorithm_name(fields.string()?).ok_or(SshError::Contents)?;
    match name {
        "ssh-rsa" => {
            fields.positive()?;
            fields.positive()?;
        }
        "ssh-dss" => {
            for _ in 0..4 {
                fields.positive()?;
            }
        }
        "ssh-ed25519" => sized(&mut fields, 32)?,
        "ssh-ed448" => sized(&mut fields, 57)?,
        "ecdsa-sha2-nistp256" => point(&mut fields, "nistp256")?,
        "ecdsa-sha2-nistp384" => point(&mut fields, "nistp384")?,
        "ecdsa-sha2-nistp521" => point(&mut fields, "nistp521")?,
        "sk-ssh-ed25519@openssh.com" => {
            sized(&mut fields, 32)?;
            fields.string()?;
        }
        "sk-ecdsa-sha2-nistp256@openssh.com" => {
            point(&mut fields, "nistp256")?;
            fields.string()?;
        }
        _ => {
            let mut total = 0usize;
            while !fields.is_empty() {
                total = total.saturating_add(fields.string()?.len());
            }
            if total < UNKNOWN_KEY_BYTES {
                return Err(SshError::Truncated);
            }
        }
    }
    fields.finish()?;
    Ok(name)
}

/// A string of exactly `length` bytes.
fn sized(fields: &mut Reader<'_>, length: usize) -> Result<(), SshError> {
    if fields.string()?.len() == length {
        Ok(())
    } else {
        Err(SshError::Contents)
    }
}

/// The curve's name and a point in one of the forms of SEC 1, section 2.3.3.
fn point(fields: &mut Reader<'_>, curve: &str) -> Result<(), SshError> {
    let named = fields.string()? == curve.as_bytes();
    match fields.string()?.first() {
        Some(2..=4) if named => Ok(()),
        _ => Err(SshError::Contents),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_types_read_as_in_rfc_4251() {
        // The examples of RFC 4251, section 5.
        let bytes = [0, 0, 0, 7, b't', b'e', b's', b't', b'i', b'n', b'g'];
        assert_eq!(Reader::new(&bytes).string(), Ok(&b"testing"[..]));
        assert_eq!(
            Reader::new(&[0x29, 0xb7, 0xf4, 0xaa]).uint32(),
            Ok(699_921_578)
        );
        let mpint = [0, 0, 0, 2, 0, 0x80];
        assert_eq!(Reader::new(&mpint).positive(), Ok(&[0x80][..]));
        for not_positive in [&[0, 0, 0, 0][..], &[0, 0, 0, 2, 0xed, 0xcc]] {
            assert_eq!(
                Reader::new(not_positive).positive(),
                Err(SshError::Contents)
            );
        }
    }

    #[test]
    fn lengths_past_the_end_leave_the_reader_in_place() {
        let mut reader = Reader::new(&[0xff, 0xff, 0xff, 0xff, 1]);
        assert_eq!(reader.string(), Err(SshError::Truncated));
        assert_eq!(reader.rest().len(), 5);
    }

    #[test]
    fn unknown_algorithms_need_strings_that_fill_the_blob() {
        let mut blob = Vec::new();
        put_string(&mut blob, b"ssh-new@example.com");
        assert_eq!(plain_key(&blob), Err(SshError::Truncated));
        put_string(&mut blob, &[7; 40]);
        assert_eq!(plain_key(&blob), Ok("ssh-new@example.com"));
        blob.push(0);
        assert_eq!(plain_key(&blob), Err(SshError::Truncated));
    }

    #[test]
    fn known_algorithms_need_their_own_fields() {
        let mut blob = Vec::new();
        put_string(&mut blob, b"ssh-ed25519");
        put_string(&mut blob, &[7; 31]);
        assert_eq!(plain_key(&blob), Err(SshError::Contents));
        let mut blob = Vec::new();
        put_string(&mut blob, b"ssh-ed25519");
        put_string(&mut blob, &[7; 32]);
        assert_eq!(plain_key(&blob), Ok("ssh-ed25519"));
        put_string(&mut blob, b"");
        assert_eq!(plain_key(&blob), Err(SshError::Trailing));
    }
}
