//! Deltas (gitformat-pack(5), "Deltified representation").

use super::super::Failure;
use super::{Meter, OBJECT_MAX};
use zeroize::Zeroizing;

/// The object that a delta makes of another.
///
/// # Errors
/// A limit, or that the delta is none for this base.
pub(super) fn apply(
    base: &[u8],
    delta: &[u8],
    meter: &Meter<'_>,
) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let mut delta = delta;
    let wrong = || Failure::malformed("git: a delta that does not fit its base");
    let from = size(&mut delta).ok_or_else(wrong)?;
    let to = size(&mut delta).ok_or_else(wrong)?;
    if from != base.len() as u64 {
        return Err(wrong());
    }
    if to > OBJECT_MAX {
        let most = OBJECT_MAX >> 20;
        let detail = format!("git: a delta that makes more than {most} MiB");
        return Err(Failure::limit(detail));
    }
    meter.take(to)?;
    let to = usize::try_from(to).map_err(|_| wrong())?;
    let mut made = Zeroizing::new(Vec::with_capacity(to));
    while let Some((&command, rest)) = delta.split_first() {
        delta = rest;
        let part = match command {
            0 => return Err(wrong()),
            1..0x80 => {
                let (part, rest) = delta.split_at_checked(command.into()).ok_or_else(wrong)?;
                delta = rest;
                part
            }
            _ => {
                let place = number(&mut delta, command & 0x0f).ok_or_else(wrong)?;
                let length = match number(&mut delta, command >> 4 & 7).ok_or_else(wrong)? {
                    0 => 0x1_0000,
                    length => length,
                };
                let end = place.checked_add(length).ok_or_else(wrong)?;
                base.get(place..end).ok_or_else(wrong)?
            }
        };
        if made.len() + part.len() > to {
            return Err(wrong());
        }
        made.extend_from_slice(part);
    }
    if made.len() == to {
        Ok(made)
    } else {
        Err(wrong())
    }
}

/// A size: seven bits a byte, the lowest first.
fn size(bytes: &mut &[u8]) -> Option<u64> {
    let mut size = 0;
    for shift in (0..63).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        size |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(size);
        }
    }
    None
}

/// A number of which only the bytes with a bit set in `present` are there, the lowest first.
fn number(bytes: &mut &[u8], present: u8) -> Option<usize> {
    let mut number = 0;
    for bit in 0..4 {
        if present >> bit & 1 == 1 {
            let (&byte, rest) = bytes.split_first()?;
            *bytes = rest;
            number |= usize::from(byte) << (8 * bit);
        }
    }
    Some(number)
}
