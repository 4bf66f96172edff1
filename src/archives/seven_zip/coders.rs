//! The methods of 7z (Methods.txt of 7-Zip's DOC), one behind the other.

use super::HEAD;
use super::folder::{Coder, Folder, Origin};
use super::header::Streams;
use crate::archives::methods::{self, Unpacked};
use crate::archives::{Failure, Input, Slice, Source};
use lzma_rust2::filter::bcj::BcjReader;
use lzma_rust2::filter::bcj2::Bcj2Reader;
use lzma_rust2::filter::delta::DeltaReader;
use std::io::{BufReader, Read};
use zeroize::Zeroizing;

const COPY: u64 = 0x00;

/// What is packed for one folder.
pub(super) struct Packed<'a> {
    slices: Vec<Slice<'a>>,
    place: u64,
}

impl<'a> Packed<'a> {
    pub(super) fn of(
        source: &'a dyn Source,
        streams: &Streams<'_>,
        folder: usize,
    ) -> Result<Self, Failure> {
        let lacking = || Failure::malformed("a folder without what it is packed in");
        let folder = streams.folders.get(folder).ok_or_else(lacking)?;
        let first = folder.first_packed;
        let told = streams.packed.get(first..first + folder.packed_count());
        let told = told.ok_or_else(lacking)?;
        let slice =
            |(start, size): &(u64, u64)| Slice::new(source, start.saturating_add(HEAD), *size);
        Ok(Self {
            slices: told.iter().map(slice).collect(),
            place: told
                .first()
                .map_or(HEAD, |(start, _)| start.saturating_add(HEAD)),
        })
    }

    /// Where the first of it lies.
    pub(super) const fn place(&self) -> u64 {
        self.place
    }

    /// Where the folder's bytes lie, if they are as they were.
    pub(super) fn stored(&self, folder: &Folder<'_>) -> Option<u64> {
        match &folder.coders[..] {
            [coder] if coder.method == COPY => Some(self.place),
            _ => None,
        }
    }
}

/// All that a folder unpacks to.
pub(super) fn unpack<'r>(folder: &Folder<'_>, packed: &'r Packed<'_>) -> Unpacked<'r> {
    let last = folder.last();
    let last = last.ok_or_else(|| Failure::malformed("coders in a circle"))?;
    output(folder, packed, last, 0)
}

/// What one coder gives.
fn output<'r>(
    folder: &Folder<'_>,
    packed: &'r Packed<'_>,
    number: usize,
    depth: usize,
) -> Unpacked<'r> {
    let circle = || Failure::malformed("coders in a circle");
    if depth >= folder.coders.len() {
        return Err(circle());
    }
    let coder = folder.coders.get(number).ok_or_else(circle)?;
    let mut inputs = Vec::new();
    for origin in folder.origins(coder)? {
        inputs.push(match origin {
            Origin::Coder(from) => output(folder, packed, from, depth + 1)?,
            Origin::Packed(at) => {
                let slice = packed.slices.get(at).ok_or_else(circle)?;
                Box::new(Input::new(slice, Zeroizing::new(Vec::new())))
            }
        });
    }
    let size = folder.sizes.get(number).copied().unwrap_or(0);
    if coder.method == BCJ2 {
        return match inputs.len() {
            4 => Ok(Box::new(Bcj2Reader::try_new(inputs, size)?)),
            _ => Err(Failure::malformed("BCJ2: it takes four streams")),
        };
    }
    match (inputs.pop(), inputs.pop()) {
        (Some(input), None) => decoded(coder, input, size),
        _ => Err(Failure::malformed("a coder with too many streams")),
    }
}

const BCJ2: u64 = 0x0303_011b;

fn decoded<'r>(coder: &Coder<'_>, input: Box<dyn Read + 'r>, size: u64) -> Unpacked<'r> {
    let properties = coder.properties;
    Ok(match coder.method {
        COPY => input,
        0x21 => return methods::lzma2(input, properties, size),
        0x03_0101 => return methods::lzma(input, properties, size),
        0x04_0108 => methods::deflate(BufReader::new(input)),
        0x04_0109 => methods::deflate64(BufReader::new(input)),
        0x04_0202 => methods::bzip2(BufReader::new(input)),
        0x04f7_1101 => return methods::zstd(BufReader::new(input)),
        0x03 => {
            let distance = properties.first().map_or(0, |byte| usize::from(*byte)) + 1;
            Box::new(DeltaReader::new(input, distance))
        }
        0x04 | 0x0303_0103 => Box::new(BcjReader::new_x86(input, 0)),
        0x05 | 0x0303_0205 => Box::new(BcjReader::new_ppc(input, 0)),
        0x06 | 0x0303_0401 => Box::new(BcjReader::new_ia64(input, 0)),
        0x07 | 0x0303_0501 => Box::new(BcjReader::new_arm(input, 0)),
        0x08 | 0x0303_0701 => Box::new(BcjReader::new_arm_thumb(input, 0)),
        0x09 | 0x0303_0805 => Box::new(BcjReader::new_sparc(input, 0)),
        0x0a => Box::new(BcjReader::new_arm64(input, 0)),
        0x0b => Box::new(BcjReader::new_riscv(input, 0)),
        0x03_0401 => return Err(Failure::unsupported("packed with PPMd")),
        method => {
            let detail = format!("packed with method {method:x}");
            return Err(Failure::unsupported(detail));
        }
    })
}
