//! Digests of whole files, as package metadata gives them.

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};
use std::io::{self, Read};

/// Which digest of a file is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DigestKind {
    /// dpkg, older rpm.
    Md5,
    /// apk, Maven.
    Sha1,
    /// rpm, cargo, pip, Go, conda.
    Sha256,
    /// npm's content-addressed cache.
    Sha512,
    /// SHA-1 of `blob <size>`, a zero byte and the content: the name of a Git object.
    GitBlob,
}

impl DigestKind {
    /// The digest of what `reader` yields, which must be `size` bytes (they go into a Git object's name).
    ///
    /// # Errors
    /// What reading fails with; [`io::ErrorKind::UnexpectedEof`] if the size is another.
    pub fn of(self, reader: impl Read, size: u64) -> io::Result<Vec<u8>> {
        match self {
            Self::Md5 => hash(Md5::new(), reader, size),
            Self::Sha1 => hash(Sha1::new(), reader, size),
            Self::Sha256 => hash(Sha256::new(), reader, size),
            Self::Sha512 => hash(Sha512::new(), reader, size),
            Self::GitBlob => {
                let header = format!("blob {size}\0");
                hash(Sha1::new_with_prefix(header), reader, size)
            }
        }
    }
}

fn hash<D: sha2::Digest>(mut hasher: D, mut reader: impl Read, size: u64) -> io::Result<Vec<u8>> {
    // What is digested may be a private key.
    let mut buffer = zeroize::Zeroizing::new(vec![0u8; 64 << 10]);
    let mut left = size;
    loop {
        let read = match reader.read(&mut buffer) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else {
            break;
        };
        hasher.update(bytes);
        left = u64::try_from(read)
            .ok()
            .and_then(|read| left.checked_sub(read))
            .ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?;
    }
    if left > 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(hasher.finalize().to_vec())
}

const fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// Reads hexadecimal digits, of either case.
pub(super) fn from_hex(text: &[u8]) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_chunks::<2>();
    rest.is_empty().then_some(())?;
    let mut bytes = Vec::with_capacity(pairs.len());
    for &[high, low] in pairs {
        bytes.push(nibble(high)? << 4 | nibble(low)?);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: DigestKind, content: &[u8]) -> Vec<u8> {
        kind.of(content, u64::try_from(content.len()).unwrap())
            .unwrap()
    }

    /// From coreutils (`printf hello | md5sum`, …) and `git hash-object`.
    #[test]
    fn digests_of_coreutils_and_git() {
        let hex = |text: &str| from_hex(text.as_bytes()).unwrap();
        assert_eq!(
            of(DigestKind::Md5, b"hello"),
            hex("5d41402abc4b2a76b9719d911017c592")
        );
        assert_eq!(
            of(DigestKind::Sha1, b"hello"),
            hex("aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d")
        );
        assert_eq!(
            of(DigestKind::Sha256, b"hello"),
            hex("2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824")
        );
        assert_eq!(
            of(DigestKind::GitBlob, b"hello\n"),
            hex("ce013625030ba8dba906f756967f9e9ca394464a")
        );
        assert_eq!(of(DigestKind::Sha512, b"").len(), 64);
    }

    #[test]
    fn another_size_is_an_error() {
        assert!(DigestKind::Md5.of(&b"hello"[..], 4).is_err());
        assert!(DigestKind::Md5.of(&b"hello"[..], 6).is_err());
    }

    #[test]
    fn odd_and_foreign_digits_are_no_hexadecimal() {
        assert_eq!(from_hex(b"aG"), None);
        assert_eq!(from_hex(b"abc"), None);
        assert_eq!(from_hex(b"aB"), Some(vec![0xab]));
    }
}
