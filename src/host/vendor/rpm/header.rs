//! A package header as rpm stores it (rpm's "RPM file format", section "Header structure"): number of entries and
//! of data bytes, entries of tag, type, offset and count, then the data. All numbers are big-endian.

const ENTRY: usize = 16;
const INT16: u32 = 3;
const INT32: u32 = 4;
const STRING: u32 = 6;
const STRING_ARRAY: u32 = 8;
const I18N_STRING: u32 = 9;

/// The most values that one tag has here.
const MOST_VALUES: u32 = 2_000_000;

pub(super) struct Header<'a> {
    entries: &'a [[u8; ENTRY]],
    data: &'a [u8],
}

impl<'a> Header<'a> {
    pub(super) fn parse(blob: &'a [u8]) -> Option<Self> {
        let (count, rest) = blob.split_first_chunk::<4>()?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let count = usize::try_from(u32::from_be_bytes(*count)).ok()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (entries, rest) = rest.split_at_checked(count.checked_mul(ENTRY)?)?;
        Some(Self {
            entries: entries.as_chunks().0,
            data: rest.get(..length)?,
        })
    }

    /// The values of a string tag; none if the header has no such tag.
    pub(super) fn strings(&self, tag: u32) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let (count, data) = self.find(tag, &[STRING, STRING_ARRAY, I18N_STRING]);
        data.split(|&b| b == 0).take(count)
    }

    /// The values of a tag of 32-bit integers.
    pub(super) fn int32s(&self, tag: u32) -> impl Iterator<Item = u32> + use<'a> {
        let (count, data) = self.find(tag, &[INT32]);
        data.as_chunks()
            .0
            .iter()
            .take(count)
            .map(|bytes| u32::from_be_bytes(*bytes))
    }

    /// The values of a tag of 16-bit integers.
    pub(super) fn int16s(&self, tag: u32) -> impl Iterator<Item = u16> + use<'a> {
        let (count, data) = self.find(tag, &[INT16]);
        data.as_chunks()
            .0
            .iter()
            .take(count)
            .map(|bytes| u16::from_be_bytes(*bytes))
    }

    /// Number of values of a tag, and the data from its first value on.
    fn find(&self, tag: u32, types: &[u32]) -> (usize, &'a [u8]) {
        let found = self.entries.iter().find_map(|entry| {
            let number = |at: usize| {
                let bytes = entry.get(at..)?.first_chunk::<4>()?;
                Some(u32::from_be_bytes(*bytes))
            };
            if number(0)? != tag || !types.contains(&number(4)?) {
                return None;
            }
            let offset = usize::try_from(number(8)?).ok()?;
            let count = usize::try_from(number(12)?.min(MOST_VALUES)).ok()?;
            Some((count, self.data.get(offset..)?))
        });
        found.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_bytes_have_no_tags() {
        assert!(Header::parse(b"").is_none());
        assert!(Header::parse(&[0xff; 64]).is_none());
        let mut blob = vec![0, 0, 0, 1, 0, 0, 0, 2];
        blob.extend([
            0, 0, 3, 0xe8, 0, 0, 0, 6, 0, 0, 0, 9, 0xff, 0xff, 0xff, 0xff, b'a', 0,
        ]);
        let header = Header::parse(&blob).unwrap();
        assert_eq!(header.strings(1000).next(), None);
        assert_eq!(header.int32s(1000).next(), None);
    }
}
