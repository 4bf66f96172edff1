//! XML: the element whose text begins here.

use super::text;

/// A longer tag is none.
const TAG_MAX: usize = 512;

/// The local name of the element that opens right before the end of the text.
pub(super) fn element(before: &[u8]) -> Option<String> {
    let before = before.trim_ascii_end();
    let before = before
        .strip_suffix(b"<![CDATA[")
        .unwrap_or(before)
        .trim_ascii_end();
    let before = before.strip_suffix(b">")?;
    let near = before.get(before.len().saturating_sub(TAG_MAX)..)?;
    let tag = near.get(memchr::memrchr(b'<', near)? + 1..)?;
    let name: &[u8] = tag.split(|b| b.is_ascii_whitespace()).next()?;
    let local = name.rsplit(|b| *b == b':').next()?;
    let is_name = local
        .iter()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
    let opens = !tag.ends_with(b"/") && local.first()?.is_ascii_alphabetic();
    (is_name && opens).then(|| text(local))
}
