//! Dates and times in the spellings that exports have.
//!
//! `03/04/2026` is two dates. Which one is meant is settled over the whole column ([`Evidence`]); where it stays open no
//! date of that spelling is used. A time without zone counts as UTC, a date as its midnight UTC.

use super::heading::Order;
use crate::model::Moment;
use jiff::civil::{Date, Time};
use jiff::tz::Offset;

/// Why a cell gives no date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// It has no form that is known.
    Form,
    /// It has one, and there is no such day or time.
    Impossible,
    /// Day and month cannot be told apart.
    Undecided,
    /// The year has two digits.
    ShortYear,
    /// The zone's abbreviation is not known.
    Zone,
}

impl Fault {
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Form => "no date in a known form",
            Self::Impossible => "there is no such day or time",
            Self::Undecided => "day and month cannot be told apart",
            Self::ShortYear => "the year has two digits only",
            Self::Zone => "the time zone is not known",
        }
    }
}

/// What a column tells about the order of day and month.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Evidence {
    day_first: bool,
    month_first: bool,
    /// Some cell can be read both ways, with different outcomes.
    open: bool,
}

impl Evidence {
    /// Looks at one more cell of the column.
    pub(super) fn add(&mut self, cell: &str) {
        if iso(cell).is_some() {
            return;
        }
        let Some(Shape::Numbers { first, second, .. }) = split(cell).ok().map(|p| p.date) else {
            return;
        };
        self.day_first |= first > 12 && second <= 12;
        self.month_first |= second > 12 && first <= 12;
        self.open |= first <= 12 && second <= 12 && first != second;
    }

    /// Whether dates of the column cannot be used: nothing tells the order, or cells contradict each other.
    pub(super) const fn is_unsettled(self) -> bool {
        (self.open || (self.day_first && self.month_first)) && self.order().is_none()
    }

    /// The order, where the cells agree on one.
    pub(super) const fn order(self) -> Option<Order> {
        match (self.day_first, self.month_first) {
            (true, false) => Some(Order::DayFirst),
            (false, true) => Some(Order::MonthFirst),
            _ => None,
        }
    }
}

/// Reads a cell; `Ok(None)` where it says that there is no date.
pub(super) fn read(cell: &str, order: Option<Order>) -> Result<Option<Moment>, Fault> {
    let cell = cell.trim();
    if let Some(moment) = iso(cell) {
        return Ok(Some(moment));
    }
    if says_never(cell) {
        return Ok(None);
    }
    if let Some(moment) = digits(cell)? {
        return Ok(Some(moment));
    }
    let parts = split(cell)?;
    let date = parts.date.resolve(order)?;
    moment(date, parts.time, parts.offset).map(Some)
}

/// `2026-11-23`, `2026-11-23T10:00:00Z`, `2026-11-23 10:00:00`, as most exports have them; what is no such date is looked at
/// more closely.
fn iso(cell: &str) -> Option<Moment> {
    let bytes = cell.as_bytes();
    let number = |from: usize, to: usize| {
        bytes.get(from..to)?.iter().try_fold(0i16, |sum, byte| {
            byte.is_ascii_digit()
                .then(|| sum * 10 + i16::from(byte - b'0'))
        })
    };
    let is = |at: usize, any: &[u8]| bytes.get(at).is_some_and(|byte| any.contains(byte));
    if !is(4, b"-") || !is(7, b"-") {
        return None;
    }
    let date = day(number(0, 4)?, number(5, 7)?, number(8, 10)?).ok()?;
    let has_time = is(10, b"Tt ") && is(13, b":") && is(16, b":");
    let clock = match bytes.len() {
        10 => None,
        19 if has_time => Some(()),
        20 if has_time && is(19, b"Zz") => Some(()),
        _ => return None,
    };
    let clock = match clock {
        Some(()) => Some(time(number(11, 13)?, number(14, 16)?, number(17, 19)?, 0).ok()?),
        None => None,
    };
    moment(date, clock, Offset::UTC).ok()
}

fn says_never(cell: &str) -> bool {
    super::words::is_nothing(cell)
        || matches!(
            cell.to_ascii_lowercase().as_str(),
            "never"
                | "no expiry"
                | "no expiration"
                | "does not expire"
                | "never expires"
                | "unlimited"
                | "infinite"
                | "indefinite"
                | "permanent"
                | "forever"
                | "perpetual"
                | "0000-00-00"
                | "0000-00-00 00:00:00"
                | "not yet"
                | "no"
                | "0"
        )
}

fn moment(date: Date, time: Option<Time>, offset: Offset) -> Result<Moment, Fault> {
    offset
        .to_timestamp(date.to_datetime(time.unwrap_or_default()))
        .map(|at| Moment {
            at,
            has_time: time.is_some(),
        })
        .map_err(|_| Fault::Impossible)
}

/// Forms that are digits only: `20261123`, `20261123100000Z`, `261123100000Z`, seconds, milliseconds, days of a spreadsheet.
fn digits(cell: &str) -> Result<Option<Moment>, Fault> {
    let (number, zulu) = match cell.strip_suffix(['Z', 'z']) {
        Some(rest) => (rest, true),
        None => (cell, false),
    };
    if let Some((days, fraction)) = number.split_once(['.', ','])
        && days.len() == 5
        && !fraction.is_empty()
        && fraction.bytes().all(|b| b.is_ascii_digit())
    {
        return spreadsheet(days, Some(fraction)).map(Some);
    }
    if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(None);
    }
    let part = |from: usize, len: usize| {
        number
            .get(from..from + len)
            .and_then(|s| s.parse::<i16>().ok())
            .unwrap_or(-1)
    };
    let at = |year: i16, from: usize| -> Result<Date, Fault> {
        day(year, part(from, 2), part(from + 2, 2))
    };
    let clock = |from: usize| time(part(from, 2), part(from + 2, 2), part(from + 4, 2), 0);
    match (number.len(), zulu) {
        (8, false) => moment(at(part(0, 4), 4)?, None, Offset::UTC).map(Some),
        (14, _) => moment(at(part(0, 4), 4)?, Some(clock(8)?), Offset::UTC).map(Some),
        // UTCTime (RFC 5280, section 4.1.2.5.1): years from 50 on are of the last century.
        (12, true) => {
            let year = part(0, 2);
            let year = if year >= 50 { 1900 + year } else { 2000 + year };
            moment(at(year, 2)?, Some(clock(6)?), Offset::UTC).map(Some)
        }
        (9 | 10, false) => seconds(number, 1).map(Some),
        (12 | 13, false) => seconds(number, 1000).map(Some),
        (5, false) => spreadsheet(number, None).map(Some),
        _ => Err(Fault::Form),
    }
}

fn seconds(number: &str, per_second: i64) -> Result<Moment, Fault> {
    let value: i64 = number.parse().map_err(|_| Fault::Form)?;
    let at = jiff::Timestamp::from_second(value / per_second).map_err(|_| Fault::Impossible)?;
    Ok(Moment { at, has_time: true })
}

/// Days since 1899-12-30, as spreadsheets count; only from 2009 to 2064, else any five digits would be a date.
fn spreadsheet(days: &str, fraction: Option<&str>) -> Result<Moment, Fault> {
    let days: i64 = days.parse().map_err(|_| Fault::Form)?;
    if !(40_000..=60_000).contains(&days) {
        return Err(Fault::Form);
    }
    let mut numerator = 0i64;
    let mut denominator = 1i64;
    for digit in fraction.unwrap_or("").bytes().take(9) {
        numerator = numerator * 10 + i64::from(digit.saturating_sub(b'0'));
        denominator *= 10;
    }
    // 25,569 days lie between 1899-12-30 and 1970-01-01; rounded to the nearest second.
    let second = (days - 25_569) * 86_400 + (numerator * 86_400 + denominator / 2) / denominator;
    let at = jiff::Timestamp::from_second(second).map_err(|_| Fault::Impossible)?;
    Ok(Moment {
        at,
        has_time: numerator > 0,
    })
}

struct Parts {
    date: Shape,
    time: Option<Time>,
    offset: Offset,
}

/// A date before day and month are told apart.
enum Shape {
    Known { year: i16, month: i16, day: i16 },
    Numbers { first: i16, second: i16, year: i16 },
}

impl Shape {
    fn resolve(self, order: Option<Order>) -> Result<Date, Fault> {
        match self {
            Self::Known {
                year,
                month,
                day: d,
            } => day(year, month, d),
            Self::Numbers {
                first,
                second,
                year,
            } => match order {
                _ if first == second => day(year, first, second),
                Some(Order::DayFirst) => day(year, second, first),
                Some(Order::MonthFirst) => day(year, first, second),
                None => Err(Fault::Undecided),
            },
        }
    }
}

fn day(year: i16, month: i16, day: i16) -> Result<Date, Fault> {
    let (Ok(month), Ok(day)) = (i8::try_from(month), i8::try_from(day)) else {
        return Err(Fault::Impossible);
    };
    Date::new(year, month, day).map_err(|_| Fault::Impossible)
}

fn time(hour: i16, minute: i16, second: i16, nanosecond: i32) -> Result<Time, Fault> {
    // A leap second is the last of its minute.
    let second = if second == 60 { 59 } else { second };
    let (Ok(h), Ok(m), Ok(s)) = (
        i8::try_from(hour),
        i8::try_from(minute),
        i8::try_from(second),
    ) else {
        return Err(Fault::Impossible);
    };
    Time::new(h, m, s, nanosecond).map_err(|_| Fault::Impossible)
}

/// Takes a cell apart into date, time and zone; words may stand in any order, as `Nov 23 10:00:00 2026 GMT`.
fn split(cell: &str) -> Result<Parts, Fault> {
    if cell.len() > 80 {
        return Err(Fault::Form);
    }
    // `2026-11-23T10:00`: the T between two digits is a blank. An RFC 9557 zone in brackets repeats the offset.
    let cell = cell.split('[').next().unwrap_or(cell);
    let chars: Vec<char> = cell.chars().collect();
    let spaced: String = chars
        .iter()
        .enumerate()
        .map(|(i, c)| {
            let digit = |at: Option<usize>| {
                at.and_then(|at| chars.get(at))
                    .is_some_and(char::is_ascii_digit)
            };
            if matches!(c, 'T' | 't') && digit(i.checked_sub(1)) && digit(Some(i + 1)) {
                ' '
            } else {
                *c
            }
        })
        .collect();
    let mut dates: Vec<(&str, char)> = Vec::new();
    let mut clock: Option<&str> = None;
    let mut half: Option<bool> = None;
    let mut offset: Option<Offset> = None;
    for word in spaced.split(|c: char| c.is_whitespace() || matches!(c, ',' | '(' | ')')) {
        let lower = word.to_lowercase();
        if word.is_empty() || is_weekday(&lower) || lower == "at" {
            continue;
        }
        if clock.is_none() && word.contains(':') {
            let end = word
                .find(|c: char| !c.is_ascii_digit() && !matches!(c, ':' | '.'))
                .unwrap_or(word.len());
            let (digits, tail) = word.split_at(end);
            clock = Some(digits);
            match tail.to_lowercase().as_str() {
                "" => {}
                "am" | "pm" => half = Some(tail.eq_ignore_ascii_case("pm")),
                zone => offset = Some(zone_offset(zone).ok_or(Fault::Zone)?),
            }
        } else if matches!(lower.as_str(), "am" | "pm" | "a.m." | "p.m.") {
            half = Some(lower.starts_with('p'));
        } else if clock.is_some() && (word.starts_with('+') || word.starts_with('-')) {
            offset = Some(zone_offset(&lower).ok_or(Fault::Zone)?);
        } else if let Some(zone) = zone_offset(&lower) {
            offset = Some(zone);
        } else if clock.is_some()
            && word.len() <= 5
            && word.bytes().all(|b| b.is_ascii_alphabetic())
            && month(&lower).is_none()
        {
            return Err(Fault::Zone);
        } else {
            let separator = word
                .chars()
                .find(|c| matches!(c, '-' | '/' | '.'))
                .unwrap_or(' ');
            dates.extend(
                word.split(['-', '/', '.'])
                    .filter(|p| !p.is_empty())
                    .map(|p| (p, separator)),
            );
        }
    }
    Ok(Parts {
        date: date_shape(&dates)?,
        time: clock.map(|c| clock_time(c, half)).transpose()?,
        offset: offset.unwrap_or(Offset::UTC),
    })
}

fn date_shape(parts: &[(&str, char)]) -> Result<Shape, Fault> {
    let &[a, b, c] = parts else {
        return Err(Fault::Form);
    };
    let number = |p: (&str, char)| -> Result<i16, Fault> {
        let bare = p.0.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        // `23rd`, `1st`
        if bare.len() != p.0.len()
            && !matches!(p.0.get(bare.len()..), Some("st" | "nd" | "rd" | "th"))
        {
            return Err(Fault::Form);
        }
        if bare.len() > 4 {
            return Err(Fault::Form);
        }
        bare.parse().map_err(|_| Fault::Form)
    };
    let long = |p: (&str, char)| p.0.len() == 4;
    let names = [a, b, c].map(|p| month(&p.0.to_lowercase()));
    match names {
        [Some(m), None, None] if long(c) => Ok(Shape::Known {
            year: number(c)?,
            month: m,
            day: number(b)?,
        }),
        [None, Some(m), None] if long(c) => Ok(Shape::Known {
            year: number(c)?,
            month: m,
            day: number(a)?,
        }),
        [None, Some(m), None] if long(a) => Ok(Shape::Known {
            year: number(a)?,
            month: m,
            day: number(c)?,
        }),
        [None, None, None] if long(a) => Ok(Shape::Known {
            year: number(a)?,
            month: number(b)?,
            day: number(c)?,
        }),
        [None, None, None] if long(c) => {
            let (first, second, year) = (number(a)?, number(b)?, number(c)?);
            // With dots the day stands first wherever dates are written so.
            if a.1 == '.' {
                Ok(Shape::Known {
                    year,
                    month: second,
                    day: first,
                })
            } else {
                Ok(Shape::Numbers {
                    first,
                    second,
                    year,
                })
            }
        }
        [x, y, z] if x.is_some() || y.is_some() || z.is_some() => Err(Fault::ShortYear),
        _ if [a, b, c]
            .iter()
            .all(|p| p.0.len() <= 2 && p.0.bytes().all(|b| b.is_ascii_digit())) =>
        {
            Err(Fault::ShortYear)
        }
        _ => Err(Fault::Form),
    }
}

fn clock_time(text: &str, half: Option<bool>) -> Result<Time, Fault> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fields: Vec<i16> = whole
        .split(':')
        .map(|f| {
            if f.len() <= 2 {
                f.parse().map_err(|_| Fault::Form)
            } else {
                Err(Fault::Form)
            }
        })
        .collect::<Result<_, _>>()?;
    let (mut hour, minute, second) = match *fields.as_slice() {
        [h, m] => (h, m, 0),
        [h, m, s] => (h, m, s),
        _ => return Err(Fault::Form),
    };
    if let Some(afternoon) = half {
        if !(1..=12).contains(&hour) {
            return Err(Fault::Impossible);
        }
        hour = hour % 12 + if afternoon { 12 } else { 0 };
    }
    if !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Fault::Form);
    }
    let nanosecond = format!("{fraction:0<9}")
        .get(..9)
        .and_then(|s| s.parse().ok())
        .unwrap_or(0);
    time(hour, minute, second, nanosecond)
}

fn zone_offset(lower: &str) -> Option<Offset> {
    let hours = match lower {
        // RFC 5322, section 4.3, and Europe's, which exports there have.
        "z" | "utc" | "gmt" | "ut" | "wet" => 0,
        "est" => -5,
        "edt" => -4,
        "cst" => -6,
        "cdt" => -5,
        "mst" => -7,
        "mdt" => -6,
        "pst" => -8,
        "pdt" => -7,
        "cet" | "mez" | "bst" | "west" => 1,
        "cest" | "mesz" | "eet" => 2,
        "eest" => 3,
        _ => return signed_offset(lower),
    };
    Offset::from_seconds(hours * 3600).ok()
}

/// `+01:00`, `-0530`, `+01`, with `utc` or `gmt` before it or not.
fn signed_offset(lower: &str) -> Option<Offset> {
    let text = lower
        .strip_prefix("utc")
        .or_else(|| lower.strip_prefix("gmt"))
        .unwrap_or(lower);
    let (sign, rest) = match text.strip_prefix('+') {
        Some(rest) => (1, rest),
        None => (-1, text.strip_prefix('-')?),
    };
    let digits: String = rest.chars().filter(|c| *c != ':').collect();
    if !matches!(digits.len(), 2 | 4) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let hours: i32 = digits.get(..2)?.parse().ok()?;
    let minutes: i32 = digits
        .get(2..)
        .filter(|m| !m.is_empty())
        .map_or(Some(0), |m| m.parse().ok())?;
    (hours <= 15 && minutes < 60)
        .then(|| Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok())
        .flatten()
}

fn is_weekday(lower: &str) -> bool {
    [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ]
    .iter()
    .any(|d| lower == *d || d.get(..3) == Some(lower) || matches!(lower, "tues" | "thur" | "thurs"))
}

fn month(lower: &str) -> Option<i16> {
    const MONTHS: [(i16, &[&str]); 12] = [
        (1, &["jan", "january", "januar"]),
        (2, &["feb", "february", "februar"]),
        (3, &["mar", "march", "märz", "mär"]),
        (4, &["apr", "april"]),
        (5, &["may", "mai"]),
        (6, &["jun", "june", "juni"]),
        (7, &["jul", "july", "juli"]),
        (8, &["aug", "august"]),
        (9, &["sep", "sept", "september"]),
        (10, &["oct", "october", "okt", "oktober"]),
        (11, &["nov", "november"]),
        (12, &["dec", "december", "dez", "dezember"]),
    ];
    MONTHS
        .iter()
        .find(|(_, names)| names.contains(&lower))
        .map(|(m, _)| *m)
}

#[cfg(test)]
#[path = "dates_tests.rs"]
mod tests;
