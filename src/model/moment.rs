//! Times as records have them: RFC 3339 in UTC. The plain form, which is nearly every one, is read and written here; for any other the time library is asked.

use super::text::{Text, serialize_plain};
use jiff::Timestamp;
use serde::de::{self, Visitor};
use serde::{Deserializer, Serialize, Serializer};
use std::fmt;

const SECONDS_OF_DAY: i64 = 86_400;
/// 9999-12-31T23:59:59Z.
const LAST: i64 = 253_402_300_799;
/// Days from 0000-03-01, from which leap years are counted here, to 1970-01-01.
const DAYS_BEFORE_1970: i64 = 719_468;

/// The text of a time in the years from 1970 to 9999; none for others.
fn plain(moment: Timestamp) -> Option<Text<32>> {
    let second = moment.as_second();
    let fraction = moment.subsec_nanosecond();
    if !(0..=LAST).contains(&second) || fraction < 0 {
        return None;
    }
    let (year, month, day) = date(second / SECONDS_OF_DAY);
    let of_day = (second % SECONDS_OF_DAY).unsigned_abs();
    let mut text = Text::new();
    text.push_digits::<4>(year);
    text.push(b"-");
    text.push_digits::<2>(month);
    text.push(b"-");
    text.push_digits::<2>(day);
    text.push(b"T");
    text.push_digits::<2>(of_day / 3600);
    text.push(b":");
    text.push_digits::<2>(of_day / 60 % 60);
    text.push(b":");
    text.push_digits::<2>(of_day % 60);
    if fraction > 0 {
        let mut digits: Text<9> = Text::new();
        digits.push_digits::<9>(u64::from(fraction.unsigned_abs()));
        text.push(b".");
        let mut digits = digits.as_bytes()?;
        while let [some @ .., b'0'] = digits {
            digits = some;
        }
        text.push(digits);
    }
    text.push(b"Z");
    Some(text)
}

/// Year, month and day of a day since 1970-01-01 in the Gregorian calendar.
const fn date(days: i64) -> (u64, u64, u64) {
    // Years start in March here, so that the leap day is their last.
    let days = (days + DAYS_BEFORE_1970).unsigned_abs();
    let era = days / 146_097;
    let of_era = days % 146_097;
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    let year = era * 400 + year_of_era + (month <= 2) as u64;
    (year, month, day)
}

/// Days since 1970-01-01 of a date; none if there is no such date.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=length).contains(&day) {
        return None;
    }
    let year = year - i64::from(month <= 2);
    let from_march = (month + 9) % 12;
    let of_year = (153 * from_march + 2) / 5 + day - 1;
    Some(year * 365 + year / 4 - year / 100 + year / 400 + of_year - DAYS_BEFORE_1970)
}

/// A time of the plain form, `2026-11-24T12:00:00Z` or with a fraction of up to nine digits.
fn read_plain(text: &str) -> Option<Timestamp> {
    let (whole, rest) = text.as_bytes().split_first_chunk::<19>()?;
    let mut wrong = false;
    let mut number = |places: &[u8]| {
        places.iter().fold(0, |number, byte| {
            let digit = byte.wrapping_sub(b'0');
            wrong |= digit > 9;
            number * 10 + i64::from(digit)
        })
    };
    let [
        y1,
        y2,
        y3,
        y4,
        b'-',
        mo1,
        mo2,
        b'-',
        d1,
        d2,
        b'T',
        h1,
        h2,
        b':',
        mi1,
        mi2,
        b':',
        s1,
        s2,
    ] = *whole
    else {
        return None;
    };
    let (year, month, day) = (
        number(&[y1, y2, y3, y4]),
        number(&[mo1, mo2]),
        number(&[d1, d2]),
    );
    let (hour, minute, second) = (number(&[h1, h2]), number(&[mi1, mi2]), number(&[s1, s2]));
    let fraction = match rest {
        b"Z" => 0,
        [b'.', digits @ .., b'Z'] if matches!(digits.len(), 1..=9) => {
            let missing = u32::try_from(9 - digits.len()).ok()?;
            number(digits) * 10i64.pow(missing)
        }
        _ => return None,
    };
    if wrong || year < 1970 || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let of_day = hour * 3600 + minute * 60 + second;
    let second = days(year, month, day)? * SECONDS_OF_DAY + of_day;
    Timestamp::new(second, i32::try_from(fraction).ok()?).ok()
}

/// Reads a time of any form that the time library knows.
pub(super) fn read(text: &str) -> Result<Timestamp, jiff::Error> {
    read_plain(text).map_or_else(|| text.parse(), Ok)
}

/// A time, written as such.
struct Written(Timestamp);

impl Serialize for Written {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match plain(self.0).as_ref().and_then(Text::as_bytes) {
            Some(text) => serialize_plain(text, serializer),
            None => self.0.serialize(serializer),
        }
    }
}

/// For `#[serde(with)]`: writes a time that may be absent.
pub(super) fn serialize<S: Serializer>(
    moment: &Option<Timestamp>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match moment {
        Some(moment) => serializer.serialize_some(&Written(*moment)),
        None => serializer.serialize_none(),
    }
}

/// For `#[serde(with)]`: reads a time that may be absent.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Timestamp>, D::Error> {
    deserialize_by(d, |text| read(text).map_err(de::Error::custom))
}

/// Reads what may be absent and else is a text that `read` understands.
pub(super) fn deserialize_by<'de, D: Deserializer<'de>>(
    deserializer: D,
    read: fn(&str) -> Result<Timestamp, D::Error>,
) -> Result<Option<Timestamp>, D::Error> {
    deserializer.deserialize_option(Moment(read))
}

struct Moment<E>(fn(&str) -> Result<Timestamp, E>);

impl<'de, Error: de::Error> Visitor<'de> for Moment<Error> {
    type Value = Option<Timestamp>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a timestamp string")
    }

    fn visit_none<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        (self.0)(text).map(Some).map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(moment: Timestamp) -> String {
        let text = serde_json::to_string(&Written(moment)).unwrap();
        text.trim_matches('"').to_owned()
    }

    proptest! {
        #[test]
        fn times_are_as_the_time_library_has_them(
            second in prop_oneof![-377_705_023_201..=253_402_207_200i64, -100i64..100],
            fraction in prop_oneof![Just(0), 0..1_000_000_000i32, (0..1000i32).prop_map(|n| n * 1_000_000)],
        ) {
            let moment = Timestamp::new(second, fraction).unwrap();
            let text = moment.to_string();
            prop_assert_eq!(written(moment), text.clone());
            prop_assert_eq!(read(&text).unwrap(), moment);
        }

        #[test]
        fn what_is_read_is_what_the_time_library_reads(
            text in "(19|20)[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{0,10})?(Z|z|\\+00:00|)",
        ) {
            if let Some(moment) = read_plain(&text) {
                prop_assert_eq!(Some(moment), text.parse().ok());
            }
        }
    }

    #[test]
    fn every_day_is_one_after_the_other() {
        for day in 0..=LAST / SECONDS_OF_DAY - 1 {
            let moment = Timestamp::from_second(day * SECONDS_OF_DAY).unwrap();
            let text = plain(moment).unwrap();
            assert_eq!(read_plain(text.as_str().unwrap()), Some(moment));
        }
        assert!(read_plain("2023-02-29T00:00:00Z").is_none());
        assert!(read_plain("2024-02-29T00:00:00Z").is_some());
        assert!(read_plain("1900-01-01T00:00:00Z").is_none());
    }
}
