//! Which column stands for which field: the user's word first, then the header's meaning.

use super::InventoryError;
use super::columns::{Field, Rank};
use super::heading::{self, Hints, compact};
use super::hush::{names_a_secret, quoted};
use super::profile::{self, Profile};

/// What a column is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// It stands for a field.
    Field(Field, Hints),
    /// It is kept as it is.
    Extra,
    /// It holds secrets by its name: nothing of it is kept.
    Secret,
}

/// The use of every column, and what is to be told about it.
#[derive(Debug)]
pub(super) struct Mapping {
    pub(super) uses: Vec<Use>,
    pub(super) remarks: Vec<(String, String)>,
}

/// The word by which `--map` leaves a column out of the guessing.
const NO_FIELD: &str = "extra";

/// Assigns the columns; `own_ids` says whether a column holds nothing but key ids of ours.
pub(super) fn assign(
    headers: &[String],
    map: &[(String, String)],
    profile: Option<&Profile>,
    own_ids: impl Fn(usize) -> bool,
) -> Result<Mapping, InventoryError> {
    let mut found: Vec<Option<(Field, Rank, Hints)>> = headers
        .iter()
        .map(|h| heading::understand(h).map(|m| (m.field, m.rank, m.hints)))
        .collect();
    // `key_id` is a register's own number as a rule; beside another id, what is in it decides.
    let ids = |found: &[Option<(Field, Rank, Hints)>]| {
        let is_id = |f: &Option<(Field, _, _)>| f.is_some_and(|f| f.0 == Field::Id);
        found.iter().filter(|f| is_id(f)).count()
    };
    for column in 0..found.len() {
        if ids(&found) > 1
            && let Some(Some(meaning)) = found.get_mut(column)
            && meaning.0 == Field::Id
            && own_ids(column)
        {
            meaning.0 = Field::KeyId;
        }
    }
    if let Some(profile) = profile {
        by_profile(headers, profile, &mut found);
    }
    let mut mapped: Vec<usize> = Vec::new();
    for (field_name, column) in map {
        let field = Field::from_name(field_name);
        if field.is_none() && compact(field_name) != NO_FIELD {
            return Err(InventoryError::UnknownField {
                field: field_name.clone(),
                known: Field::names().join(", "),
            });
        }
        let index = find(headers, column).ok_or_else(|| InventoryError::UnknownColumn {
            column: column.clone(),
            present: headers
                .iter()
                .take(100)
                .map(|h| quoted(h))
                .collect::<Vec<_>>()
                .join(", "),
        })?;
        if mapped.contains(&index) {
            return Err(InventoryError::MappedTwice {
                column: column.clone(),
            });
        }
        mapped.push(index);
        if let Some(slot) = found.get_mut(index) {
            let hints = heading::understand(column)
                .map(|m| m.hints)
                .unwrap_or_default();
            *slot = field.map(|f| (f, Rank::Mapped, hints));
        }
    }
    let mut uses = Vec::with_capacity(headers.len());
    let mut remarks = Vec::new();
    for (index, header) in headers.iter().enumerate() {
        let Some((field, rank, hints)) = found.get(index).copied().flatten() else {
            let secret = names_a_secret(&compact(header));
            if !secret && profile.is_some_and(Profile::keeps_only_fields) {
                uses.push(Use::Secret);
                continue;
            }
            if secret {
                remarks.push((
                    header.clone(),
                    "a column of secrets by its name; nothing of it is kept".to_owned(),
                ));
            }
            uses.push(if secret { Use::Secret } else { Use::Extra });
            continue;
        };
        // Another column of this field is better, or as good and before it.
        // A vague name of a place (`Device`) counts only where no column has a clear one: each place allows something.
        let vague = field.is_place() && rank == Rank::Weak;
        let clear = found
            .iter()
            .any(|f| f.is_some_and(|(f, r, _)| f.is_place() && r > Rank::Weak));
        if vague && clear {
            uses.push(Use::Extra);
            continue;
        }
        let better = found.iter().enumerate().find(|(other, f)| {
            f.is_some_and(|(f, r, _)| {
                f == field && *other != index && (r > rank || (r == rank && *other < index))
            })
        });
        // What a profile knows of a product's columns needs no telling.
        let known = |(_, other): (usize, &Option<(Field, Rank, Hints)>)| {
            other.is_some_and(|(_, r, _)| r == Rank::Profile) && rank < Rank::Profile
        };
        if better.is_some_and(known) && !field.adds_up() {
            uses.push(Use::Extra);
            continue;
        }
        match better.and_then(|(other, _)| headers.get(other)) {
            Some(other) if !field.adds_up() => {
                remarks.push((
                    header.clone(),
                    format!(
                        "means {} too; {} is used for it, and this one kept as it is",
                        field.name(),
                        quoted(other)
                    ),
                ));
                uses.push(Use::Extra);
            }
            _ => uses.push(Use::Field(field, hints)),
        }
    }
    Ok(Mapping { uses, remarks })
}

/// What a profile says of the columns. Of several columns for a field that does not add up the first that is there counts.
fn by_profile(headers: &[String], profile: &Profile, found: &mut [Option<(Field, Rank, Hints)>]) {
    for (header, slot) in headers.iter().zip(found.iter_mut()) {
        if profile.sets_aside(header) {
            *slot = None;
        }
        if let Some((field, _, hints)) = slot {
            hints.base = hints.base.or_else(|| profile.base());
            if field.is_date() {
                hints.order = hints.order.or_else(|| profile.order());
            }
        }
    }
    let assigned = profile.assignment(headers);
    // A column that stands for a field where a better one is not there.
    for (_, column) in profile.columns() {
        let at = headers.iter().position(|h| profile::same(h, column));
        if let Some(at) = at.filter(|at| !assigned.iter().any(|a| a.column == *at))
            && let Some(slot) = found.get_mut(at)
        {
            *slot = None;
        }
    }
    for one in assigned.into_iter().filter(|a| !a.copied) {
        if let Some(slot) = found.get_mut(one.column) {
            let hints = Hints {
                unit: slot.and_then(|(_, _, h)| h.unit),
                order: profile.order(),
                base: profile.base(),
            };
            *slot = Some((one.field, Rank::Profile, hints));
        }
    }
}

fn find(headers: &[String], column: &str) -> Option<usize> {
    headers
        .iter()
        .position(|h| h == column)
        .or_else(|| {
            headers
                .iter()
                .position(|h| h.trim().eq_ignore_ascii_case(column.trim()))
        })
        .or_else(|| headers.iter().position(|h| compact(h) == compact(column)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(headers: &[&str], map: &[(&str, &str)]) -> Vec<Option<Field>> {
        let headers: Vec<String> = headers.iter().map(|h| (*h).to_owned()).collect();
        let map: Vec<(String, String)> = map
            .iter()
            .map(|(f, c)| ((*f).to_owned(), (*c).to_owned()))
            .collect();
        assign(&headers, &map, None, |_| false)
            .unwrap()
            .uses
            .into_iter()
            .map(|u| match u {
                Use::Field(f, _) => Some(f),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn the_better_name_wins_and_identifiers_add_up() {
        assert_eq!(
            fields(
                &[
                    "Contact",
                    "Owner",
                    "Thumbprint",
                    "SHA-1",
                    "Location",
                    "Hosts"
                ],
                &[]
            ),
            [
                None,
                Some(Field::Owner),
                Some(Field::CertFingerprint),
                Some(Field::CertSha1),
                Some(Field::Location),
                Some(Field::Host)
            ]
        );
        assert_eq!(
            fields(&["Contact", "Responsible"], &[]),
            [Some(Field::Owner), None]
        );
    }

    #[test]
    fn a_vague_name_of_a_place_gives_way_to_a_clear_one() {
        assert_eq!(fields(&["Path", "Device"], &[]), [Some(Field::Path), None]);
        assert_eq!(
            fields(&["ID", "Device"], &[]),
            [Some(Field::Id), Some(Field::Host)]
        );
    }

    #[test]
    fn the_users_word_overrules() {
        assert_eq!(
            fields(&["Owner", "Chef"], &[("owner", "chef")]),
            [None, Some(Field::Owner)]
        );
        assert_eq!(
            fields(&["Owner", "Name"], &[("extra", "Owner")]),
            [None, Some(Field::Name)]
        );
        assert_eq!(
            fields(&["A", "B"], &[("rotation-period", "A"), ("cert_sha1", "B")]),
            [Some(Field::RotationPeriod), Some(Field::CertSha1)]
        );
    }

    #[test]
    fn wrong_words_are_answered_with_the_right_ones() {
        let headers = ["Owner".to_owned()];
        let error = assign(&headers, &[("ownr".into(), "Owner".into())], None, |_| {
            false
        })
        .unwrap_err()
        .to_string();
        assert!(error.contains("last_rotated"), "{error}");
        let error = assign(&headers, &[("owner".into(), "Boss".into())], None, |_| {
            false
        })
        .unwrap_err()
        .to_string();
        assert!(error.contains("Owner"), "{error}");
        let twice = [
            ("owner".into(), "Owner".into()),
            ("name".into(), "Owner".into()),
        ];
        assert!(matches!(
            assign(&headers, &twice, None, |_| false),
            Err(InventoryError::MappedTwice { .. })
        ));
    }

    #[test]
    fn columns_of_secrets_are_not_kept() {
        let mapping = assign(
            &["Password".to_owned(), "Notes".to_owned()],
            &[],
            None,
            |_| false,
        )
        .unwrap();
        assert_eq!(mapping.uses, [Use::Secret, Use::Extra]);
    }
}
