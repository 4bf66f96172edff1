//! What the options of a grant take away (sshd(8), "AUTHORIZED_KEYS FILE FORMAT").

use std::borrow::Cow;

/// The most options that are looked at.
const OPTIONS_LIMIT: usize = 256;

/// What is left of a grant.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    /// The one command that runs.
    pub(super) command: Option<String>,
    /// The addresses from which alone it is accepted.
    pub(super) from: Option<String>,
    /// Further options that take something away, as written.
    pub(super) limits: Vec<String>,
    /// Ports may be forwarded.
    forwarding: bool,
}

impl Options {
    /// Reads the options as they are written.
    pub(super) fn read(written: &str) -> Self {
        let mut this = Self {
            forwarding: true,
            ..Self::default()
        };
        for (name, value) in split(written).into_iter().take(OPTIONS_LIMIT) {
            let lower = match name.bytes().any(|b| b.is_ascii_uppercase()) {
                true => Cow::Owned(name.to_ascii_lowercase()),
                false => Cow::Borrowed(name.as_str()),
            };
            match (&*lower, value) {
                ("command", Some(value)) => this.command = Some(value),
                ("from", Some(value)) => this.from = Some(value),
                ("restrict" | "no-port-forwarding", None) => {
                    this.forwarding = false;
                    this.limits.push(name.clone());
                }
                ("port-forwarding", None) => this.forwarding = true,
                ("permitopen" | "permitlisten" | "principals", Some(value)) => {
                    this.limits.push(format!("{name}=\"{value}\""));
                }
                ("verify-required", None) => this.limits.push(name.clone()),
                (lower, None) if lower.starts_with("no-") => this.limits.push(name.clone()),
                _ => {}
            }
        }
        this
    }

    /// Whether options as they are written let nobody in (see [`Options::disabled`]).
    pub(super) fn disable(written: &str) -> bool {
        names_command(written) && Self::read(written).disabled()
    }

    /// Whether nobody gets in by it: its command only says so and ends, and no port can be forwarded meanwhile. That
    /// is how cloud-init closes root's grants.
    pub(super) fn disabled(&self) -> bool {
        !self.forwarding && self.command.as_deref().is_some_and(only_refuses)
    }
}

/// Whether the name of the option with which a grant is closed occurs anywhere.
fn names_command(written: &str) -> bool {
    const NAME: &[u8] = b"command";
    let mut windows = written.as_bytes().windows(NAME.len());
    windows.any(|letters| letters.eq_ignore_ascii_case(NAME))
}

/// Name and value of each option; a value stands in quotes, in which `\"` is a quote.
fn split(written: &str) -> Vec<(String, Option<String>)> {
    let mut found = Vec::new();
    if let Some(only) = one_value(written) {
        found.push(only);
        return found;
    }
    let mut rest = written.chars().peekable();
    while rest.peek().is_some() {
        let mut name = String::new();
        let mut value = None;
        while let Some(c) = rest.next() {
            match c {
                ',' => break,
                '"' => {
                    let text = value.get_or_insert_with(String::new);
                    while let Some(c) = rest.next() {
                        match c {
                            '\\' if rest.peek() == Some(&'"') => text.extend(rest.next()),
                            '"' => break,
                            c => text.push(c),
                        }
                    }
                }
                '=' if value.is_none() => value = Some(String::new()),
                c => match &mut value {
                    Some(text) => text.push(c),
                    None => name.push(c),
                },
            }
        }
        if name.trim().len() < name.len() {
            name = name.trim().to_owned();
        }
        found.push((name, value));
    }
    found
}

/// One option with its value in quotes, and nothing that needs more than a look.
fn one_value(written: &str) -> Option<(String, Option<String>)> {
    let (name, value) = written.strip_suffix('"')?.split_once("=\"")?;
    let is_plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && !value.bytes().any(|b| matches!(b, b'"' | b'\\'));
    is_plain.then(|| (name.to_owned(), Some(value.to_owned())))
}

/// Whether a command does nothing but speak, wait and end. Anything that a shell could make more of counts as work.
fn only_refuses(command: &str) -> bool {
    let Some(parts) = statements(command) else {
        return false;
    };
    let mut ends = false;
    for words in &parts {
        let program = words.first().map_or("", String::as_str);
        let name = program.rsplit('/').next().unwrap_or(program);
        match name {
            "echo" | "printf" | "sleep" | ":" => {}
            "exit" | "false" | "true" | "nologin" => ends = true,
            _ => return false,
        }
    }
    ends || parts.iter().any(|words| !words.is_empty())
}

/// The statements of a command, in words; none if it has more than words in quotes and `;` or `&&` between them.
fn statements(command: &str) -> Option<Vec<Vec<String>>> {
    let mut all = Vec::new();
    let mut words: Vec<String> = Vec::new();
    let mut word: Option<String> = None;
    let mut rest = command.chars().peekable();
    let mut quote = None;
    while let Some(c) = rest.next() {
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            ('$' | '`' | '\\', Some('"')) => return None,
            (c, Some(_)) => word.get_or_insert_default().push(c),
            ('\'' | '"', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (';' | '\n', None) => {
                words.extend(word.take());
                all.push(std::mem::take(&mut words));
            }
            ('&', None) if rest.next_if_eq(&'&').is_some() => {
                words.extend(word.take());
                all.push(std::mem::take(&mut words));
            }
            ('&' | '|' | '<' | '>' | '$' | '`' | '(' | ')' | '{' | '}' | '\\' | '*', None) => {
                return None;
            }
            (c, None) if c.is_whitespace() => words.extend(word.take()),
            (c, None) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    all.push(words);
    all.retain(|words| !words.is_empty());
    (quote.is_none() && !all.is_empty()).then_some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLOUD_INIT: &str = "no-port-forwarding,no-agent-forwarding,no-X11-forwarding,command=\"echo 'Please login as the user \\\"debian\\\" rather than the user \\\"root\\\".';echo;sleep 10;exit 142\"";

    #[test]
    fn one_option_is_read_like_several() {
        for text in [
            "from=\"10.0.0.0/8\"",
            "FROM=\"a,b=c\"",
            "command=\"a \\\"b\\\"\"",
            "principals=\"\"",
            "a b=\"c\"",
        ] {
            assert_eq!(Options::read(text), Options::read(&format!("{text},")));
        }
    }

    #[test]
    fn a_refusal_is_no_grant() {
        let options = Options::read(CLOUD_INIT);
        assert!(options.disabled());
        assert_eq!(
            options.command.as_deref(),
            Some(
                "echo 'Please login as the user \"debian\" rather than the user \"root\".';echo;sleep 10;exit 142"
            )
        );
        for command in [
            "exit 1",
            "/bin/false",
            "/usr/sbin/nologin",
            "echo no && exit 1",
            "echo",
        ] {
            let written = format!("restrict,command=\"{command}\"");
            assert!(Options::read(&written).disabled(), "{command}");
        }
    }

    #[test]
    fn what_does_more_is_one() {
        // Without a shell a port can be forwarded as long as it runs.
        assert!(!Options::read("command=\"echo no;exit 1\"").disabled());
        assert!(!Options::read("restrict,port-forwarding,command=\"exit 1\"").disabled());
        for command in [
            "echo $(id)",
            "echo a > /tmp/x",
            "echo a | sh",
            "exit 1; /usr/bin/backup",
            "echo `id`",
            "true & sh",
            "sh -c 'exit 1'",
            "",
            "echo \\\"$(id)\\\"",
        ] {
            let written = format!("restrict,command=\"{command}\"");
            assert!(!Options::read(&written).disabled(), "{command}");
        }
    }

    #[test]
    fn limits_are_told_as_written() {
        let options = Options::read(
            "from=\"10.0.0.0/8,!10.1.1.1\",No-pty,permitopen=\"db:5432\",expiry-time=\"20270101\",environment=\"A=b\"",
        );
        assert_eq!(options.from.as_deref(), Some("10.0.0.0/8,!10.1.1.1"));
        assert_eq!(options.limits, ["No-pty", "permitopen=\"db:5432\""]);
        assert_eq!(options.command, None);
        assert!(!options.disabled());
    }
}
