//! YAML, by its indentation, from a line upwards.

use super::text;

/// A line of a mapping or a list.
struct Line<'a> {
    /// Columns before it.
    indent: usize,
    /// Columns before what follows the dash of a list's item, if it has one.
    item: Option<usize>,
    /// Its name, if it opens a mapping, a list or a text.
    opens: Option<&'a [u8]>,
}

impl<'a> Line<'a> {
    fn read(line: &'a [u8]) -> Option<Self> {
        let content = line.trim_ascii_start();
        let indent = line.len() - content.len();
        let content = content.trim_ascii_end();
        if content.is_empty() || content.starts_with(b"#") {
            return None;
        }
        let dash = content
            .strip_prefix(b"- ")
            .or((content == b"-").then_some(b"" as &[u8]));
        let inner = dash.map(<[u8]>::trim_ascii_start);
        let item = inner.map(|inner| indent + content.len() - inner.len());
        let inner = inner.unwrap_or(content);
        let marks = inner
            .iter()
            .rposition(|b| !matches!(b, b'|' | b'>' | b'-' | b'+'));
        let before = inner
            .get(..marks.map_or(0, |last| last + 1))?
            .trim_ascii_end();
        let opens = before.strip_suffix(b":").map(|key| key.trim_ascii());
        let opens = opens.map(|key| {
            key.strip_prefix(b"\"")
                .and_then(|k| k.strip_suffix(b"\""))
                .unwrap_or(key)
        });
        Some(Self {
            indent,
            item,
            opens,
        })
    }
}

/// What is looked for in the lines above.
enum Wanted {
    /// What opened the mapping of this column.
    Mapping(usize),
    /// What opened the list of this column; so many items are between.
    List(usize, usize),
}

/// The path of a name on the line that starts at a place; without a name it is the item of a list.
pub(super) fn path(text_before: &[u8], start: usize, key: Option<&[u8]>) -> String {
    let key = key.filter(|key| !key.is_empty());
    let end = memchr::memchr(b'\n', text_before.get(start..).unwrap_or_default())
        .map_or(text_before.len(), |n| start + n);
    let own = text_before.get(start..end).unwrap_or_default();
    let indent = own.len() - own.trim_ascii_start().len();
    let is_item = own.trim_ascii_start().starts_with(b"-");
    // From the innermost outwards.
    let mut steps: Vec<String> = key.map(text).into_iter().collect();
    let mut wanted = if is_item {
        Wanted::List(indent, 0)
    } else {
        Wanted::Mapping(indent)
    };
    let above = text_before.get(..start).unwrap_or_default();
    for line in above.rsplit(|b| *b == b'\n') {
        if line.starts_with(b"---") || matches!(wanted, Wanted::Mapping(0)) {
            break;
        }
        let Some(line) = Line::read(line) else {
            continue;
        };
        let next = match (&wanted, line.item) {
            (Wanted::Mapping(column), Some(inner)) if inner == *column => {
                Some(Wanted::List(line.indent, 0))
            }
            (Wanted::Mapping(column), _) if line.item.unwrap_or(line.indent) < *column => {
                opened(&line, None, &mut steps)
            }
            (Wanted::List(column, count), Some(_)) if line.indent == *column => {
                Some(Wanted::List(*column, count + 1))
            }
            (Wanted::List(column, count), _) if line.indent <= *column => {
                opened(&line, Some(*count), &mut steps)
            }
            _ => continue,
        };
        match next {
            Some(next) => wanted = next,
            None => break,
        }
    }
    if let Wanted::List(_, count) = wanted {
        steps.push(format!("[{count}]"));
    }
    let mut path = String::new();
    for step in steps.iter().rev() {
        if !path.is_empty() && !step.starts_with('[') {
            path.push('.');
        }
        path.push_str(step);
    }
    path
}

/// What a line opened is a step of the path; then what opened that is looked for.
fn opened(line: &Line<'_>, count: Option<usize>, steps: &mut Vec<String>) -> Option<Wanted> {
    let key = line.opens?;
    steps.extend(count.map(|count| format!("[{count}]")));
    steps.push(text(key));
    Some(match line.item {
        Some(_) => Wanted::List(line.indent, 0),
        None => Wanted::Mapping(line.indent),
    })
}
