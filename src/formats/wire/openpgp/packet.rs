//! Packets: headers of both forms, lengths of every kind (RFC 9580, section 4.2).

/// Packet types that matter for keys (RFC 9580, section 5).
pub mod tag {
    /// Signature.
    pub const SIGNATURE: u8 = 2;
    /// Secret key.
    pub const SECRET_KEY: u8 = 5;
    /// Public key.
    pub const PUBLIC_KEY: u8 = 6;
    /// Secret subkey.
    pub const SECRET_SUBKEY: u8 = 7;
    /// User id.
    pub const USER_ID: u8 = 13;
    /// Public subkey.
    pub const PUBLIC_SUBKEY: u8 = 14;
    /// User attribute (a picture).
    pub const USER_ATTRIBUTE: u8 = 17;
}

/// One packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Its type.
    pub tag: u8,
    /// Its contents; empty if they came in parts.
    pub body: &'a [u8],
    /// Whether its contents came in parts, which only data may (RFC 9580, section 4.2.1.4).
    pub in_parts: bool,
    /// Where its header starts.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
}

/// Why no packet could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PacketError {
    /// It reaches past the bytes.
    #[error("a packet reaches past the end")]
    Truncated,
    /// No packet starts here.
    #[error("bytes that are no packet")]
    NoPacket,
}

/// The packets in some bytes, one after the other; ends with the first error.
#[derive(Debug, Clone)]
pub struct Packets<'a> {
    bytes: &'a [u8],
    at: usize,
    failed: bool,
}

impl<'a> Packets<'a> {
    /// The packets from the first byte on.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            failed: false,
        }
    }

    /// Where the next packet starts.
    pub const fn at(&self) -> usize {
        self.at
    }

    fn read(&mut self) -> Result<Packet<'a>, PacketError> {
        let start = self.at;
        let first = self.octet()?;
        if first & 0x80 == 0 {
            return Err(PacketError::NoPacket);
        }
        let (tag, length) = if first & 0x40 == 0 {
            ((first >> 2) & 0x0f, self.old_length(first & 3)?)
        } else {
            (first & 0x3f, self.new_length()?)
        };
        if tag == 0 {
            return Err(PacketError::NoPacket);
        }
        let (body, in_parts) = match length {
            Length::Whole(length) => (self.take(length)?, false),
            Length::Part(length) => {
                self.take(length)?;
                self.skip_parts()?;
                (&[][..], true)
            }
        };
        Ok(Packet {
            tag,
            body,
            in_parts,
            start,
            end: self.at,
        })
    }

    /// Every part takes a byte at least, so this ends.
    fn skip_parts(&mut self) -> Result<(), PacketError> {
        loop {
            match self.new_length()? {
                Length::Part(length) => self.take(length)?,
                Length::Whole(length) => return self.take(length).map(|_| ()),
            };
        }
    }

    fn old_length(&mut self, kind: u8) -> Result<Length, PacketError> {
        let length = match kind {
            0 => usize::from(self.octet()?),
            1 => self.number(2)?,
            2 => self.number(4)?,
            // Up to the end of the file.
            _ => self.bytes.len().saturating_sub(self.at),
        };
        Ok(Length::Whole(length))
    }

    fn new_length(&mut self) -> Result<Length, PacketError> {
        let first = usize::from(self.octet()?);
        Ok(match first {
            0..=191 => Length::Whole(first),
            192..=223 => Length::Whole(((first - 192) << 8) + usize::from(self.octet()?) + 192),
            255 => Length::Whole(self.number(4)?),
            _ => Length::Part(1 << (first & 0x1f)),
        })
    }

    fn octet(&mut self) -> Result<u8, PacketError> {
        self.take(1)?.first().copied().ok_or(PacketError::Truncated)
    }

    fn number(&mut self, octets: usize) -> Result<usize, PacketError> {
        let bytes = self.take(octets)?;
        let number = bytes.iter().fold(0u64, |n, b| n << 8 | u64::from(*b));
        usize::try_from(number).map_err(|_| PacketError::Truncated)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], PacketError> {
        let end = self.at.checked_add(length).ok_or(PacketError::Truncated)?;
        let taken = self.bytes.get(self.at..end).ok_or(PacketError::Truncated)?;
        self.at = end;
        Ok(taken)
    }
}

enum Length {
    Whole(usize),
    Part(usize),
}

impl<'a> Iterator for Packets<'a> {
    type Item = Result<Packet<'a>, PacketError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed || self.at >= self.bytes.len() {
            return None;
        }
        let start = self.at;
        let packet = self.read();
        if packet.is_err() {
            self.failed = true;
            self.at = start;
        }
        Some(packet)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8]) -> Vec<Result<(u8, usize), PacketError>> {
        Packets::new(bytes)
            .map(|p| p.map(|p| (p.tag, p.body.len())))
            .collect()
    }

    /// RFC 9580, section 4.2.4 (the examples of lengths).
    #[test]
    fn lengths_of_both_forms() {
        let body = vec![0; 100_000];
        let packet = |header: &[u8], length: usize| [header, &body[..length]].concat();
        for (header, length) in [
            (&b"\xcd\x64"[..], 100),
            (b"\xcd\xc5\xfb", 1723),
            (b"\xcd\xff\x00\x01\x86\xa0", 100_000),
            (b"\xb4\x64", 100),
            (b"\xb5\x06\xbb", 1723),
            (b"\xb6\x00\x01\x86\xa0", 100_000),
            (b"\xb7", 1723),
        ] {
            assert_eq!(all(&packet(header, length)), [Ok((13, length))]);
            assert_eq!(
                all(&packet(header, length)[..length]),
                match header {
                    [0xb7] => vec![Ok((13, length - 1))],
                    _ => vec![Err(PacketError::Truncated)],
                }
            );
        }
    }

    #[test]
    fn parts_end_or_are_cut_off() {
        let mut parts = vec![0xcb, 0xef];
        parts.extend_from_slice(&[0; 32768]);
        parts.extend_from_slice(&[0xe1, 0, 0, 0xf0]);
        parts.extend_from_slice(&[0; 65536]);
        parts.extend_from_slice(&[0xc5, 0xdd]);
        parts.extend_from_slice(&[0; 1693]);
        let mut packets = Packets::new(&parts);
        let packet = packets.next().unwrap().unwrap();
        assert_eq!(
            (packet.tag, packet.in_parts, packet.end),
            (11, true, parts.len())
        );
        assert_eq!(packets.next(), None);
        // One octet a part, a million of them, and no last one.
        let endless: Vec<u8> = std::iter::once(0xcb)
            .chain([0xe0, 0].repeat(1_000_000))
            .collect();
        assert_eq!(all(&endless), [Err(PacketError::Truncated)]);
    }

    #[test]
    fn what_is_no_packet() {
        assert_eq!(all(b"\x19\x00"), [Err(PacketError::NoPacket)]);
        assert_eq!(all(b"\x80\x00"), [Err(PacketError::NoPacket)]);
        assert_eq!(all(b"\x99\xff\xff\x00"), [Err(PacketError::Truncated)]);
        assert_eq!(all(b""), []);
    }
}
