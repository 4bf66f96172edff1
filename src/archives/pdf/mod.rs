//! PDF (ISO 32000-2): its streams, unpacked, among them embedded files.
//!
//! Streams are found by their words from front to back, not by the table of references, which may be cut off, damaged or made to
//! mislead. Everything else (text between the objects, signatures in hexadecimal digits, images) is searched as it lies.

mod filter;
mod lzw;
mod names;
mod scan;
mod stream;

use super::{Archive, Failure, Input, Members, Once, Slice, Source};
use crate::model::{GapReason, Member};
use filter::{Coding, SourceReader};
use names::Outline;
use scan::Scan;
use stream::{Codings, Stream};

/// The archive.
pub(super) struct Pdf;

const NAME: &str = "pdf";
const MAGIC: &[u8] = b"%PDF-";

impl Archive for Pdf {
    fn name(&self) -> &'static str {
        NAME
    }

    fn begins(&self, start: &[u8]) -> bool {
        start.strip_prefix(MAGIC).is_some_and(|rest| {
            let version = rest.first_chunk();
            version.is_none_or(|[major, dot, minor]| {
                major.is_ascii_digit() && *dot == b'.' && minor.is_ascii_digit()
            })
        })
    }

    fn read(&self, input: &mut Input<'_>, members: &mut dyn Members) -> Result<(), Failure> {
        let end = input.with_random(|source| read(source, members))?;
        Ok(input.skip_to(end)?)
    }
}

/// Reads a whole document; gives where it ends.
fn read(source: &dyn Source, members: &mut dyn Members) -> Result<u64, Failure> {
    let outline = Outline::read(source)?;
    if outline.is_encrypted {
        let detail = "pdf: its strings and streams are encrypted".to_owned();
        members.fault(None, 0, GapReason::Encrypted, detail);
    }
    let end = outline.end;
    let mut scan = Scan::new(source, end);
    // Where begins what was not handed over yet, and what was not looked at yet.
    let (mut plain, mut at) = (0, 0);
    while let Some(found) = stream::next(&mut scan, at)? {
        at = found.end;
        if found.is_cut {
            let member = found.member(&outline);
            let detail = "pdf: a stream without its end".to_owned();
            members.fault(Some(member), 0, GapReason::Truncated, detail);
        }
        if !is_member(&found, &outline) {
            continue;
        }
        if plain < found.data {
            members.plain(plain, &Slice::new(source, plain, found.data - plain))?;
        }
        hand_over(&found, &outline, source, members)?;
        plain = found.end;
    }
    if plain < end {
        members.plain(plain, &Slice::new(source, plain, end - plain))?;
    }
    Ok(end)
}

/// Whether it is worth a look by itself. What is only pixels is not.
fn is_member(stream: &Stream, outline: &Outline) -> bool {
    match &stream.codings {
        Codings::Known(codings) => !codings.is_empty() || stream.is_file(outline),
        Codings::Unknown => true,
    }
}

fn hand_over(
    stream: &Stream,
    outline: &Outline,
    source: &dyn Source,
    members: &mut dyn Members,
) -> Result<(), Failure> {
    let member = stream.member(outline);
    let part = Slice::new(source, stream.data, stream.end - stream.data);
    let Codings::Known(codings) = &stream.codings else {
        let detail = "pdf: a stream's filter is not known".to_owned();
        members.fault(Some(member), 0, GapReason::Unsupported, detail);
        return members.plain(stream.data, &part);
    };
    if codings.is_empty() {
        return members.member(member, &part);
    }
    let mut unpacked = filter::open(codings, SourceReader::new(&part));
    let content = Once::new(&mut *unpacked);
    members.member(member.clone(), &content)?;
    // The rest of the document does not depend on one stream.
    match content
        .finish()
        .map_err(|error| Failure::reading(NAME, error))
    {
        // Ciphertext, which is told already. Metadata may be in clear all the same, and so may all if something only looked like encryption.
        Err(Failure::Fault(..)) if outline.is_encrypted => {}
        Err(Failure::Fault(reason, detail)) => members.fault(Some(member), 0, reason, detail),
        other => other?,
    }
    Ok(())
}

impl Stream {
    /// What leads to it: the name of the file that it is, or the number of its object.
    fn member(&self, outline: &Outline) -> Member {
        let number = format!("{} {}", self.object, self.generation);
        let name = outline.names.get(&self.object);
        Member::named(NAME, name.map_or(number.as_bytes(), Vec::as_slice)).at(self.data)
    }

    fn is_file(&self, outline: &Outline) -> bool {
        self.is_embedded_file || outline.names.contains_key(&self.object)
    }
}
