//! A TOML file whose every value knows its line, and what is wrong with it there.

use super::PolicyError;
use jiff::civil::Date;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value with its place in the file.
pub(super) type Node<'i> = Spanned<DeValue<'i>>;

/// The file that is read.
pub(super) struct Document<'a> {
    /// What it is cited by.
    pub(super) name: &'a str,
    text: &'a str,
}

/// One member of a table.
pub(super) struct Member<'n, 'i> {
    pub(super) name: &'n str,
    pub(super) value: &'n Node<'i>,
    pub(super) line: usize,
}

impl<'a> Document<'a> {
    pub(super) const fn new(name: &'a str, text: &'a str) -> Self {
        Self { name, text }
    }

    /// Parses it.
    pub(super) fn parse(&self) -> Result<Spanned<DeTable<'a>>, PolicyError> {
        DeTable::parse(self.text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            self.fault_at(self.line(at), error.message())
        })
    }

    fn line(&self, at: usize) -> usize {
        let before = self.text.as_bytes().get(..at).unwrap_or_default();
        memchr::memchr_iter(b'\n', before).count() + 1
    }

    /// The line of a value.
    pub(super) fn line_of(&self, span: Range<usize>) -> usize {
        self.line(span.start)
    }

    /// What is wrong on a line.
    pub(super) fn fault_at(&self, line: usize, reason: impl Into<String>) -> PolicyError {
        PolicyError::Value {
            file: self.name.to_owned(),
            line,
            reason: reason.into(),
        }
    }

    fn wrong(&self, node: &Node<'_>, what: &str, expected: &str) -> PolicyError {
        let seen = match node.get_ref() {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "an integer",
            DeValue::Float(_) => "a float",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date or time",
            DeValue::Array(_) => "an array",
            DeValue::Table(_) => "a table",
        };
        let line = self.line_of(node.span());
        self.fault_at(line, format!("{what} is {seen}, expected {expected}"))
    }

    /// The members of a table, in the order of the file.
    pub(super) fn members<'n, 'i>(&self, table: &'n DeTable<'i>) -> Vec<Member<'n, 'i>> {
        let mut members: Vec<_> = table.iter().collect();
        members.sort_by_key(|(key, _)| key.span().start);
        let member = |(key, value): (&'n Spanned<toml::de::DeString<'i>>, &'n Node<'i>)| Member {
            name: key.get_ref(),
            value,
            line: self.line_of(key.span()),
        };
        members.into_iter().map(member).collect()
    }

    /// A name that there is not, with those that there are.
    pub(super) fn unknown(
        &self,
        member: &Member<'_, '_>,
        where_: &str,
        known: &[&str],
    ) -> PolicyError {
        self.fault_at(
            member.line,
            format!(
                "{where_} has no {:?}; there are {}",
                member.name,
                known.join(", ")
            ),
        )
    }

    pub(super) fn table<'n, 'i>(
        &self,
        node: &'n Node<'i>,
        what: &str,
    ) -> Result<&'n DeTable<'i>, PolicyError> {
        match node.get_ref() {
            DeValue::Table(table) => Ok(table),
            _ => Err(self.wrong(node, what, "a table")),
        }
    }

    pub(super) fn array<'n, 'i>(
        &self,
        node: &'n Node<'i>,
        what: &str,
        of: &str,
    ) -> Result<Vec<&'n Node<'i>>, PolicyError> {
        match node.get_ref() {
            DeValue::Array(array) => Ok(array.iter().collect()),
            _ => Err(self.wrong(node, what, of)),
        }
    }

    /// A text that says something.
    pub(super) fn text(&self, node: &Node<'_>, what: &str) -> Result<String, PolicyError> {
        match node.get_ref() {
            DeValue::String(text) if !text.trim().is_empty() => Ok(text.trim().to_owned()),
            DeValue::String(_) => {
                Err(self.fault_at(self.line_of(node.span()), format!("{what} is empty")))
            }
            _ => Err(self.wrong(node, what, "a string")),
        }
    }

    pub(super) fn texts(&self, node: &Node<'_>, what: &str) -> Result<Vec<String>, PolicyError> {
        let list = self.array(node, what, "an array of strings")?;
        list.into_iter().map(|item| self.text(item, what)).collect()
    }

    pub(super) fn boolean(&self, node: &Node<'_>, what: &str) -> Result<bool, PolicyError> {
        match node.get_ref() {
            DeValue::Boolean(value) => Ok(*value),
            _ => Err(self.wrong(node, what, "true or false")),
        }
    }

    /// A whole number within a range.
    pub(super) fn number(
        &self,
        node: &Node<'_>,
        what: &str,
        range: std::ops::RangeInclusive<u32>,
    ) -> Result<u32, PolicyError> {
        let DeValue::Integer(integer) = node.get_ref() else {
            return Err(self.wrong(node, what, "an integer"));
        };
        u32::from_str_radix(integer.as_str(), integer.radix())
            .ok()
            .filter(|number| range.contains(number))
            .ok_or_else(|| {
                let (least, most) = range.into_inner();
                self.fault_at(
                    self.line_of(node.span()),
                    format!("{what} is {integer}, expected {least} to {most}"),
                )
            })
    }

    /// A date, as TOML has it or as a string.
    pub(super) fn date(&self, node: &Node<'_>, what: &str) -> Result<Date, PolicyError> {
        let text = match node.get_ref() {
            DeValue::Datetime(moment) => moment.to_string(),
            DeValue::String(text) => text.trim().to_owned(),
            _ => return Err(self.wrong(node, what, "a date such as 2026-12-31")),
        };
        // A time of day would be lost: an end counts to the end of its day.
        text.parse::<Date>()
            .ok()
            .filter(|_| text.len() == 10)
            .ok_or_else(|| {
                self.fault_at(
                    self.line_of(node.span()),
                    format!("{what} is no date such as 2026-12-31"),
                )
            })
    }

    /// One word of several.
    pub(super) fn word<T: Copy>(
        &self,
        node: &Node<'_>,
        what: &str,
        known: &[(&str, T)],
    ) -> Result<T, PolicyError> {
        let text = self.text(node, what)?;
        let found = known.iter().find(|(word, _)| *word == text);
        found.map(|(_, value)| *value).ok_or_else(|| {
            let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
            self.fault_at(
                self.line_of(node.span()),
                format!("{what} is {text:?}, expected one of {}", words.join(", ")),
            )
        })
    }
}
