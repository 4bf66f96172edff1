//! ar: archives of object files in the manner of System V, GNU and BSD (ar(5)), and Debian's packages (deb(5)), which are such.

use super::{Archive, Failure, Input, Members, stored};
use crate::model::Member;
use std::io::Read as _;

/// The archive.
pub(super) struct Ar;

const NAME: &str = "ar";
const MAGIC: &[u8] = b"!<arch>\n";
/// Size of the header of a member.
const HEADER: usize = 60;
/// What a header ends with.
const MARK: &[u8] = b"`\n";
/// A table of long names of more bytes is not read, nor a name of more.
const NAMES_MAX: u64 = 4 << 20;
const NAME_MAX: u64 = 64 << 10;

impl Archive for Ar {
    fn name(&self) -> &'static str {
        NAME
    }

    fn begins(&self, start: &[u8]) -> bool {
        let header = start.strip_prefix(MAGIC);
        header.is_some_and(|header| {
            header.is_empty() || header.first_chunk().and_then(Header::read).is_some()
        })
    }

    fn read(&self, input: &mut Input<'_>, members: &mut dyn Members) -> Result<(), Failure> {
        let failed = |error| Failure::reading(NAME, error);
        input.skip_to(MAGIC.len() as u64).map_err(failed)?;
        let mut names = Vec::new();
        loop {
            let start = input.peek(HEADER)?;
            if start.is_empty() {
                return Ok(());
            }
            let Some(header) = start.first_chunk::<HEADER>() else {
                return Err(Failure::truncated("ar: cut off in a header"));
            };
            let Some(mut header) = Header::read(header) else {
                return Err(Failure::malformed("ar: what follows a member is none"));
            };
            let data = input.position() + HEADER as u64;
            input.skip_to(data).map_err(failed)?;
            let end = data.saturating_add(header.size);
            match header.name.as_slice() {
                b"//" if header.size <= NAMES_MAX => {
                    names.clear();
                    input.take(header.size).read_to_end(&mut names)?;
                }
                // The index of symbols, of names of functions.
                b"/" | b"/SYM64/" | b"__.SYMDEF" | b"__.SYMDEF SORTED" | b"//" => {}
                _ => {
                    let size = header.name(&names, input)?;
                    if size > 0 {
                        let member = Member::named(NAME, &header.name);
                        stored::hand_over(member, size, input, members)?;
                        if input.position() < end {
                            return Ok(());
                        }
                    }
                }
            }
            input.skip_to(end).map_err(failed)?;
            // What would begin at an odd place is preceded by a line's end, or as Go writes it by a zero byte.
            if end % 2 == 1 && matches!(input.peek(1)?.first(), Some(b'\n' | 0)) {
                input.skip_to(end + 1).map_err(failed)?;
            }
        }
    }
}

/// What stands before a member.
struct Header {
    name: Vec<u8>,
    size: u64,
}

impl Header {
    /// Name, time, owner, group, mode and size, of 16, 12, 6, 6, 8 and 10 characters, filled with blanks.
    fn read(header: &[u8; HEADER]) -> Option<Self> {
        let size = header.get(48..58)?.trim_ascii_end();
        let is_size = !size.is_empty() && size.iter().all(u8::is_ascii_digit);
        let size = std::str::from_utf8(size).ok().filter(|_| is_size)?;
        let name = header.get(..16)?.trim_ascii_end().to_vec();
        let size = size.parse().ok()?;
        header.ends_with(MARK).then_some(Self { name, size })
    }

    /// Finds the whole name; gives how many bytes the member has.
    fn name(&mut self, names: &[u8], input: &mut Input<'_>) -> Result<u64, Failure> {
        let number = |digits: &[u8]| std::str::from_utf8(digits).ok()?.parse::<u64>().ok();
        // BSD: the name stands before the data, and is counted to them.
        if let Some(length) = self.name.strip_prefix(b"#1/").and_then(number) {
            if length > self.size.min(NAME_MAX) {
                return Err(Failure::malformed(
                    "ar: a name that is longer than its member",
                ));
            }
            self.name.clear();
            input.take(length).read_to_end(&mut self.name)?;
            while self.name.pop_if(|last| *last == 0).is_some() {}
            return Ok(self.size - length);
        }
        // System V: a place in the table of names, where a name ends with a slash and a line's end.
        if let Some(place) = self.name.strip_prefix(b"/").and_then(number) {
            let name = usize::try_from(place).ok().and_then(|at| names.get(at..));
            let name = name.and_then(|name| name.split(|byte| *byte == b'\n').next());
            if let Some(name) = name.filter(|name| name.len() as u64 <= NAME_MAX) {
                self.name = name.to_vec();
            }
        }
        if self.name.len() > 1 {
            self.name.pop_if(|last| *last == b'/');
        }
        Ok(self.size)
    }
}
