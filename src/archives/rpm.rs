//! RPM packages (RPM's manual, "RPM V4 Package format" and V6): a lead, a signature, a header, and the payload, an archive of its own.

use super::{Archive, Failure, Input, Members, recognise, stored};
use crate::model::{GapReason, Member};

/// The archive.
pub(super) struct Rpm;

const NAME: &str = "rpm";
/// Size of the lead, and what it begins with.
const LEAD: u64 = 96;
const LEAD_MAGIC: &[u8] = &[0xed, 0xab, 0xee, 0xdb];
/// What a header begins with; four reserved bytes follow, the count of its entries, and the size of their data.
const HEADER_MAGIC: &[u8] = &[0x8e, 0xad, 0xe8, 1];
/// More are not written by RPM itself.
const ENTRIES_MAX: u32 = 1 << 16;
const DATA_MAX: u32 = 256 << 20;
/// An entry: tag, type, place in the data, and count.
const ENTRY: u64 = 16;

impl Archive for Rpm {
    fn name(&self) -> &'static str {
        NAME
    }

    fn begins(&self, start: &[u8]) -> bool {
        let header = start.get(96..100);
        start.starts_with(LEAD_MAGIC) && header.is_none_or(|magic| magic == HEADER_MAGIC)
    }

    fn read(&self, input: &mut Input<'_>, members: &mut dyn Members) -> Result<(), Failure> {
        let failed = |error| Failure::reading(NAME, error);
        input.skip_to(LEAD).map_err(failed)?;
        let end = header("signature", input, members)?;
        // It is filled up to eight bytes.
        input
            .skip_to(end.next_multiple_of(8).max(end))
            .map_err(failed)?;
        // Scripts stand in the header.
        header("header", input, members)?;
        let start = input.position();
        let payload = input.peek(64 << 10)?;
        if payload.is_empty() {
            return Err(Failure::truncated("rpm: cut off before its payload"));
        }
        let is_known = recognise(payload).is_some();
        let member = Member::named(NAME, b"payload");
        if !is_known {
            let detail = "rpm: a payload whose compression is not read".to_owned();
            let member = member.clone().at(start);
            members.fault(Some(member), 0, GapReason::Unsupported, detail);
        }
        stored::hand_over(member, u64::MAX, input, members)
    }
}

/// Hands over the data of a header; gives the place behind it.
fn header(name: &str, input: &mut Input<'_>, members: &mut dyn Members) -> Result<u64, Failure> {
    let failed = |error| Failure::reading(NAME, error);
    let intro: [u8; 16] = input.take_array().map_err(failed)?;
    let [magic @ .., _, _, _, _, n0, n1, n2, n3, s0, s1, s2, s3] = intro;
    let entries = u32::from_be_bytes([n0, n1, n2, n3]);
    let size = u32::from_be_bytes([s0, s1, s2, s3]);
    if magic != HEADER_MAGIC || entries > ENTRIES_MAX || size > DATA_MAX {
        return Err(Failure::malformed(format!("rpm: the {name} is none")));
    }
    let data = input.position() + ENTRY * u64::from(entries);
    input.skip_to(data).map_err(failed)?;
    stored::hand_over(
        Member::named(NAME, name.as_bytes()),
        size.into(),
        input,
        members,
    )?;
    let end = data + u64::from(size);
    match input.position() == end {
        true => Ok(end),
        false => Err(Failure::Fault(
            GapReason::Truncated,
            format!("rpm: cut off in the {name}"),
        )),
    }
}
