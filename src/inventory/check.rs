//! What is doubtful in the rows of an export by themselves: nothing was swept for it.

use super::merge::{Level, keys_of};
use crate::model::{Entry, Inventory, Moment, RowFault, State};
use jiff::Timestamp;
use std::collections::HashMap;

/// What a list of owners says of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// There.
    Present,
    /// Gone, with the list's word.
    Gone(String),
    /// Not in the list.
    Unknown,
}

/// The faults of rows: dates that contradict each other or the state, owners that do not exist, two rows for one key.
pub fn row_faults(
    inventory: &Inventory,
    now: Timestamp,
    owner: &dyn Fn(&str) -> Owner,
) -> Vec<RowFault> {
    let mut out = Vec::new();
    let mut seen: HashMap<(Level, String), &Entry> = HashMap::new();
    for entry in &inventory.entries {
        let mut tell = |reason: String| {
            out.push(RowFault {
                source: entry.source.to_string(),
                column: None,
                reason,
                row_lost: false,
            });
        };
        dates(entry, now, &mut tell);
        match entry.owner.as_deref().map(owner) {
            Some(Owner::Gone(word)) => tell(format!("its owner is gone ({word})")),
            Some(Owner::Unknown) => tell("its owner is not in the list of owners".to_owned()),
            _ => {}
        }
        let mut told = false;
        let keys = keys_of(entry);
        let by_certificate = keys.iter().any(|(level, _)| *level == Level::Certificate);
        for key in keys {
            // Certificates of one key rightly have a row each.
            if key.0 == Level::Key && by_certificate {
                continue;
            }
            match seen.get(&key) {
                Some(first) if !told => {
                    told = true;
                    let what = match key.0 {
                        Level::Certificate => "certificate",
                        Level::Key => "key",
                    };
                    tell(format!(
                        "names the same {what} as {} ({})",
                        first.id, first.source
                    ));
                }
                Some(_) => {}
                None => {
                    seen.insert(key, entry);
                }
            }
        }
    }
    out
}

fn dates(entry: &Entry, now: Timestamp, tell: &mut dyn FnMut(String)) {
    let state = entry.state.unwrap_or(State::Active);
    let in_use = matches!(
        state,
        State::Active | State::Suspended | State::PreActivation
    );
    if let Some(end) = entry.expires.filter(|end| in_use && passed(*end, now)) {
        let stated = match entry.state {
            Some(state) => format!("its state is {}", state.as_str()),
            None => "it has no state, which counts as active".to_owned(),
        };
        tell(format!("{stated}, and it expired {}", day(end)));
    }
    if let Some(start) = entry.not_before
        && state == State::PreActivation
        && passed(start, now)
    {
        tell(format!(
            "its state is pre-activation, and it is valid since {}",
            day(start)
        ));
    }
    for (what, moment) in [
        ("created", entry.created),
        ("last rotated", entry.last_rotated),
    ] {
        if let Some(moment) = moment.filter(|m| m.at.as_second() > now.as_second() + 86_400) {
            tell(format!("its date {what} lies ahead: {}", day(moment)));
        }
    }
    for (what, before, after) in [
        ("it ends before it begins", entry.not_before, entry.expires),
        (
            "it was last rotated before it was made",
            entry.created,
            entry.last_rotated,
        ),
        (
            "it expires before it was made",
            entry.created,
            entry.expires,
        ),
    ] {
        if let (Some(before), Some(after)) = (before, after)
            && after.at.as_second() + 86_400 <= before.at.as_second()
        {
            tell(format!("{what}: {} and {}", day(before), day(after)));
        }
    }
}

/// A date without time passes when its day is over.
fn passed(moment: Moment, now: Timestamp) -> bool {
    let end = moment.at.as_second() + if moment.has_time { 0 } else { 86_399 };
    now.as_second() > end
}

fn day(moment: Moment) -> String {
    moment.at.to_string().chars().take(10).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::{ReadOptions, read_bytes};

    fn told(text: &str) -> Vec<String> {
        let options = ReadOptions {
            allow_partial: true,
            ..ReadOptions::default()
        };
        let inventory = read_bytes("r.csv", text.as_bytes(), &options).unwrap();
        let owner = |name: &str| match name {
            "anna" => Owner::Present,
            "carl" => Owner::Gone("left".to_owned()),
            _ => Owner::Unknown,
        };
        row_faults(&inventory, "2026-06-15T12:00:00Z".parse().unwrap(), &owner)
            .into_iter()
            .map(|f| format!("{} {}", f.source, f.reason))
            .collect()
    }

    #[test]
    fn dates_that_contradict_are_told() {
        let text = "id,state,not before,expires,created,last rotated,owner\n\
            1,active,2026-01-01,2026-06-14,,,anna\n\
            2,active,2026-01-01,2026-06-15,,,anna\n\
            3,revoked,2026-01-01,2026-06-14,,,anna\n\
            4,pre-activation,2026-06-14,2027-06-14,,,anna\n\
            5,pre-activation,2026-06-16,2027-06-14,,,anna\n\
            6,active,2027-01-01,2026-12-01,,,anna\n\
            7,active,,,2026-03-01,2026-02-01,anna\n\
            8,active,,,2026-03-01,2026-03-01,anna\n\
            9,active,,,2026-09-01,,anna\n";
        assert_eq!(
            told(text),
            [
                "r.csv:2 its state is active, and it expired 2026-06-14",
                "r.csv:5 its state is pre-activation, and it is valid since 2026-06-14",
                "r.csv:7 it ends before it begins: 2027-01-01 and 2026-12-01",
                "r.csv:8 it was last rotated before it was made: 2026-03-01 and 2026-02-01",
                "r.csv:10 its date created lies ahead: 2026-09-01",
            ]
        );
    }

    #[test]
    fn owners_and_second_rows_are_told() {
        let sha1 = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
        let ssh = "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU";
        let text = format!(
            "id,owner,thumbprint,ssh fingerprint\n\
             1,anna,{sha1},\n2,carl,,{ssh}\n3,dora,{},\n4,anna,,{ssh}\n5,,,\n",
            sha1.to_uppercase()
        );
        assert_eq!(
            told(&text),
            [
                "r.csv:3 its owner is gone (left)",
                "r.csv:4 its owner is not in the list of owners",
                "r.csv:4 names the same certificate as 1 (r.csv:2)",
                "r.csv:5 names the same key as 2 (r.csv:3)",
            ]
        );
    }
}
