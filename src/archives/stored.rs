//! Members that stand in an archive as they are.

use super::{Failure, Input, Members, Once, Slice};
use crate::model::{GapReason, Member};
use std::io::Read as _;

/// Hands over the next `size` bytes (`u64::MAX`: all that follow), and goes on behind them. One that is cut off is told, and the input then stands at its end.
pub(super) fn hand_over(
    member: Member,
    size: u64,
    input: &mut Input<'_>,
    members: &mut dyn Members,
) -> Result<(), Failure> {
    let start = input.position();
    let member = member.at(start);
    let end = start.saturating_add(size);
    let detail = || format!("{}: cut off in this member", member.container);
    if let Some(source) = input.random() {
        members.member(member.clone(), &Slice::new(source, start, size))?;
        let whole = source.size();
        input.skip_to(end.min(whole))?;
        if end > whole && size != u64::MAX {
            let detail = detail();
            members.fault(Some(member), 0, GapReason::Truncated, detail);
        }
        return Ok(());
    }
    let mut stream = input.take(size);
    let content = Once::new(&mut stream);
    members.member(member.clone(), &content)?;
    content.finish()?;
    if input.position() < end && size != u64::MAX {
        let detail = detail();
        members.fault(Some(member), 0, GapReason::Truncated, detail);
    }
    Ok(())
}
