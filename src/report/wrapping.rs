//! Lines that fit a terminal.

/// Lines of at most so many columns, broken between words; colours take no room.
pub(super) fn wrap(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let Some(line) = lines.last_mut() else { break };
        if !line.is_empty() && columns(line) + 1 + columns(word) > room {
            lines.push(word.to_owned());
            continue;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines
}

/// The columns that a text takes, without its escape sequences for colour.
fn columns(text: &str) -> usize {
    let mut hidden = false;
    let shown = text.chars().filter(|&c| {
        let was = hidden;
        hidden = c == '\x1b' || (hidden && c != 'm');
        !was && !hidden
    });
    shown.count()
}
