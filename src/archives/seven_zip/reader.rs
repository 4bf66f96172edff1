//! Numbers of a 7z header.

use crate::archives::Failure;

/// What is left of a header.
pub(super) struct Reader<'a>(&'a [u8]);

fn cut() -> Failure {
    Failure::malformed("its header ends too soon")
}

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn byte(&mut self) -> Result<u8, Failure> {
        let (first, rest) = self.0.split_first().ok_or_else(cut)?;
        self.0 = rest;
        Ok(*first)
    }

    pub(super) fn bytes(&mut self, count: u64) -> Result<&'a [u8], Failure> {
        let count = usize::try_from(count).ok();
        let parts = count.and_then(|count| self.0.split_at_checked(count));
        let (bytes, rest) = parts.ok_or_else(cut)?;
        self.0 = rest;
        Ok(bytes)
    }

    /// A number of one to nine bytes: the leading ones of the first byte say how many follow.
    pub(super) fn number(&mut self) -> Result<u64, Failure> {
        let first = self.byte()?;
        let count = first.leading_ones();
        let mut value = 0u64;
        for (at, byte) in self.bytes(count.into())?.iter().enumerate() {
            value |= u64::from(*byte) << (8 * at);
        }
        // What the first byte has left is the highest part.
        if count < 7 {
            let high = u64::from(first) & ((1 << (7 - count)) - 1);
            value |= high << (8 * count);
        }
        Ok(value)
    }

    /// How many of something follow, each of at least one byte or `bits` bits: there cannot be more than there are bytes.
    pub(super) fn count(&mut self) -> Result<usize, Failure> {
        let count = usize::try_from(self.number()?).unwrap_or(usize::MAX);
        if count > self.0.len().saturating_mul(8) {
            return Err(Failure::malformed("its header tells more than it holds"));
        }
        Ok(count)
    }

    pub(super) fn u32(&mut self) -> Result<u32, Failure> {
        let bytes = self.bytes(4)?;
        Ok(bytes.first_chunk().map_or(0, |b| u32::from_le_bytes(*b)))
    }

    /// So many bits, the highest first.
    pub(super) fn bits(&mut self, count: usize) -> Result<Vec<bool>, Failure> {
        let bytes = self.bytes(count.div_ceil(8) as u64)?;
        let bit = |at: usize| {
            bytes
                .get(at / 8)
                .is_some_and(|b| b & (0x80 >> (at % 8)) != 0)
        };
        Ok((0..count).map(bit).collect())
    }

    /// So many bits, or one byte that says that all are set.
    pub(super) fn bits_or_all(&mut self, count: usize) -> Result<Vec<bool>, Failure> {
        match self.byte()? {
            0 => self.bits(count),
            _ => Ok(vec![true; count]),
        }
    }

    /// Checksums, of those that have one.
    pub(super) fn digests(&mut self, count: usize) -> Result<Vec<Option<u32>>, Failure> {
        let defined = self.bits_or_all(count)?;
        let digest = |defined: bool| defined.then(|| self.u32()).transpose();
        defined.into_iter().map(digest).collect()
    }

    /// What is left.
    pub(super) const fn rest(&self) -> &'a [u8] {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_length() {
        let number = |bytes: &[u8]| Reader::new(bytes).number().unwrap();
        assert_eq!(number(&[0x7f]), 0x7f);
        assert_eq!(number(&[0x81, 0x02]), 0x102);
        assert_eq!(number(&[0xc1, 0x02, 0x03]), 0x1_0302);
        assert_eq!(number(&[0xfe, 1, 2, 3, 4, 5, 6, 7]), 0x07_0605_0403_0201);
        assert_eq!(
            number(&[0xff, 1, 2, 3, 4, 5, 6, 7, 8]),
            0x0807_0605_0403_0201
        );
        assert!(Reader::new(&[0x81]).number().is_err());
    }

    #[test]
    fn more_than_there_can_be_is_refused() {
        assert!(Reader::new(&[17, 0, 0]).count().is_err());
        assert_eq!(Reader::new(&[16, 0, 0]).count().unwrap(), 16);
    }
}
