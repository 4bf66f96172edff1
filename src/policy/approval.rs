//! Which algorithms, sizes, curves and hashes are approved, and until when.

use jiff::civil::Date;
use std::collections::BTreeMap;

/// What is asked of an algorithm up to a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Whether it may be used at all.
    pub approved: bool,
    /// The smallest size that may be used, in bits.
    pub min_bits: Option<u32>,
    /// The last day on which this holds; without one it holds from then on.
    pub until: Option<Date>,
}

impl Step {
    /// Not approved, without end.
    pub const FORBIDDEN: Self = Self {
        approved: false,
        min_bits: None,
        until: None,
    };

    /// At least so many bits, until a day or without end.
    pub const fn at_least(bits: u32, until: Option<Date>) -> Self {
        Self {
            approved: true,
            min_bits: Some(bits),
            until,
        }
    }
}

/// Algorithms by name, each with its steps in order of time. What has no name here is approved, unless `others` says
/// something else.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Steps(pub BTreeMap<String, Vec<Step>>);

/// The name that stands for whatever is not named.
pub const OTHERS: &str = "others";

/// What policy asks on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demand {
    /// Whether it may be used at all.
    pub approved: bool,
    /// The smallest size that may be used, in bits.
    pub min_bits: Option<u32>,
    /// The day from which this holds, where something else held before.
    pub since: Option<Date>,
}

impl Steps {
    /// What is asked on a day of the first of these names that is known, else of `others`.
    pub fn demand(&self, names: &[&str], today: Date) -> Option<Demand> {
        let steps = names.iter().find_map(|name| self.named(name));
        steps
            .or_else(|| self.0.get(OTHERS))
            .map(|steps| in_force(steps, today))
    }

    /// The names that are not approved on a day, with what is asked.
    pub fn forbidden(&self, today: Date) -> impl Iterator<Item = (&str, Demand)> {
        self.0.iter().filter_map(move |(name, steps)| {
            let demand = in_force(steps, today);
            (!demand.approved && name != OTHERS).then_some((name.as_str(), demand))
        })
    }

    /// The steps of a name: written the same but for case and punctuation, or by the longest beginning before a `*`.
    fn named(&self, name: &str) -> Option<&Vec<Step>> {
        let of_beginning = |key: &str| {
            let mut rest = letters(name);
            let beginning = letters(key.strip_suffix('*')?);
            let mut length = 0;
            for letter in beginning {
                if rest.next() != Some(letter) {
                    return None;
                }
                length += 1;
            }
            Some(length)
        };
        let exact = self.0.iter().find(|(key, _)| {
            !key.ends_with('*') && *key != OTHERS && letters(key).eq(letters(name))
        });
        exact.map(|(_, steps)| steps).or_else(|| {
            let fits = |(key, steps): (&String, _)| Some((of_beginning(key)?, steps));
            let best = self.0.iter().filter_map(fits);
            best.max_by_key(|(length, _): &(usize, _)| *length)
                .map(|(_, steps)| steps)
        })
    }
}

/// The first step that has not ended; behind the last one nothing is approved.
fn in_force(steps: &[Step], today: Date) -> Demand {
    let mut since = None;
    for step in steps {
        if step.until.is_none_or(|until| today <= until) {
            return Demand {
                approved: step.approved,
                min_bits: step.min_bits,
                since,
            };
        }
        since = step.until.and_then(|until| until.tomorrow().ok());
    }
    Demand {
        approved: false,
        min_bits: None,
        since,
    }
}

/// A name in lower case, letters and digits only: `SHA-1` is `sha1`.
pub fn plain(name: &str) -> String {
    letters(name).map(char::from).collect()
}

fn letters(name: &str) -> impl Iterator<Item = u8> {
    let bytes = name.bytes().filter(u8::is_ascii_alphanumeric);
    bytes.map(|b| b.to_ascii_lowercase())
}

/// From which day on keys must withstand a quantum computer; absent: not asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PostQuantum {
    /// Keys that sign or authenticate.
    pub signature_from: Option<Date>,
    /// Keys that only encrypt or agree on keys: what is recorded today can be read later.
    pub encryption_from: Option<Date>,
}

/// All that policy says of algorithms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approvals {
    /// Keys by algorithm, as records name it; RSASSA-PSS and RSAES-OAEP are `RSA`, `symmetric` is any symmetric key that is not named.
    pub keys: Steps,
    /// Named curves.
    pub curves: Steps,
    /// Hashes in the signatures of certificates.
    pub hashes: Steps,
    /// Keys that SSH uses: asked beside `keys`.
    pub ssh: Steps,
    /// Demands on all asymmetric keys.
    pub post_quantum: PostQuantum,
}

/// NIST SP 800-57 part 1, table 4, and SP 800-131A: a strength of 112 bits is acceptable through 2030.
const STRENGTH_112_UNTIL: Date = jiff::civil::date(2030, 12, 31);

impl Default for Approvals {
    fn default() -> Self {
        let sizes = |now, later| {
            vec![
                Step::at_least(now, Some(STRENGTH_112_UNTIL)),
                Step::at_least(later, None),
            ]
        };
        let forbidden = |name: &str| (name.to_owned(), vec![Step::FORBIDDEN]);
        let mut keys: BTreeMap<_, _> = ["DSA", "DES", "RC2", "RC4"].map(forbidden).into();
        keys.insert("RSA".to_owned(), sizes(2048, 3072));
        keys.insert("EC".to_owned(), sizes(224, 256));
        keys.insert("symmetric".to_owned(), sizes(112, 128));
        Self {
            keys: Steps(keys),
            curves: Steps::default(),
            hashes: Steps(["MD2", "MD4", "MD5", "SHA-1"].map(forbidden).into()),
            ssh: Steps::default(),
            post_quantum: PostQuantum::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_step_ends_with_its_day() {
        let keys = Approvals::default().keys;
        let bits = |day| keys.demand(&["RSA"], day).unwrap();
        assert_eq!(bits(date(2030, 12, 31)).min_bits, Some(2048));
        assert_eq!(bits(date(2030, 12, 31)).since, None);
        assert_eq!(bits(date(2031, 1, 1)).min_bits, Some(3072));
        assert_eq!(bits(date(2031, 1, 1)).since, Some(date(2031, 1, 1)));
    }

    #[test]
    fn behind_the_last_step_nothing_is_approved() {
        let step = Step {
            approved: true,
            min_bits: None,
            until: Some(date(2026, 6, 30)),
        };
        let hashes = Steps([("SHA-224".to_owned(), vec![step])].into());
        let approved = |day| hashes.demand(&["sha224"], day).unwrap().approved;
        assert!(approved(date(2026, 6, 30)) && !approved(date(2026, 7, 1)));
        assert_eq!(hashes.demand(&["SHA-256"], date(2026, 7, 1)), None);
        assert_eq!(hashes.forbidden(date(2026, 6, 30)).count(), 0);
        assert_eq!(hashes.forbidden(date(2026, 7, 1)).count(), 1);
    }

    #[test]
    fn names_are_found_exactly_then_by_their_beginning_then_by_others() {
        let table = Steps(
            [
                ("ML-DSA*".to_owned(), vec![Step::at_least(1, None)]),
                ("ML-DSA-44".to_owned(), vec![Step::at_least(2, None)]),
                ("others".to_owned(), vec![Step::FORBIDDEN]),
            ]
            .into(),
        );
        let bits = |name: &str| table.demand(&[name], date(2026, 1, 1)).unwrap().min_bits;
        assert_eq!(bits("ML-DSA-44"), Some(2));
        assert_eq!(bits("ML-DSA-87"), Some(1));
        assert_eq!(bits("DSA"), None);
        // The word for the rest is no name.
        assert!(
            !table
                .demand(&["others"], date(2026, 1, 1))
                .unwrap()
                .approved
        );
    }
}
