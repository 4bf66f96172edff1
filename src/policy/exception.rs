//! Exceptions: findings that somebody answers for until a day.

use super::owners::{Owners, spellings};
use crate::model::Flag;
use jiff::civil::Date;

/// One exception as it was written. What is lacking makes it broken, which is told as a finding and not as an error:
/// a list of many is not to stop a run for one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exception {
    /// A key id, a fingerprint in any usual spelling, or a row's id.
    pub key: Option<String>,
    /// What is excused.
    pub flag: Option<Flag>,
    /// Where: `host:/glob`, `/glob` on any host, a host, or `*`.
    pub location: Option<String>,
    /// Why it is accepted.
    pub reason: Option<String>,
    /// Where that was decided.
    pub ticket: Option<String>,
    /// Who asked.
    pub requester: Option<String>,
    /// Who agreed: somebody else.
    pub approver: Option<String>,
    /// Its first day; absent: it is in force already.
    pub from: Option<Date>,
    /// Its last day.
    pub until: Option<Date>,
    /// File and line.
    pub source: String,
}

impl Exception {
    /// What names it in a sentence: its ticket, else its place in the file.
    pub fn title(&self) -> String {
        match &self.ticket {
            Some(ticket) => format!("exception {ticket} ({})", self.source),
            None => format!("the exception in {}", self.source),
        }
    }

    /// Why it excuses nothing, whatever the day: a part is lacking, nobody else agreed, or it is longer than `longest` days,
    /// counted from its first day, else from today.
    pub fn fault(&self, owners: Option<&Owners>, today: Date, longest: u32) -> Option<String> {
        let lacking = [
            ("key", self.key.is_none()),
            ("flag", self.flag.is_none()),
            ("location", self.location.is_none()),
            ("reason", self.reason.is_none()),
            ("ticket", self.ticket.is_none()),
            ("requester", self.requester.is_none()),
            ("approver", self.approver.is_none()),
            ("end (until)", self.until.is_none()),
        ];
        let lacking: Vec<&str> = lacking
            .iter()
            .filter_map(|(name, lacks)| lacks.then_some(*name))
            .collect();
        if !lacking.is_empty() {
            return Some(format!("has no {}", lacking.join(", no ")));
        }
        let (requester, approver) = (self.requester.as_deref()?, self.approver.as_deref()?);
        if is_same_person(requester, approver, owners) {
            return Some(format!(
                "was approved by {approver}, who asked for it: requester and approver must differ"
            ));
        }
        let until = self.until?;
        let first = self.from.unwrap_or(today);
        if self.from.is_some_and(|from| until < from) {
            return Some(format!("ends on {until}, before it begins on {first}"));
        }
        let days = days_between(first, until);
        (days > i64::from(longest))
            .then(|| format!("runs for {days} days until {until}; policy allows {longest} at most"))
    }

    /// Whether its last day is over.
    pub fn has_ended(&self, today: Date) -> bool {
        self.until.is_some_and(|until| today > until)
    }

    /// Whether its first day has come.
    pub fn has_begun(&self, today: Date) -> bool {
        self.from.is_none_or(|from| from <= today)
    }
}

fn days_between(from: Date, until: Date) -> i64 {
    from.until(until)
        .map(|span| i64::from(span.get_days()))
        .unwrap_or(i64::MAX)
}

/// Whether two spellings mean one person: a name or address in common, or one line of the owners list.
fn is_same_person(one: &str, other: &str, owners: Option<&Owners>) -> bool {
    let other_spellings = spellings(other);
    spellings(one).iter().any(|s| other_spellings.contains(s))
        || owners.is_some_and(|list| list.are_one(one, other))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn sound() -> Exception {
        let text = |t: &str| Some(t.to_owned());
        Exception {
            key: text("K-1"),
            flag: Some(Flag::Exposed),
            location: text("web01:/srv/**"),
            reason: text("moves with the next release"),
            ticket: text("SEC-1"),
            requester: text("Ann Lee <ann@example.com>"),
            approver: text("Bob"),
            from: None,
            until: Some(date(2026, 12, 31)),
            source: "policy.toml:3".to_owned(),
        }
    }

    fn fault(exception: &Exception) -> Option<String> {
        exception.fault(None, date(2026, 11, 24), 90)
    }

    #[test]
    fn a_sound_one_has_no_fault() {
        assert_eq!(fault(&sound()), None);
    }

    #[test]
    fn every_part_is_needed() {
        let without: [fn(&mut Exception); 8] = [
            |e| e.key = None,
            |e| e.flag = None,
            |e| e.location = None,
            |e| e.reason = None,
            |e| e.ticket = None,
            |e| e.requester = None,
            |e| e.approver = None,
            |e| e.until = None,
        ];
        for (number, take) in without.iter().enumerate() {
            let mut e = sound();
            take(&mut e);
            assert!(fault(&e).unwrap().starts_with("has no "), "{number}");
        }
    }

    #[test]
    fn nobody_approves_what_they_asked_for() {
        for (approver, same) in [
            ("ann@EXAMPLE.com", true),
            (" ann  lee ", true),
            ("Lee, Ann <ann@example.com>", true),
            ("Ann Leer", false),
        ] {
            let e = Exception {
                approver: Some(approver.to_owned()),
                ..sound()
            };
            assert_eq!(fault(&e).is_some(), same, "{approver}");
        }
        // Two names of one line of the owners list.
        let list = Owners::from_bytes(
            "o.csv",
            b"name,mail\nRobert,bob@example.com\nAnn,ann@x.example\n",
        )
        .unwrap();
        let e = |approver: &str| Exception {
            requester: Some("Robert".to_owned()),
            approver: Some(approver.to_owned()),
            ..sound()
        };
        let by_list = |e: Exception| e.fault(Some(&list), date(2026, 11, 24), 90);
        assert!(by_list(e("bob@example.com")).is_some());
        assert!(by_list(e("ann@x.example")).is_none());
    }

    #[test]
    fn it_may_not_be_longer_than_policy_allows() {
        let e = |from, until| Exception {
            from,
            until: Some(until),
            ..sound()
        };
        assert_eq!(fault(&e(None, date(2027, 2, 22))), None);
        assert!(
            fault(&e(None, date(2027, 2, 23)))
                .unwrap()
                .contains("91 days")
        );
        assert_eq!(fault(&e(Some(date(2026, 10, 1)), date(2026, 12, 30))), None);
        assert!(fault(&e(Some(date(2026, 10, 1)), date(2026, 12, 31))).is_some());
        assert!(fault(&e(Some(date(2026, 10, 2)), date(2026, 10, 1))).is_some());
    }

    #[test]
    fn its_days_count_whole() {
        let e = Exception {
            from: Some(date(2026, 12, 1)),
            ..sound()
        };
        assert!(!e.has_begun(date(2026, 11, 30)) && e.has_begun(date(2026, 12, 1)));
        assert!(!e.has_ended(date(2026, 12, 31)) && e.has_ended(date(2027, 1, 1)));
    }
}
