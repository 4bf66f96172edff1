//! A tar header: 512 bytes (POSIX.1-2001 "ustar Interchange Format"; GNU tar's manual, "Basic Tar Format").

/// Size of a header.
pub(super) const SIZE: usize = 512;

/// pax: keywords for the next file.
pub(super) const EXTENDED: u8 = b'x';
/// pax: keywords for all files that follow.
pub(super) const GLOBAL: u8 = b'g';
/// GNU: the next file's name.
pub(super) const LONG_NAME: u8 = b'L';
/// GNU: where the next link points.
pub(super) const LONG_LINK: u8 = b'K';
/// GNU: a file with holes.
pub(super) const SPARSE: u8 = b'S';
/// A directory.
pub(super) const DIRECTORY: u8 = b'5';
/// A further name of a file that stood before.
pub(super) const HARD_LINK: u8 = b'1';

/// What a header says.
pub(super) struct Header {
    pub(super) kind: u8,
    /// Bytes of data behind the header.
    pub(super) size: u64,
    /// With the prefix of ustar.
    pub(super) name: Vec<u8>,
    block: [u8; SIZE],
}

impl Header {
    /// `None` if the checksum is wrong, or a number is none.
    pub(super) fn read(block: &[u8; SIZE]) -> Option<Self> {
        let checksum = number(block.get(148..156)?)?;
        let others = block.iter().enumerate().map(|(at, byte)| match at {
            148..156 => b' ',
            _ => *byte,
        });
        let unsigned: u64 = others.clone().map(u64::from).sum();
        // Old programs summed signed characters.
        let signed: i64 = others.map(|byte| i64::from(byte.cast_signed())).sum();
        if checksum != unsigned && i64::try_from(checksum) != Ok(signed) {
            return None;
        }
        let mut name = until_zero(block.get(..100)?).to_vec();
        let prefix = until_zero(block.get(345..500)?);
        if block.get(257..263) == Some(b"ustar\0") && !prefix.is_empty() {
            name = [prefix, b"/", &name].concat();
        }
        Some(Self {
            kind: *block.get(156)?,
            size: number(block.get(124..136)?)?,
            name,
            block: *block,
        })
    }

    /// Whether data follow: links, devices, directories and FIFOs have none, whatever size they tell.
    pub(super) const fn has_data(&self) -> bool {
        !matches!(self.kind, b'2'..=b'6')
    }

    /// Whether the data are a file's; unknown types are files, as POSIX says, but for GNU's lists and labels.
    pub(super) const fn is_file(&self) -> bool {
        self.has_data() && !matches!(self.kind, b'D' | b'M' | b'N' | b'V')
    }

    /// A sparse file of GNU's old form: four pieces as offset and size, whether blocks with more follow, and the real size.
    pub(super) fn old_sparse(&self) -> Option<(&[u8], bool, u64)> {
        let block = &self.block;
        let real = number(block.get(483..495)?)?;
        Some((block.get(386..482)?, *block.get(482)? != 0, real))
    }
}

/// A number: octal digits among blanks, or GNU's base 256, which has the top bit set.
pub(super) fn number(field: &[u8]) -> Option<u64> {
    if let [first, rest @ ..] = field
        && first & 0x80 != 0
    {
        return rest
            .iter()
            .try_fold(u64::from(first & 0x7f), |value, byte| {
                Some(value.checked_mul(256)? | u64::from(*byte))
            });
    }
    let text = until_zero(field).trim_ascii();
    text.iter().try_fold(0u64, |value, digit| match digit {
        b'0'..=b'7' => Some(value.checked_mul(8)? | u64::from(digit - b'0')),
        _ => None,
    })
}

pub(super) fn until_zero(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}
