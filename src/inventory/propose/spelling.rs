//! How a column spells its values, by the cells that it has: digits, dates, sizes, lists.

use crate::inventory::dates;
use crate::inventory::heading::Order;
use crate::inventory::words::is_nothing;
use std::collections::HashMap;

/// Most cells of a column that are looked at.
const LOOK_AT: usize = 2_000;

/// The value that occurs most often, of equal ones the first.
pub(super) fn most_common<T: Eq + std::hash::Hash>(
    values: impl IntoIterator<Item = T>,
) -> Option<T> {
    let mut counts: HashMap<T, (usize, usize)> = HashMap::new();
    for (at, value) in values.into_iter().take(LOOK_AT).enumerate() {
        counts.entry(value).or_insert((0, at)).0 += 1;
    }
    counts
        .into_iter()
        .max_by_key(|(_, (count, at))| (*count, std::cmp::Reverse(*at)))
        .map(|(value, _)| value)
}

/// How hexadecimal digits are written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Digits {
    /// What stands before them (`SHA1 Fingerprint=`).
    before: String,
    /// What stands between two of them.
    between: Option<char>,
    upper: bool,
}

impl Digits {
    /// The spelling of a cell, and how many digits it has; `None` where it is none of digits alone.
    pub(super) fn of(cell: &str) -> Option<(Self, usize)> {
        let cell = cell.trim();
        let is_digit = |c: char| c.is_ascii_hexdigit() || matches!(c, ':' | ' ' | '-');
        let start = cell
            .char_indices()
            .rev()
            .take_while(|(_, c)| is_digit(*c))
            .last()
            .map(|(at, _)| at)?;
        let (before, body) = cell.split_at(start);
        // The colon of `SHA256:` belongs to the label, and so does a letter of it that is a digit too.
        let label_end = if before.is_empty() {
            0
        } else {
            body.find([':', ' ', '=']).map_or(0, |at| {
                let first = body.get(..at).unwrap_or("");
                if first.len() == 2 { 0 } else { at + 1 }
            })
        };
        let (more, body) = body.split_at(label_end);
        let digits: Vec<char> = body.chars().filter(char::is_ascii_hexdigit).collect();
        if digits.len() < 8 {
            return None;
        }
        let separators: Vec<char> = body.chars().filter(|c| !c.is_ascii_hexdigit()).collect();
        let between = separators.first().copied();
        let even = separators.len() + 1 == digits.len().div_ceil(2);
        if between.is_some() && !even {
            return None;
        }
        let upper = digits.iter().any(char::is_ascii_uppercase);
        if upper && digits.iter().any(char::is_ascii_lowercase) {
            return None;
        }
        let before = format!("{before}{more}");
        Some((
            Self {
                before,
                between,
                upper,
            },
            digits.len(),
        ))
    }

    /// Writes lower-case digits without separators so.
    pub(super) fn write(&self, digits: &str) -> String {
        let digits = if self.upper {
            digits.to_ascii_uppercase()
        } else {
            digits.to_ascii_lowercase()
        };
        let mut out = self.before.clone();
        for (at, digit) in digits.chars().enumerate() {
            if let Some(between) = self.between
                && at > 0
                && at % 2 == 0
            {
                out.push(between);
            }
            out.push(digit);
        }
        out
    }
}

/// Forms of dates, as strftime has them.
const DATES: &[&str] = &[
    "%Y-%m-%d",
    "%Y-%m-%dT%H:%M:%SZ",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%dT%H:%M:%S+00:00",
    "%Y-%m-%d %H:%M:%S+00:00",
    "%Y-%m-%d %H:%M:%SZ",
    "%Y-%m-%d %H:%M:%S UTC",
    "%Y-%m-%dT%H:%M:%S.000Z",
    "%Y-%m-%dT%H:%M:%S.0000000Z",
    "%Y-%m-%dT%H:%M:%S.000+00:00",
    "%Y-%m-%d %H:%M",
    "%Y/%m/%d",
    "%d.%m.%Y",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%d/%m/%Y",
    "%d/%m/%Y %H:%M",
    "%d/%m/%Y %H:%M:%S",
    "%d-%m-%Y",
    "%m/%d/%Y",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %I:%M:%S %p",
    "%-d/%-m/%Y",
    "%-m/%-d/%Y",
    "%-m/%-d/%Y %-I:%M %p",
    "%-m/%-d/%Y %-I:%M:%S %p",
    "%-d.%-m.%Y",
    "%d %b %Y",
    "%-d %b %Y",
    "%d %B %Y",
    "%-d %B %Y",
    "%d-%b-%Y",
    "%b %e %H:%M:%S %Y GMT",
    "%b %d, %Y",
    "%b %-d, %Y",
    "%B %-d, %Y",
    "%a, %d %b %Y %H:%M:%S GMT",
    "%Y%m%d",
    "%Y%m%d%H%M%SZ",
    "%y%m%d%H%M%SZ",
    "%s",
    "%s000",
];

/// Writes a moment as the column's dates are written.
pub(super) fn date(at: jiff::Timestamp, cells: &[&str], order: Option<Order>) -> String {
    let at = jiff::Timestamp::from_second(at.as_second()).unwrap_or(at);
    let format = |form: &str, at: jiff::Timestamp| at.strftime(form).to_string();
    let forms = cells
        .iter()
        .take(LOOK_AT)
        .filter(|c| !is_nothing(c))
        .filter_map(|cell| {
            let moment = dates::read(cell, order).ok().flatten()?;
            let form = DATES
                .iter()
                .find(|form| format(form, moment.at) == cell.trim())?;
            Some(*form)
        });
    let chosen = most_common(forms).unwrap_or("%Y-%m-%d");
    // Only what is read back as the same is written: some forms have no seconds, or depend on an order that is not settled.
    let reads_back = |text: &String| {
        dates::read(text, order).ok().flatten().is_some_and(|m| {
            if m.has_time {
                m.at == at
            } else {
                m.at.as_second().div_euclid(86_400) == at.as_second().div_euclid(86_400)
            }
        })
    };
    [chosen, "%Y-%m-%dT%H:%M:%SZ"]
        .into_iter()
        .map(|form| format(form, at))
        .find(reads_back)
        .unwrap_or_else(|| format("%Y-%m-%d", at))
}

/// Writes a size as the column's sizes are written: what stands around the number stays.
pub(super) fn size(bits: u32, cells: &[&str]) -> String {
    let around = |cell: &str| {
        let start = cell.find(|c: char| c.is_ascii_digit())?;
        let tail = cell.get(start..)?;
        let end = tail
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(tail.len());
        // `256.0`, and names of algorithms, are not copied.
        let plain = |s: &str| matches!(s.trim(), "" | "bit" | "bits" | "Bit" | "Bits");
        let (before, after) = (cell.get(..start)?, tail.get(end..)?);
        (before.is_empty() && plain(after)).then(|| after.to_owned())
    };
    let after = most_common(cells.iter().filter_map(|c| around(c))).unwrap_or_default();
    format!("{bits}{after}")
}

/// What stands between the parts of cells that list several.
pub(super) fn separator(cells: &[&str]) -> Option<&'static str> {
    const KNOWN: &[&str] = &["\n", "; ", ";", ", ", ",", " | ", "|"];
    let seen = cells
        .iter()
        .filter_map(|cell| KNOWN.iter().copied().find(|s| cell.contains(s)));
    most_common(seen)
}

/// Text of found names for a cell: on one line, without control characters, bounded.
pub(super) fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(200)
        .collect::<String>()
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_take_the_spelling_of_others() {
        for (cell, expected) in [
            ("AB:CD:EF:01:23", "0A:1B:2C"),
            ("ab cd ef 01 23", "0a 1b 2c"),
            ("abcdef0123", "0a1b2c"),
            (
                "SHA1 Fingerprint=AB:CD:EF:01:23",
                "SHA1 Fingerprint=0A:1B:2C",
            ),
            ("sha256:abcdef0123", "sha256:0a1b2c"),
            ("0xABCDEF0123", "0x0A1B2C"),
        ] {
            let (spelling, count) = Digits::of(cell).unwrap();
            assert_eq!(
                (spelling.write("0a1b2c").as_str(), count),
                (expected, 10),
                "{cell}"
            );
        }
        for cell in [
            "SHA256:NcwpBhNuf81E1freRGe1IVFrNLEKKtMU8LTRhAAjR/g",
            "",
            "K-17",
        ] {
            assert_eq!(Digits::of(cell), None, "{cell}");
        }
    }

    #[test]
    fn dates_take_the_form_of_others_and_are_read_back() {
        let at: jiff::Timestamp = "2027-03-04T05:06:07Z".parse().unwrap();
        for (cells, order, expected) in [
            (&["2026-12-31"][..], None, "2027-03-04"),
            (&["31.12.2026"], Some(Order::DayFirst), "04.03.2027"),
            (&["12/31/2026"], Some(Order::MonthFirst), "03/04/2027"),
            (&["31 Dec 2026"], None, "04 Mar 2027"),
            (
                &["2026-12-31T10:00:00Z", "x", ""],
                None,
                "2027-03-04T05:06:07Z",
            ),
            (&["1798675200"], None, "1804136767"),
            // Without seconds it would be another moment.
            (&["2026-12-31 10:00"], None, "2027-03-04T05:06:07Z"),
            // Day and month cannot be told apart.
            (&["05/06/2026"], None, "2027-03-04"),
            (&[], None, "2027-03-04"),
        ] {
            assert_eq!(date(at, cells, order), expected, "{cells:?}");
        }
    }

    #[test]
    fn sizes_and_lists() {
        assert_eq!(size(4096, &["2048 bit", "256 bit"]), "4096 bit");
        assert_eq!(size(4096, &["RSA-2048"]), "4096");
        assert_eq!(separator(&["a", "b; c", "d"]), Some("; "));
        assert_eq!(separator(&["a"]), None);
        assert_eq!(plain("a\u{1b}[31m\nb"), "a [31m b");
    }
}
