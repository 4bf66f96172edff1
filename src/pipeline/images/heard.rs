//! A content of which a copy is kept while it is searched, if it may be a document of an image.

use crate::archives::Source;
use std::cell::RefCell;
use std::io;
use zeroize::Zeroizing;

/// A larger document is not kept; registries refuse larger ones too.
const DOCUMENT_MAX: usize = 4 << 20;

/// A content of which a copy is kept while it is read in order.
pub(in crate::pipeline) struct Heard<'a> {
    content: &'a dyn Source,
    /// None as soon as it is no document.
    kept: RefCell<Option<Zeroizing<Vec<u8>>>>,
}

impl<'a> Heard<'a> {
    pub(in crate::pipeline) fn new(content: &'a dyn Source) -> Self {
        Self {
            content,
            kept: RefCell::new(Some(Zeroizing::default())),
        }
    }

    /// What was read.
    pub(in crate::pipeline) fn into_document(self) -> Option<Zeroizing<Vec<u8>>> {
        self.kept.into_inner()
    }
}

impl Source for Heard<'_> {
    fn size(&self) -> u64 {
        self.content.size()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let count = self.content.read_at(buffer, offset)?;
        let mut kept = self.kept.borrow_mut();
        let Some(copy) = kept.as_mut().filter(|_| count > 0) else {
            return Ok(count);
        };
        let known = copy.len();
        // What is read again does not count twice.
        let new = usize::try_from(offset)
            .ok()
            .and_then(|offset| known.checked_sub(offset))
            .and_then(|seen| buffer.get(seen.min(count)..count));
        let may_be = |byte: &u8| matches!(byte, b'{' | b'[' | b's' | b' ' | b'\t' | b'\r' | b'\n');
        match new {
            Some(new)
                if known.saturating_add(new.len()) <= DOCUMENT_MAX
                    && (known > 0 || new.first().is_some_and(may_be)) =>
            {
                append(copy, new);
            }
            _ => *kept = None,
        }
        Ok(count)
    }

    fn next_data(&self, offset: u64) -> io::Result<Option<u64>> {
        self.content.next_data(offset)
    }

    fn is_random(&self) -> bool {
        self.content.is_random()
    }
}

/// Appends without leaving a copy behind: a configuration may hold secrets.
fn append(copy: &mut Zeroizing<Vec<u8>>, new: &[u8]) {
    let needed = copy.len().saturating_add(new.len());
    if needed > copy.capacity() {
        let mut larger = Zeroizing::new(Vec::with_capacity(needed.saturating_mul(2)));
        larger.extend_from_slice(copy);
        *copy = larger;
    }
    copy.extend_from_slice(new);
}
