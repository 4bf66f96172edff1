//! The data of one member.

use super::NAME;
use super::header::{DESCRIPTOR, Header};
use super::walk::Walk;
use crate::archives::checked::Checked;
use crate::archives::little::u32_at;
use crate::archives::methods::{self, Unpacked};
use crate::archives::{Failure, Input, Members, Once, Slice, Source as _};
use crate::model::{GapReason, Member};
use memchr::memmem;
use std::io::{self, BufRead, Read};

const STORED: u16 = 0;
const LZMA: u16 = 14;
const XZ: u16 = 95;

const WRONG: &str = "its checksum is wrong";

/// Methods that are recognised and not read (APPNOTE 4.4.5).
const fn method_name(method: u16) -> &'static str {
    match method {
        1 => "shrink",
        2..=5 => "reduce",
        6 => "implode",
        10 => "PKWARE's implode",
        16 => "CMPSC",
        18 => "TERSE",
        19 => "LZ77",
        94 => "MP3",
        96 => "JPEG",
        97 => "WavPack",
        98 => "PPMd",
        _ => "an unknown method",
    }
}

/// What was packed by a method, `size` bytes.
fn unpack<'r>(header: &Header, mut packed: impl BufRead + 'r) -> Unpacked<'r> {
    Ok(match header.method {
        STORED => Box::new(packed),
        8 => methods::deflate(packed),
        9 => methods::deflate64(packed),
        12 => methods::bzip2(packed),
        LZMA => {
            // Version of the library, and how long the properties are (APPNOTE 5.8.8).
            let mut head = [0; 9];
            packed.read_exact(&mut head)?;
            let size = match header.has_end_mark() {
                true => u64::MAX,
                false => header.size,
            };
            let properties = head.get(4..).unwrap_or_default();
            return methods::lzma(packed, properties, size);
        }
        20 | 93 => return methods::zstd(packed),
        XZ => methods::xz(packed),
        method => {
            let name = method_name(method);
            return Err(Failure::unsupported(format!("packed with {name}")));
        }
    })
}

impl Walk<'_, '_> {
    /// Looks into a member whose size is known, and whose data stand next.
    pub(super) fn known(&mut self, header: &Header, data: u64) -> Result<(), Failure> {
        let member = Member::named(NAME, &header.name).at(self.base + data);
        if let Some(with) = header.encryption() {
            let detail = format!("encrypted with {with}");
            self.fault(member, 0, GapReason::Encrypted, &detail);
            return Ok(());
        }
        if let Some(source) = self.input.random()
            && header.method == STORED
        {
            let slice = Slice::new(source, data, header.packed);
            let content = Checked::new(&slice);
            self.members.member(member.clone(), &content)?;
            if slice.size() < header.packed {
                self.fault(member, slice.size(), GapReason::Truncated, "cut off");
            } else if content.is_wrong(header.crc) {
                self.fault(member, 0, GapReason::Malformed, WRONG);
            }
            return Ok(());
        }
        let packed = (&mut *self.input).take(header.packed);
        let damage = match unpack(header, packed) {
            Ok(mut stream) => look_into(&member, &mut stream, Some(header.crc), self.members)?,
            Err(failure) => Some((0, failure)),
        };
        self.tell(member, damage)
    }

    /// Looks into a member whose size is told behind its data; the input stands behind both afterwards.
    pub(super) fn streamed(&mut self, header: &Header, data: u64) -> Result<(), Failure> {
        let member = Member::named(NAME, &header.name).at(self.base + data);
        let damage = if let Some(with) = header.encryption() {
            let detail = format!("encrypted with {with}");
            Some((0, Failure::Fault(GapReason::Encrypted, detail)))
        } else if header.method == STORED {
            let mut stream = UntilDescriptor::new(self.input, data);
            look_into(&member, &mut stream, None, self.members)?
        } else if matches!(header.method, LZMA | XZ) {
            // Their decoders read ahead: where they end is not to be had.
            Some((
                0,
                Failure::unsupported("a size that this method needs stands behind the data"),
            ))
        } else {
            match unpack(header, &mut *self.input) {
                Ok(mut stream) => look_into(&member, &mut stream, None, self.members)?,
                Err(failure) => Some((0, failure)),
            }
        };
        if damage.is_some() {
            self.tell(member, damage)?;
            let mut rest = UntilDescriptor::new(self.input, data);
            Once::new(&mut rest).finish()?;
        }
        let packed = self.input.position().saturating_sub(data);
        self.descriptor(packed)
    }

    /// Tells what was wrong with a member, from which place on.
    fn tell(&mut self, member: Member, damage: Option<(u64, Failure)>) -> Result<(), Failure> {
        match damage {
            None => Ok(()),
            Some((place, Failure::Fault(reason, detail))) => {
                self.fault(member, place, reason, &detail);
                Ok(())
            }
            Some((_, failure)) => Err(failure),
        }
    }
}

/// Looks into a stream to its end; gives what was wrong with it, and from which place on.
fn look_into(
    member: &Member,
    stream: &mut dyn Read,
    crc: Option<u32>,
    members: &mut dyn Members,
) -> Result<Option<(u64, Failure)>, Failure> {
    let once = Once::new(stream);
    let content = Checked::new(&once);
    members.member(member.clone(), &content)?;
    let place = content.position();
    Ok(match once.finish() {
        Err(error) => Some((place, Failure::from(error))),
        Ok(()) if crc.is_some_and(|crc| content.is_wrong(crc)) => {
            Some((0, Failure::malformed(WRONG)))
        }
        Ok(()) => None,
    })
}

/// Stored bytes of which only the descriptor behind them says how many they are.
struct UntilDescriptor<'u, 'i> {
    input: &'u mut Input<'i>,
    /// Place of the first of them.
    data: u64,
}

impl<'u, 'i> UntilDescriptor<'u, 'i> {
    const fn new(input: &'u mut Input<'i>, data: u64) -> Self {
        Self { input, data }
    }
}

impl Read for UntilDescriptor<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let given = self.input.position().saturating_sub(self.data);
        let next = self.input.peek(24)?;
        // Signature, checksum, size as it lies, of which the lower half is enough.
        let is_end = |at: usize| {
            let given = given.saturating_add(at as u64) & 0xffff_ffff;
            u64::from(u32_at(next.get(at..).unwrap_or_default(), 8)) == given
        };
        let ready = match memmem::find_iter(next, DESCRIPTOR).find(|at| is_end(*at)) {
            Some(at) => at,
            // Half of one may stand at the end.
            None if next.len() >= 24 => next.len() - 11,
            None => next.len(),
        };
        let count = ready.min(buffer.len());
        if let (Some(target), Some(bytes)) = (buffer.get_mut(..count), next.get(..count)) {
            target.copy_from_slice(bytes);
        }
        self.input.consume(count);
        Ok(count)
    }
}
