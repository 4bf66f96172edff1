//! The policy in force as TOML, with where each value comes from: it can be read again as a policy.

use super::approval::{Step, Steps};
use super::{
    Exception, PlaceRule, Policy, class_words, default_severity, flag_words, kind_words, type_words,
};
use std::io::{self, Write};

/// Widest line that comments are aligned behind; longer ones have theirs directly behind them.
const ALIGN_MAX: usize = 80;

/// Writes the policy.
pub fn show(policy: &Policy, out: &mut impl Write) -> io::Result<()> {
    write!(out, "# policy in force: {}", policy.name)?;
    writeln!(out, ", sha256 {}", policy.sha256)?;
    for (name, digest) in &policy.included {
        writeln!(out, "# with {name}, sha256 {digest}")?;
    }
    if let Some((_, written)) = &policy.owners {
        let mut top = Section::default();
        top.line("owners", &quoted(written), &policy.origin("owners"));
        top.write(None, out)?;
    }
    thresholds(policy, out)?;
    for (name, steps) in [
        ("keys", &policy.approvals.keys),
        ("curves", &policy.approvals.curves),
        ("hashes", &policy.approvals.hashes),
        ("ssh", &policy.approvals.ssh),
    ] {
        approvals(policy, name, steps, out)?;
    }
    let demands = &policy.approvals.post_quantum;
    let mut section = Section::default();
    for (name, from) in [
        ("signature_from", demands.signature_from),
        ("encryption_from", demands.encryption_from),
    ] {
        match from {
            Some(day) => {
                let origin = policy.origin(&format!("post_quantum.{name}"));
                section.line(name, &day.to_string(), &origin);
            }
            None => section.unset(name, "2035-01-01", "not asked"),
        }
    }
    section.write(Some("post_quantum"), out)?;
    let mut section = Section::default();
    for (word, kind) in type_words() {
        match policy.rotation_days.get(&kind) {
            Some(days) => {
                let origin = policy.origin(&format!("rotation_days.{word}"));
                section.line(word, &days.to_string(), &origin);
            }
            None => section.unset(word, "365", "no period but the row's own"),
        }
    }
    section.write(Some("rotation_days"), out)?;
    severities(policy, out)?;
    policy.places.iter().try_for_each(|rule| place(rule, out))?;
    policy
        .exceptions
        .iter()
        .try_for_each(|one| exception(one, out))
}

fn thresholds(policy: &Policy, out: &mut impl Write) -> io::Result<()> {
    let mut section = Section::default();
    for (name, value) in [
        ("expiring_days", policy.expiring_days),
        ("expiring_early_percent", policy.expiring_early_percent),
        ("exception_max_days", policy.exception_max_days),
    ] {
        let origin = policy.origin(&format!("thresholds.{name}"));
        section.line(name, &value.to_string(), &origin);
    }
    section.write(Some("thresholds"), out)
}

fn approvals(policy: &Policy, name: &str, steps: &Steps, out: &mut impl Write) -> io::Result<()> {
    let mut section = Section::default();
    for (algorithm, steps) in &steps.0 {
        let value = match steps.as_slice() {
            [
                Step {
                    approved,
                    min_bits: None,
                    until: None,
                },
            ] => approved.to_string(),
            steps => {
                let steps: Vec<String> = steps.iter().map(step).collect();
                format!("[{}]", steps.join(", "))
            }
        };
        let origin = policy.origin(&format!("{name}.{algorithm}"));
        section.line(&key(algorithm), &value, &origin);
    }
    section.write(Some(name), out)
}

fn step(step: &Step) -> String {
    let mut parts = Vec::new();
    if !step.approved {
        parts.push("approved = false".to_owned());
    }
    parts.extend(step.min_bits.map(|bits| format!("min_bits = {bits}")));
    parts.extend(step.until.map(|day| format!("until = {day}")));
    if parts.is_empty() {
        parts.push("approved = true".to_owned());
    }
    format!("{{ {} }}", parts.join(", "))
}

fn severities(policy: &Policy, out: &mut impl Write) -> io::Result<()> {
    let mut section = Section::default();
    for (word, flag) in flag_words() {
        match policy.severities.get(&flag) {
            Some(severity) => {
                let origin = policy.origin(&format!("severities.{word}"));
                section.line(word, &quoted(severity.as_str()), &origin);
            }
            // As a value it would take the place of the degrees that some flags have.
            None => section.unset(
                word,
                &quoted(default_severity(flag).as_str()),
                "built in, or by degree",
            ),
        }
    }
    section.write(Some("severities"), out)?;
    for (class_word, class) in class_words() {
        let mut section = Section::default();
        for (word, flag) in flag_words() {
            if let Some(severity) = policy.class_severities.get(&(class, flag)) {
                let origin = policy.origin(&format!("severities.{class_word}.{word}"));
                section.line(word, &quoted(severity.as_str()), &origin);
            }
        }
        if !section.0.is_empty() {
            section.write(Some(&format!("severities.{class_word}")), out)?;
        }
    }
    Ok(())
}

fn place(rule: &PlaceRule, out: &mut impl Write) -> io::Result<()> {
    let mut section = Section::default();
    let list = |words: Vec<String>| format!("[{}]", words.join(", "));
    let named = |known: Vec<&'static str>| list(known.into_iter().map(quoted).collect());
    if !rule.kinds.is_empty() {
        let words = kind_words()
            .into_iter()
            .filter(|(_, k)| rule.kinds.contains(k));
        section.line(
            "kinds",
            &named(words.map(|(w, _)| w).collect()),
            &rule.source,
        );
    }
    if !rule.types.is_empty() {
        let words = type_words()
            .into_iter()
            .filter(|(_, k)| rule.types.contains(k));
        section.line(
            "types",
            &named(words.map(|(w, _)| w).collect()),
            &rule.source,
        );
    }
    if let Some(environment) = &rule.environment {
        section.line("environment", &quoted(environment), &rule.source);
    }
    for (name, globs) in [("allow", &rule.allow), ("deny", &rule.deny)] {
        if !globs.is_empty() {
            let globs = globs.iter().map(|glob| quoted(glob)).collect();
            section.line(name, &list(globs), &rule.source);
        }
    }
    section.write(Some("[places]"), out)
}

fn exception(one: &Exception, out: &mut impl Write) -> io::Result<()> {
    let mut section = Section::default();
    let text = |value: &Option<String>| value.as_deref().map(quoted);
    let day = |value: Option<jiff::civil::Date>| value.map(|day| day.to_string());
    for (name, value) in [
        ("key", text(&one.key)),
        ("flag", one.flag.map(|flag| quoted(flag.as_str()))),
        ("location", text(&one.location)),
        ("reason", text(&one.reason)),
        ("ticket", text(&one.ticket)),
        ("requester", text(&one.requester)),
        ("approver", text(&one.approver)),
        ("from", day(one.from)),
        ("until", day(one.until)),
    ] {
        if let Some(value) = value {
            section.line(name, &value, &one.source);
        }
    }
    section.write(Some("[exceptions]"), out)
}

/// The lines of one table: name, value, and the comment behind it.
#[derive(Default)]
struct Section(Vec<(String, String, String)>);

impl Section {
    fn line(&mut self, name: &str, value: &str, origin: &str) {
        self.0
            .push((name.to_owned(), value.to_owned(), origin.to_owned()));
    }

    /// What is not set, as a comment that shows how it would be.
    fn unset(&mut self, name: &str, example: &str, origin: &str) {
        self.line(&format!("# {name}"), example, origin);
    }

    fn write(&self, name: Option<&str>, out: &mut impl Write) -> io::Result<()> {
        writeln!(out)?;
        if let Some(name) = name {
            writeln!(out, "[{name}]")?;
        }
        let width = |text: &str| text.chars().count();
        let names = self
            .0
            .iter()
            .map(|(name, ..)| width(name))
            .max()
            .unwrap_or(0);
        let lines: Vec<(String, &str)> = self
            .0
            .iter()
            .map(|(name, value, origin)| (format!("{name:<names$} = {value}"), origin.as_str()))
            .collect();
        let fitting = lines
            .iter()
            .map(|(line, _)| width(line))
            .filter(|w| *w <= ALIGN_MAX);
        let column = fitting.max().unwrap_or(0);
        for (line, origin) in lines {
            writeln!(out, "{line:<column$}  # {origin}")?;
        }
        Ok(())
    }
}

/// A name of a table, in quotes where TOML wants them.
fn key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if !name.is_empty() && name.chars().all(bare) {
        name.to_owned()
    } else {
        quoted(name)
    }
}

/// A basic string of TOML; control characters never reach a terminal as they are.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control()
                || matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') =>
            {
                out.push_str(&format!("\\u{:04X}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
