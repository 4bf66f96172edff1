//! Days and periods, in UTC.

use crate::model::Moment;
use jiff::Timestamp;

const DAY: i64 = 86_400;

/// The day as `YYYY-MM-DD`.
pub(super) fn day(at: Timestamp) -> String {
    let text = at.to_string();
    text.split('T').next().unwrap_or(&text).to_owned()
}

/// The number of a day, counted from 1970-01-01.
pub(super) fn day_number(at: Timestamp) -> i64 {
    at.as_second().div_euclid(DAY)
}

/// A time, some days later.
pub(super) fn plus_days(at: Timestamp, days: u32) -> Timestamp {
    Timestamp::from_second(
        at.as_second()
            .saturating_add(i64::from(days).saturating_mul(DAY)),
    )
    .unwrap_or(Timestamp::MAX)
}

/// A time, some hours later, or earlier.
pub(super) fn plus_hours(at: Timestamp, hours: i64) -> Timestamp {
    let second = at.as_second().saturating_add(hours.saturating_mul(3_600));
    Timestamp::from_second(second).unwrap_or(if hours < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}

/// Whether a row's moment lies behind: a date without a time passes when its day is over.
pub(super) fn passed(moment: Moment, now: Timestamp) -> bool {
    if moment.has_time {
        now > moment.at
    } else {
        day_number(now) > day_number(moment.at)
    }
}

/// Whether a row's moment and an instant are the same: by day where the row has no time, else by second.
pub(super) fn agree(moment: Moment, at: Timestamp) -> bool {
    if moment.has_time {
        moment.at.as_second() == at.as_second()
    } else {
        day_number(moment.at) == day_number(at)
    }
}

/// `2026-01-31, 297 days ago` or `2026-12-05, in 12 days`; days are counted by the calendar.
pub(super) fn day_and_distance(at: Timestamp, now: Timestamp) -> String {
    let days = day_number(now) - day_number(at);
    let distance = match days {
        0 => "today".to_owned(),
        1 => "1 day ago".to_owned(),
        -1 => "in 1 day".to_owned(),
        d if d > 0 => format!("{d} days ago"),
        d => format!("in {} days", d.unsigned_abs()),
    };
    format!("{}, {distance}", day(at))
}

/// Whether more than this share of a lifetime remains, in percent.
pub(super) fn more_remains_than(
    percent: u32,
    from: Option<Timestamp>,
    until: Timestamp,
    now: Timestamp,
) -> bool {
    let Some(from) = from else { return false };
    let life = i128::from(until.as_second()) - i128::from(from.as_second());
    let rest = i128::from(until.as_second()) - i128::from(now.as_second());
    life > 0 && rest * 100 > life * i128::from(percent)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn distance_is_counted_in_calendar_days() {
        let now = at("2026-11-24T10:00:00Z");
        for (when, expected) in [
            ("2026-01-31T23:59:59Z", "2026-01-31, 297 days ago"),
            ("2026-11-24T00:00:00Z", "2026-11-24, today"),
            ("2026-11-23T23:00:00Z", "2026-11-23, 1 day ago"),
            ("2026-11-25T00:00:01Z", "2026-11-25, in 1 day"),
            ("2026-12-06T00:00:00Z", "2026-12-06, in 12 days"),
        ] {
            assert_eq!(day_and_distance(at(when), now), expected);
        }
    }

    #[test]
    fn a_date_without_time_passes_when_its_day_is_over() {
        let date = Moment {
            at: at("2026-11-24T00:00:00Z"),
            has_time: false,
        };
        let time = Moment {
            has_time: true,
            ..date
        };
        assert!(!passed(date, at("2026-11-24T23:59:59Z")));
        assert!(passed(date, at("2026-11-25T00:00:00Z")));
        assert!(!passed(time, at("2026-11-24T00:00:00Z")));
        assert!(passed(time, at("2026-11-24T00:00:01Z")));
    }

    #[test]
    fn a_quarter_of_ninety_days_is_twenty_two_and_a_half() {
        let from = at("2026-01-01T00:00:00Z");
        let until = plus_days(from, 90);
        assert!(more_remains_than(
            25,
            Some(from),
            until,
            plus_days(from, 67)
        ));
        assert!(!more_remains_than(
            25,
            Some(from),
            until,
            plus_days(from, 68)
        ));
        assert!(!more_remains_than(25, None, until, from));
    }
}
