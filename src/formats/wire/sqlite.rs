//! Reads the rows of one table of an SQLite database, page by page ("Database File Format",
//! sqlite.org/fileformat2.html).
//!
//! A library would open the file by its name, which could lead out of the host's root, and may write beside it. A
//! write-ahead log is not applied: what it holds is not known here.

/// What a database file starts with.
pub const MAGIC: &[u8; 16] = b"SQLite format 3\0";
const INTERIOR: u8 = 5;
const LEAF: u8 = 13;
/// The file header stands before the first page's own.
const FILE_HEADER: usize = 100;
const MOST_DEPTH: usize = 32;
const MOST_PAYLOAD: u64 = 64 << 20;

/// Bytes that can be read at any place.
pub trait ReadAt {
    /// How many there are.
    fn length(&self) -> u64;
    /// Fills the buffer from a place; nothing if there are fewer bytes.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> Option<()>;
}

impl ReadAt for &[u8] {
    fn length(&self) -> u64 {
        self.len() as u64
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> Option<()> {
        let source = self.get(usize::try_from(offset).ok()?..)?;
        buffer.copy_from_slice(source.get(..buffer.len())?);
        Some(())
    }
}

/// The size that a database says it has, from its first 100 bytes: pages times their size.
pub fn declared_size(start: &[u8]) -> Option<u64> {
    let pages = be32(start, 28)?;
    u64::from(pages).checked_mul(u64::try_from(page_size(start)?).ok()?)
}

/// The names of a table's columns in their order, from the statement that made it.
pub fn columns_of(source: &dyn ReadAt, table: &[u8]) -> Option<Vec<Vec<u8>>> {
    let statement = find(&mut Database::open(source)?, table)?.1;
    let open = memchr::memchr(b'(', &statement)?;
    let close = memchr::memrchr(b')', &statement)?;
    let list = statement.get(open.checked_add(1)?..close)?;
    let names = list.split(|b| *b == b',').map(|column| {
        let name = column.trim_ascii().split(u8::is_ascii_whitespace).next();
        name.unwrap_or_default().to_vec()
    });
    Some(names.collect())
}

/// Calls `each` with the raw columns of every row of `table`. What stands before a fault is told; nothing is given if
/// there is no such table, or at a fault.
pub fn rows(source: &dyn ReadAt, table: &[u8], each: &mut dyn FnMut(&[&[u8]])) -> Option<()> {
    let mut database = Database::open(source)?;
    let (root, _) = find(&mut database, table)?;
    database.walk(root, 0, each)
}

/// The first page of a table, and the statement that made it.
fn find(database: &mut Database<'_>, table: &[u8]) -> Option<(u32, Vec<u8>)> {
    let mut found = None;
    // Columns of the schema: type, name, tbl_name, rootpage, sql. What stands before a fault may be enough.
    let _ = database.walk(1, 0, &mut |row| {
        if let [b"table", name, _, page, sql, ..] = row
            && *name == table
        {
            let root = page.iter().try_fold(0u32, |n, &byte| {
                n.checked_mul(256)?.checked_add(byte.into())
            });
            found = root.map(|root| (root, sql.to_vec()));
        }
    });
    found
}

struct Database<'a> {
    source: &'a dyn ReadAt,
    page_size: usize,
    /// Bytes of a page that hold content; the rest is reserved for extensions.
    usable: usize,
    /// Pages not yet read. No page belongs to two trees or chains, so that one that is read again is a cycle's.
    pages_left: u64,
}

impl<'a> Database<'a> {
    fn open(source: &'a dyn ReadAt) -> Option<Self> {
        let mut header = [0u8; FILE_HEADER];
        source.read_at(&mut header, 0)?;
        if header.first_chunk() != Some(MAGIC) {
            return None;
        }
        let page_size = page_size(&header)?;
        let usable = page_size.checked_sub(usize::from(*header.get(20)?))?;
        let pages_left = source
            .length()
            .checked_div(u64::try_from(page_size).ok()?)?;
        (usable >= 480).then_some(Self {
            source,
            page_size,
            usable,
            pages_left,
        })
    }

    fn page(&mut self, number: u32) -> Option<Vec<u8>> {
        self.pages_left = self.pages_left.checked_sub(1)?;
        let at =
            u64::from(number.checked_sub(1)?).checked_mul(u64::try_from(self.page_size).ok()?)?;
        let mut page = vec![0; self.page_size];
        self.source.read_at(&mut page, at)?;
        page.truncate(self.usable);
        Some(page)
    }

    /// Calls `each` with the rows of the table tree below a page.
    fn walk(&mut self, number: u32, depth: usize, each: &mut dyn FnMut(&[&[u8]])) -> Option<()> {
        let page = self.page(number).filter(|_| depth < MOST_DEPTH)?;
        let start = if number == 1 { FILE_HEADER } else { 0 };
        let header = page.get(start..)?;
        let cells = be16(header, 3)?;
        let kind = *header.first()?;
        let pointers = header.get(if kind == INTERIOR { 12 } else { 8 }..)?;
        for pointer in pointers.as_chunks::<2>().0.iter().take(cells) {
            let cell = page.get(usize::from(u16::from_be_bytes(*pointer))..)?;
            match kind {
                INTERIOR => self.walk(be32(cell, 0)?, depth.checked_add(1)?, each)?,
                LEAF => {
                    let payload = self.payload(cell)?;
                    each(&columns(&payload)?);
                }
                _ => return None,
            }
        }
        if kind == INTERIOR {
            self.walk(be32(header, 8)?, depth.checked_add(1)?, each)?;
        }
        Some(())
    }

    /// The payload of a leaf cell, with what overflows into pages of its own (section 1.6).
    fn payload(&mut self, cell: &[u8]) -> Option<Vec<u8>> {
        let (length, rest) = varint(cell)?;
        let (_row, rest) = varint(rest)?;
        let length = usize::try_from(length)
            .ok()
            .filter(|_| length <= MOST_PAYLOAD)?;
        let local = self.local(length)?;
        let mut payload = rest.get(..local)?.to_vec();
        let mut next = if local < length {
            be32(rest, local)?
        } else {
            0
        };
        while payload.len() < length {
            let page = self.page(next)?;
            let left = length.checked_sub(payload.len())?;
            let content = page.get(4..)?;
            payload.extend_from_slice(content.get(..left.min(content.len()))?);
            next = be32(&page, 0)?;
        }
        Some(payload)
    }

    /// How much of a payload is in the leaf page itself.
    fn local(&self, length: usize) -> Option<usize> {
        let most = self.usable.checked_sub(35)?;
        if length <= most {
            return Some(length);
        }
        let least = (self.usable.checked_sub(12)?.checked_mul(32)? / 255).checked_sub(23)?;
        let over = length
            .checked_sub(least)?
            .checked_rem(self.usable.checked_sub(4)?)?;
        let local = least.checked_add(over)?;
        Some(if local <= most { local } else { least })
    }
}

fn page_size(header: &[u8]) -> Option<usize> {
    let size = match be16(header, 16)? {
        1 => 65_536,
        size => size,
    };
    (size >= 512 && size.is_power_of_two()).then_some(size)
}

/// The raw bytes of the columns of a record (section 2.1).
fn columns(record: &[u8]) -> Option<Vec<&[u8]>> {
    let (header_length, rest) = varint(record)?;
    let header_length = usize::try_from(header_length).ok()?;
    let consumed = record.len().checked_sub(rest.len())?;
    let mut types = record.get(consumed..header_length)?;
    let mut body = record.get(header_length..)?;
    let mut columns = Vec::new();
    while !types.is_empty() {
        let (serial, rest) = varint(types)?;
        types = rest;
        let length = match serial {
            0 | 8 | 9 => 0,
            1..=4 => usize::try_from(serial).ok()?,
            5 => 6,
            6 | 7 => 8,
            10 | 11 => return None,
            text_or_blob => usize::try_from(text_or_blob.checked_sub(12)? / 2).ok()?,
        };
        let (column, rest) = body.split_at_checked(length)?;
        columns.push(column);
        body = rest;
    }
    Some(columns)
}

/// Seven bits a byte, the high bit announcing more; the ninth byte has eight.
fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0u64;
    for (at, &byte) in bytes.iter().take(9).enumerate() {
        let rest = bytes.get(at.checked_add(1)?..)?;
        if at == 8 {
            return Some((value << 8 | u64::from(byte), rest));
        }
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((value, rest));
        }
    }
    None
}

fn be16(bytes: &[u8], at: usize) -> Option<usize> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?).into())
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(bytes: &[u8]) -> usize {
        let mut rows_told = 0;
        rows(&bytes, b"Packages", &mut |_| rows_told += 1);
        rows_told
    }

    #[test]
    fn chance_bytes_and_cycles_end() {
        assert_eq!(told(b""), 0);
        assert_eq!(told(&[0xff; 4096]), 0);
        let mut page = vec![0u8; 512];
        page[..16].copy_from_slice(MAGIC);
        page[16] = 2;
        // The first page is its own right-most child.
        page[100] = INTERIOR;
        page[111] = 1;
        assert_eq!(told(&page), 0);
        // Cells that all lead back to their page, too: the depth alone would not bound this.
        page[104] = 100;
        for pointer in page[112..312].chunks_exact_mut(2) {
            pointer.copy_from_slice(&400u16.to_be_bytes());
        }
        page[403] = 1;
        page.extend(vec![0; 512 * 1000]);
        assert_eq!(told(&page), 0);
    }

    #[test]
    fn numbers_of_variable_length() {
        assert_eq!(varint(&[0x81, 0x00, 7]), Some((128, &[7][..])));
        assert_eq!(varint(&[0xff; 9]), Some((u64::MAX, &[][..])));
        assert_eq!(varint(&[0xff; 8]), None);
    }
}
