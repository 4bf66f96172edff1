//! A folder of a 7z: coders, of which each takes what another gives, or what is packed.

use super::reader::Reader;
use crate::archives::Failure;

/// AES-256 with a key from a password.
const AES: u64 = 0x06f1_0701;
/// More coders are in no folder of the usual tools.
const CODERS_MAX: usize = 8;
/// BCJ2 has as many.
const INPUTS_MAX: u64 = 4;

/// A folder: what is unpacked as one stream.
pub(super) struct Folder<'h> {
    pub(super) coders: Vec<Coder<'h>>,
    /// Which input takes which coder's output.
    bonds: Vec<(usize, usize)>,
    /// Which inputs take what is packed.
    packed: Vec<usize>,
    /// What each coder gives, in bytes.
    pub(super) sizes: Vec<u64>,
    pub(super) crc: Option<u32>,
    /// How many files it holds.
    pub(super) pieces: usize,
    /// The first of its packed streams among those of the archive.
    pub(super) first_packed: usize,
}

/// One step of unpacking; it has one output.
pub(super) struct Coder<'h> {
    pub(super) method: u64,
    pub(super) properties: &'h [u8],
    /// The number of its first input among those of the folder, and how many it has.
    first_input: usize,
    inputs: usize,
}

/// Where an input's bytes come from.
pub(super) enum Origin {
    /// The coder of this number.
    Coder(usize),
    /// The packed stream of this number, counted in the folder.
    Packed(usize),
}

impl<'h> Folder<'h> {
    /// A folder without its sizes, which stand elsewhere.
    pub(super) fn read(reader: &mut Reader<'h>) -> Result<Self, Failure> {
        let count = reader.count()?;
        if !(1..=CODERS_MAX).contains(&count) {
            return Err(Failure::unsupported(format!("a folder of {count} coders")));
        }
        let mut coders = Vec::new();
        let mut inputs = 0;
        for _ in 0..count {
            let coder = Coder::read(reader, inputs)?;
            inputs += coder.inputs;
            coders.push(coder);
        }
        let mut bonds = Vec::new();
        for _ in 1..count {
            let mut index = || {
                reader
                    .number()
                    .map(|n| usize::try_from(n).unwrap_or(usize::MAX))
            };
            bonds.push((index()?, index()?));
        }
        let bound = |input: &usize| bonds.iter().any(|(to, _)| to == input);
        let mut packed: Vec<usize> = (0..inputs).filter(|input| !bound(input)).collect();
        if packed.len() > 1 {
            for input in &mut packed {
                *input = usize::try_from(reader.number()?).unwrap_or(usize::MAX);
            }
        }
        Ok(Self {
            coders,
            bonds,
            packed,
            sizes: Vec::new(),
            crc: None,
            pieces: 1,
            first_packed: 0,
        })
    }

    /// The coder whose output nobody takes.
    pub(super) fn last(&self) -> Option<usize> {
        let taken = |coder: &usize| self.bonds.iter().any(|(_, from)| from == coder);
        (0..self.coders.len()).find(|coder| !taken(coder))
    }

    /// How many bytes it unpacks to.
    pub(super) fn size(&self) -> u64 {
        let size = self.last().and_then(|last| self.sizes.get(last));
        size.copied().unwrap_or(0)
    }

    pub(super) const fn packed_count(&self) -> usize {
        self.packed.len()
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.coders.iter().any(|coder| coder.method == AES)
    }

    /// Where the inputs of a coder come from.
    pub(super) fn origins(&self, coder: &Coder<'_>) -> Result<Vec<Origin>, Failure> {
        let inputs = coder.first_input..coder.first_input + coder.inputs;
        let origin = |input: usize| {
            let bond = self.bonds.iter().find(|(to, _)| *to == input);
            let packed = || self.packed.iter().position(|to| *to == input);
            bond.map(|(_, from)| Origin::Coder(*from))
                .or_else(|| packed().map(Origin::Packed))
                .ok_or_else(|| Failure::malformed("a coder without its input"))
        };
        inputs.map(origin).collect()
    }
}

impl<'h> Coder<'h> {
    fn read(reader: &mut Reader<'h>, first_input: usize) -> Result<Self, Failure> {
        let flags = reader.byte()?;
        let id = reader.bytes(u64::from(flags & 15))?;
        let method = id
            .iter()
            .take(8)
            .fold(0, |id, byte| id << 8 | u64::from(*byte));
        let (mut inputs, mut outputs) = (1, 1);
        if flags & 0x10 != 0 {
            (inputs, outputs) = (reader.number()?, reader.number()?);
        }
        let properties = match flags & 0x20 {
            0 => &[],
            _ => {
                let count = reader.number()?;
                reader.bytes(count)?
            }
        };
        if flags & 0x80 != 0 || outputs != 1 || !(1..=INPUTS_MAX).contains(&inputs) {
            return Err(Failure::unsupported("a coder of another shape"));
        }
        Ok(Self {
            method,
            properties,
            first_input,
            inputs: usize::try_from(inputs).unwrap_or(1),
        })
    }
}
