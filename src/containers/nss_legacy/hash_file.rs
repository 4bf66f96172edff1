//! Hash files of Berkeley DB 1.85 (`hash(3)` and `db/hash/hash.h`, `page.h` of 4.4BSD as documentation of the format).

/// What fits into a page is a pair of real keys; smaller numbers mark the parts of a large pair.
const OVERFLOW: u16 = 0;
const PARTIAL_KEY: u16 = 1;
const FULL_KEY: u16 = 2;
const FULL_KEY_DATA: u16 = 3;
/// The header's fields, 32 bits each, in network order.
const HEADER: usize = 68 + 32 * 4;

/// One file.
pub(super) struct HashFile<'a> {
    bytes: &'a [u8],
    page_size: usize,
    little_endian: bool,
    max_bucket: u32,
    header_pages: u32,
    spares: Vec<u32>,
}

impl<'a> HashFile<'a> {
    /// Reads the header; the rest need not be there yet.
    pub(super) fn open(bytes: &'a [u8]) -> Option<Self> {
        let header = bytes.get(..HEADER)?;
        let word = |at: usize| {
            let word = header.get(at..at.checked_add(4)?)?;
            word.try_into().ok().map(u32::from_be_bytes)
        };
        let little_endian = match word(8)? {
            1234 => true,
            4321 => false,
            _ => return None,
        };
        let page_size = usize::try_from(word(12)?).ok()?;
        let file = Self {
            bytes,
            page_size,
            little_endian,
            max_bucket: word(40)?,
            header_pages: word(60)?,
            spares: (0..32).filter_map(|i| word(68 + i * 4)).collect(),
        };
        let plausible = page_size.is_power_of_two() && (64..=1 << 16).contains(&page_size);
        plausible.then_some(file)
    }

    /// Calls `each` with every key and its value; nothing is given at a fault.
    pub(super) fn records(&self, each: &mut dyn FnMut(&[u8], &[u8])) -> Option<()> {
        // No page belongs to two chains: one that is met again is a cycle's.
        let mut left = self.bytes.len() / self.page_size;
        for bucket in 0..=self.max_bucket {
            let page = self.bucket_page(bucket)?;
            // Buckets behind the end were never written.
            if self.page(page).is_none() {
                break;
            }
            self.chain(page, &mut left, each)?;
        }
        Some(())
    }

    /// All pairs of a bucket's page and the overflow pages behind it.
    fn chain(
        &self,
        first: u32,
        left: &mut usize,
        each: &mut dyn FnMut(&[u8], &[u8]),
    ) -> Option<()> {
        let mut number = first;
        'pages: loop {
            *left = left.checked_sub(1)?;
            let page = self.page(number)?;
            let count = usize::from(page.short(0)?);
            let mut end = self.page_size;
            let mut at = 1;
            while at < count {
                let (key, data) = (page.short(at)?, page.short(at + 1)?);
                match data {
                    OVERFLOW => {
                        number = self.overflow_page(key)?;
                        continue 'pages;
                    }
                    PARTIAL_KEY | FULL_KEY | FULL_KEY_DATA => {
                        let (key, value, next) = self.large(page, left)?;
                        each(&key, &value);
                        match next {
                            Some(next) => {
                                number = next;
                                continue 'pages;
                            }
                            None => return Some(()),
                        }
                    }
                    _ => {
                        let (key, data) = (usize::from(key), usize::from(data));
                        each(page.bytes.get(key..end)?, page.bytes.get(data..key)?);
                        end = data;
                    }
                }
                at += 2;
            }
            return Some(());
        }
    }

    /// A pair that takes pages of its own: key, value, and the page behind them.
    fn large(&self, first: Page<'a>, left: &mut usize) -> Option<(Vec<u8>, Vec<u8>, Option<u32>)> {
        let (mut key, mut value) = (Vec::new(), Vec::new());
        let mut page = first;
        // The key's parts, the last of which is marked as full.
        loop {
            let from = usize::from(page.short(1)?);
            let mark = page.short(2)?;
            let rest = page.bytes.get(from..)?;
            key.extend_from_slice(rest);
            match mark {
                PARTIAL_KEY => page = self.next(page, left)?,
                FULL_KEY => {
                    page = self.next(page, left)?;
                    break;
                }
                FULL_KEY_DATA => {
                    // The value begins in the same page, below the key.
                    let begin = usize::from(page.short(usize::from(page.short(0)?))?);
                    value.extend_from_slice(page.bytes.get(begin..from)?);
                    if page.has_free_space()? {
                        return Some((key, value, self.behind(page)));
                    }
                    page = self.next(page, left)?;
                    break;
                }
                _ => return None,
            }
        }
        loop {
            let from = usize::from(page.short(1)?);
            value.extend_from_slice(page.bytes.get(from..)?);
            if page.short(2)? == FULL_KEY_DATA {
                return Some((key, value, self.behind(page)));
            }
            page = self.next(page, left)?;
        }
    }

    /// The page that a part of a large pair names as the next.
    fn next(&self, page: Page<'a>, left: &mut usize) -> Option<Page<'a>> {
        *left = left.checked_sub(1)?;
        self.page(self.behind(page)?)
    }

    fn behind(&self, page: Page<'a>) -> Option<u32> {
        let count = usize::from(page.short(0)?);
        if count < 4 || page.short(count)? != OVERFLOW {
            return None;
        }
        self.overflow_page(page.short(count.checked_sub(1)?)?)
    }

    fn page(&self, number: u32) -> Option<Page<'a>> {
        let start = usize::try_from(number).ok()?.checked_mul(self.page_size)?;
        let bytes = self.bytes.get(start..start.checked_add(self.page_size)?)?;
        Some(Page {
            bytes,
            little_endian: self.little_endian,
        })
    }

    /// Buckets are spread by the overflow pages that were made before them.
    fn bucket_page(&self, bucket: u32) -> Option<u32> {
        let spare = match bucket {
            0 => 0,
            _ => {
                let log = usize::try_from(u32::BITS - bucket.leading_zeros()).ok()?;
                *self.spares.get(log.checked_sub(1)?)?
            }
        };
        bucket.checked_add(self.header_pages)?.checked_add(spare)
    }

    /// Five bits say behind which doubling an overflow page lies, eleven which one it is.
    fn overflow_page(&self, address: u16) -> Option<u32> {
        let split = u32::from(address >> 11);
        let bucket = 1u32.checked_shl(split)?.checked_sub(1)?;
        self.bucket_page(bucket)?
            .checked_add(u32::from(address & 0x7ff))
    }
}

#[derive(Clone, Copy)]
struct Page<'a> {
    bytes: &'a [u8],
    little_endian: bool,
}

impl Page<'_> {
    /// The 16-bit number at this place of the page's index.
    fn short(&self, place: usize) -> Option<u16> {
        let at = place.checked_mul(2)?;
        let pair = self.bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if self.little_endian {
            u16::from_le_bytes(pair)
        } else {
            u16::from_be_bytes(pair)
        })
    }

    /// Behind the index stand the free space and the lowest offset.
    fn has_free_space(&self) -> Option<bool> {
        Some(self.short(usize::from(self.short(0)?) + 1)? != 0)
    }
}
