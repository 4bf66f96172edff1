//! `state_conflict`: the contract's table of states and what was seen.

use super::context::{Draft, KeyContext, Row, World};
use super::exposure::is_trust_anchor;
use super::join::Link;
use super::overview::Fact;
use super::trust::is_grant;
use super::validity::{only_agrees, only_decrypts};
use crate::model::{Flag, Kind, Severity, Sighting, State};

/// The columns of the table, from the least telling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Seen {
    Public,
    Private,
    InUse,
}

/// Compares every matched row's state with what was seen of it.
pub(super) fn judge(cx: &KeyContext<'_, '_>, out: &mut Vec<Draft>) {
    for link in cx.links {
        if cx.overview.row_is(link.row(), Fact::Active) {
            continue;
        }
        let Some(row) = cx.row(link) else { continue };
        let state = row.state();
        let worst = seen_of(cx, link)
            .filter_map(|s| {
                Some((
                    degree(state, column(s), decrypts(cx, row, s))?,
                    column(s),
                    s,
                ))
            })
            .max_by_key(|(severity, column, _)| (*severity, *column));
        let Some((by_contract, column, s)) = worst else {
            continue;
        };
        let what = match column {
            Seen::InUse if s.kind == Kind::AuthorizedKey => "a grant for it",
            Seen::InUse => "it as a trust anchor",
            Seen::Private if s.kind == Kind::SymmetricKey => "its secret",
            Seen::Private => "its private key",
            Seen::Public => "its public part",
        };
        let why = format!(
            "{} says {}, yet {} holds {what}",
            row.title(),
            state.as_str(),
            World::place(s)
        );
        let severity = cx.world.policy.graded(Flag::StateConflict, by_contract);
        let certificate = (s.kind == Kind::Certificate)
            .then_some(s.fingerprints.cert_sha256())
            .flatten();
        out.push(
            Draft::new(Flag::StateConflict, severity, why)
                .row(link.row())
                .certificate(certificate),
        );
    }
}

/// The judged sightings of what a row means: of a certificate that it names, with the private key unless
/// another row keeps that in use.
fn seen_of<'w>(cx: &KeyContext<'w, '_>, link: &Link) -> impl Iterator<Item = &'w Sighting> {
    let kept = cx.links.iter().any(|other| {
        other.row() != link.row()
            && cx.row(other).is_some_and(Row::is_live)
            && (other.named.is_empty() || !other.named.iter().all(|c| link.named.contains(c)))
    });
    let world = cx.world;
    let named = link.named.clone();
    let of_named = move |number: usize| {
        named.iter().any(|c| {
            let certificate = world.certificates.get(c);
            certificate.is_some_and(|c| c.judged.contains(number))
        })
    };
    let whole_key = link.named.is_empty();
    cx.key.judged.iter().filter_map(move |number| {
        let s = world.sightings.get(number)?;
        let counts = whole_key
            || if s.kind == Kind::Certificate {
                of_named(number)
            } else {
                !kept
            };
        counts.then_some(&**s)
    })
}

fn column(s: &Sighting) -> Seen {
    match s.kind {
        Kind::AuthorizedKey if is_grant(s) => Seen::InUse,
        Kind::Certificate if is_trust_anchor(s) => Seen::InUse,
        kind if kind.is_private() => Seen::Private,
        _ => Seen::Public,
    }
}

/// The table of the contract, section 3.
fn degree(state: State, seen: Seen, decrypts: bool) -> Option<Severity> {
    use Severity::{Critical, High, Info, Low, Medium};
    match (state, seen) {
        (State::Active, _)
        | (State::PreActivation, Seen::Private | Seen::Public)
        | (State::Suspended | State::Deactivated, Seen::Public) => None,
        (
            State::PreActivation | State::Suspended | State::Deactivated | State::Revoked,
            Seen::InUse,
        ) => Some(High),
        (State::Suspended, Seen::Private) => Some(Low),
        (State::Deactivated | State::Revoked, Seen::Private) => {
            Some(if decrypts { Info } else { Medium })
        }
        (State::Revoked | State::Destroyed, Seen::Public) => Some(Low),
        (State::Compromised, Seen::Public) => Some(Info),
        (State::Compromised, _) | (State::Destroyed, Seen::Private) => Some(Critical),
        (State::Destroyed, Seen::InUse) => Some(High),
    }
}

/// Whether a key only decrypts or agrees: by its algorithm, its certificates, else the row's purpose.
fn decrypts(cx: &KeyContext<'_, '_>, row: &Row<'_>, s: &Sighting) -> bool {
    if only_agrees(s) {
        return true;
    }
    let mut facts = cx
        .certificates()
        .filter_map(|(_, c)| cx.world.facts(c))
        .peekable();
    if facts.peek().is_some_and(|f| !f.key_usage.is_empty()) {
        return facts.all(only_decrypts);
    }
    let purpose = row
        .entry
        .purpose
        .as_deref()
        .unwrap_or_default()
        .to_lowercase();
    let any = |words: &[&str]| words.iter().any(|w| purpose.contains(w));
    any(&[
        "decrypt",
        "encrypt",
        "encipher",
        "agree",
        "key exchange",
        "wrap",
    ]) && !any(&["sign", "auth", "login", "tls", "ssh", "certif"])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every cell of the contract's table: private, public, in use, and private that only decrypts.
    #[test]
    fn the_table() {
        use Severity::{Critical, High, Info, Low, Medium};
        for (state, private, public, in_use, decrypting) in [
            (State::PreActivation, None, None, Some(High), None),
            (State::Active, None, None, None, None),
            (State::Suspended, Some(Low), None, Some(High), Some(Low)),
            (
                State::Deactivated,
                Some(Medium),
                None,
                Some(High),
                Some(Info),
            ),
            (
                State::Revoked,
                Some(Medium),
                Some(Low),
                Some(High),
                Some(Info),
            ),
            (
                State::Compromised,
                Some(Critical),
                Some(Info),
                Some(Critical),
                Some(Critical),
            ),
            (
                State::Destroyed,
                Some(Critical),
                Some(Low),
                Some(High),
                Some(Critical),
            ),
        ] {
            assert_eq!(degree(state, Seen::Private, false), private, "{state:?}");
            assert_eq!(degree(state, Seen::Public, false), public, "{state:?}");
            assert_eq!(degree(state, Seen::InUse, false), in_use, "{state:?}");
            assert_eq!(degree(state, Seen::Private, true), decrypting, "{state:?}");
        }
    }
}
