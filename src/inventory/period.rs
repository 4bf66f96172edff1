//! How often a key must be rotated, in days.

use super::heading::Unit;

/// Days of a period: `90`, `90d`, `3 months`, `1 year`, `P90D`, `annual`, `quarterly`. A bare number has the column's unit,
/// or is days. A year has 365 days and a month a twelfth of it, so that 12 months are a year. `Ok(None)`: no rotation.
pub(super) fn days(cell: &str, unit: Option<Unit>) -> Result<Option<u32>, &'static str> {
    let lower = cell.trim().to_lowercase();
    let bare = lower
        .trim_start_matches("every ")
        .trim_start_matches("each ")
        .trim();
    if super::words::is_nothing(bare)
        || matches!(
            bare,
            "never" | "no rotation" | "no" | "not rotated" | "on demand" | "manual" | "0"
        )
    {
        return Ok(None);
    }
    if let Some(days) = by_name(&super::heading::compact(bare)) {
        return Ok(Some(days));
    }
    let text = match bare.strip_prefix('p') {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_digit() || c == 't') => rest,
        _ => bare,
    };
    if text.starts_with('-') {
        return Err("a period below nothing");
    }
    let hundredths = sum(text, unit.unwrap_or(Unit::Days))
        .ok_or("no period: a number of days, weeks, months or years is expected")?;
    // Parts of a day count as a day: a period must not become longer than none at all.
    let days = hundredths.div_ceil(100);
    match u32::try_from(days) {
        Ok(0) => Ok(None),
        Ok(days) if days <= 36_500 => Ok(Some(days)),
        _ => Err("a period of more than a hundred years"),
    }
}

fn by_name(word: &str) -> Option<u32> {
    Some(match word {
        "daily" | "day" => 1,
        "weekly" | "week" => 7,
        "biweekly" | "fortnightly" => 14,
        "monthly" | "month" => 30,
        "bimonthly" => 60,
        "quarterly" | "quarter" => 91,
        "semiannual" | "semiannually" | "halfyearly" | "biannual" | "biannually" | "twiceayear" => {
            182
        }
        "annual" | "annually" | "yearly" | "year" | "oneyear" => 365,
        "biennial" | "biennially" => 730,
        "triennial" => 1095,
        _ => return None,
    })
}

/// The sum of pairs of number and unit, in hundredths of a day; blanks, commas and `and` may stand between.
fn sum(text: &str, default: Unit) -> Option<u64> {
    let mut total = 0u64;
    let mut rest = text.trim();
    let mut in_time = false;
    let mut seen = false;
    while !rest.is_empty() {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '-');
        for filler in ["and ", "& "] {
            rest = rest.strip_prefix(filler).unwrap_or(rest);
        }
        if let Some(after) = rest
            .strip_prefix('t')
            .filter(|r| r.starts_with(|c: char| c.is_ascii_digit()))
        {
            in_time = true;
            rest = after;
        }
        let end = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let (number, tail) = rest.split_at(end);
        let tail = tail.trim_start_matches([' ', '-']);
        let end = tail
            .find(|c: char| !c.is_alphabetic())
            .unwrap_or(tail.len());
        let (word, after) = tail.split_at(end);
        let (word, after) = match word.split_once('t') {
            // `P1DT12H`
            Some((front, ""))
                if after.starts_with(|c: char| c.is_ascii_digit()) && front.len() == 1 =>
            {
                in_time = true;
                (front, after)
            }
            _ => (word, after),
        };
        let unit = match word {
            "" => default,
            "h" | "hr" | "hrs" | "hour" | "hours" => Unit::Hours,
            "d" | "day" | "days" => Unit::Days,
            "w" | "wk" | "wks" | "week" | "weeks" => Unit::Weeks,
            "m" | "mo" | "mos" | "mon" | "month" | "months" if !in_time => Unit::Months,
            "y" | "yr" | "yrs" | "year" | "years" | "a" => Unit::Years,
            _ => return None,
        };
        total = total.checked_add(in_hundredths(number, unit)?)?;
        seen = true;
        rest =
            after.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, ',' | '.' | ';'));
    }
    seen.then_some(total)
}

fn in_hundredths(number: &str, unit: Unit) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.len() > 7 || fraction.len() > 9 {
        return None;
    }
    let whole: u64 = whole.parse().ok()?;
    let hundredths = format!("{fraction:0<2}").get(..2)?.parse::<u64>().ok()?;
    let value = whole * 100 + hundredths;
    Some(match unit {
        Unit::Hours => value.div_ceil(24),
        Unit::Days => value,
        Unit::Weeks => value * 7,
        // Whole days, so that three months are 91 days and not 91.25, which would be rounded up.
        Unit::Months => value * 365 / 12 / 100 * 100,
        Unit::Years => value * 365,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_in_all_spellings() {
        for (cell, expected) in [
            ("90", 90),
            ("90d", 90),
            ("90 days", 90),
            ("90.0", 90),
            ("Every 90 days", 90),
            ("P90D", 90),
            ("3 months", 91),
            ("P3M", 91),
            ("6mo", 182),
            ("12 months", 365),
            ("1 year", 365),
            ("2yrs", 730),
            ("P1Y", 365),
            ("P1Y6M", 547),
            ("1 year, 6 months", 547),
            ("annual", 365),
            ("Yearly", 365),
            ("quarterly", 91),
            ("monthly", 30),
            ("P12W", 84),
            ("26 weeks", 182),
            ("36h", 2),
            ("PT24H", 1),
            ("P1DT12H", 2),
            ("1.5 years", 548),
        ] {
            assert_eq!(days(cell, None), Ok(Some(expected)), "{cell}");
        }
        assert_eq!(days("3", Some(Unit::Months)), Ok(Some(91)));
        assert_eq!(days("1", Some(Unit::Years)), Ok(Some(365)));
        assert_eq!(days("90 days", Some(Unit::Years)), Ok(Some(90)));
    }

    #[test]
    fn none_and_nonsense() {
        for cell in ["never", "n/a", "-", "0", "manual"] {
            assert_eq!(days(cell, None), Ok(None), "{cell}");
        }
        for cell in [
            "soon",
            "-5",
            "90 bananas",
            "99999 years",
            "1e9",
            "P",
            "PT5M",
            "99999999999999999999",
        ] {
            assert!(days(cell, None).is_err(), "{cell}");
        }
    }
}
