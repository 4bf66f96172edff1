//! Dates as exports write them; the expected instants are by `date -u -d`.

use super::*;

fn at(text: &str, has_time: bool) -> Result<Option<Moment>, Fault> {
    Ok(Some(Moment {
        at: text.parse().unwrap(),
        has_time,
    }))
}

#[test]
fn dates_in_all_spellings() {
    for cell in [
        "2026-11-23",
        "2026/11/23",
        "20261123",
        "23.11.2026",
        "23-Nov-2026",
        "23 November 2026",
        "Nov 23, 2026",
        "November 23rd, 2026",
        "23. November 2026",
        "Mon, 23 Nov 2026",
        "2026-Nov-23",
        "23/11/2026",
        "46349",
    ] {
        assert_eq!(
            read(cell, Some(Order::DayFirst)),
            at("2026-11-23T00:00:00Z", false),
            "{cell}"
        );
    }
}

#[test]
fn times_in_all_spellings() {
    for cell in [
        "2026-11-23T10:00:00Z",
        "2026-11-23T11:00:00+01:00",
        "2026-11-23 10:00",
        "2026-11-23 10:00:00.000",
        "2026-11-23 10:00:00 UTC",
        "2026-11-23 05:00:00 -0500",
        "Nov 23 10:00:00 2026 GMT",
        "Mon Nov 23 10:00:00 2026",
        "Mon Nov 23 11:00:00 CET 2026",
        "Mon, 23 Nov 2026 10:00:00 +0000",
        "23.11.2026 10:00",
        "11/23/2026 10:00:00 AM",
        "20261123100000Z",
        "20261123100000",
        "261123100000Z",
        "1795428000",
        "1795428000000",
        "2026-11-23T11:00:00+01:00[Europe/Berlin]",
        "23-Nov-2026 10:00:00",
    ] {
        assert_eq!(
            read(cell, Some(Order::MonthFirst)),
            at("2026-11-23T10:00:00Z", true),
            "{cell}"
        );
    }
    assert_eq!(
        read("11/23/2026 11:59 PM", Some(Order::MonthFirst)),
        at("2026-11-23T23:59:00Z", true)
    );
    assert_eq!(read("46349.5", None), at("2026-11-23T12:00:00Z", true));
    assert_eq!(
        read("991231235959Z", None),
        at("1999-12-31T23:59:59Z", true)
    );
}

#[test]
fn no_date_is_none() {
    for cell in ["never", "N/A", "-", "", "  ", "None", "does not expire"] {
        assert_eq!(read(cell, None), Ok(None), "{cell}");
    }
}

#[test]
fn wrong_dates_say_why() {
    for (cell, fault) in [
        ("2026-02-30", Fault::Impossible),
        ("31.11.2026", Fault::Impossible),
        ("2026-11-23 25:00", Fault::Impossible),
        ("04/05/2026", Fault::Undecided),
        ("23.11.26", Fault::ShortYear),
        ("23-Nov-26", Fault::ShortYear),
        ("soon", Fault::Form),
        ("12345", Fault::Form),
        ("2026-11-23 10:00 XYZ", Fault::Zone),
    ] {
        assert_eq!(read(cell, None), Err(fault), "{cell}");
    }
}

#[test]
fn order_is_settled_over_the_column() {
    let order = |cells: &[&str]| {
        let mut evidence = Evidence::default();
        cells.iter().for_each(|c| evidence.add(c));
        (evidence.order(), evidence.open)
    };
    assert_eq!(
        order(&["04/05/2026", "31/12/2026"]),
        (Some(Order::DayFirst), true)
    );
    assert_eq!(
        order(&["04/05/2026", "12/31/2026 10:00"]),
        (Some(Order::MonthFirst), true)
    );
    assert_eq!(order(&["04-05-2026", "2026-12-31"]), (None, true));
    assert_eq!(order(&["31/12/2026", "12/31/2026"]), (None, false));
    assert_eq!(order(&["05/05/2026"]), (None, false));
    assert_eq!(read("05/05/2026", None), at("2026-05-05T00:00:00Z", false));
}
