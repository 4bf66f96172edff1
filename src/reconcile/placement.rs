//! `misplaced` and `stray_copy`.

use super::context::{Draft, KeyContext, World, directory};
use super::exposure::{Spot, spot};
use super::join::Link;
use super::located::Located;
use super::overview::Fact;
use super::renewal::Replaced;
use super::sharing::{Environments, environment_word};
use crate::model::{Flag, Kind, Sighting};
use crate::policy::PlaceRule;
use std::collections::{BTreeMap, BTreeSet};

/// A rule of the policy, prepared.
pub(super) struct Rule<'p> {
    rule: &'p PlaceRule,
    environment: Option<String>,
    allow: Vec<Located>,
    deny: Vec<Located>,
}

/// The policy's rules about places.
pub(super) fn rules(rules: &[PlaceRule]) -> Vec<Rule<'_>> {
    let read = |globs: &[String]| globs.iter().map(|glob| Located::read(glob)).collect();
    rules
        .iter()
        .map(|rule| Rule {
            environment: rule.environment.as_deref().and_then(environment_word),
            allow: read(&rule.allow),
            deny: read(&rule.deny),
            rule,
        })
        .collect()
}

/// Holds the places where a key was seen against those that policy allows, whatever its rows say.
pub(super) fn by_policy(
    cx: &KeyContext<'_, '_>,
    rules: &[Rule<'_>],
    environments: &Environments<'_>,
    out: &mut Vec<Draft>,
) {
    let severity = cx.world.policy.severity(Flag::Misplaced);
    let mut told = BTreeSet::new();
    for number in rules.first().into_iter().flat_map(|_| cx.key.judged.iter()) {
        let Some(s) = cx.world.sightings.get(number) else {
            continue;
        };
        for rule in rules {
            let place = World::place(s).to_string();
            let environment = environments.of(cx.world.host(number));
            if !rule.is_about(cx, s, environment) || rule.permits(s) || told.contains(&place) {
                continue;
            }
            let list = |globs: &[String]| globs.join(", ");
            let allowed = match (rule.rule.allow.as_slice(), rule.rule.deny.as_slice()) {
                ([], deny) => format!("never in {}", list(deny)),
                (allow, []) => format!("only in {}", list(allow)),
                (allow, deny) => format!("only in {} and never in {}", list(allow), list(deny)),
            };
            let of = rule
                .environment
                .as_ref()
                .map(|e| format!(" of {e}"))
                .unwrap_or_default();
            let why = format!(
                "policy ({}) wants a {}{of} {allowed}; it is in {place}",
                rule.rule.source,
                s.kind.as_str().replace('_', " "),
            );
            out.push(Draft::new(Flag::Misplaced, severity, why).place(place.clone()));
            told.insert(place);
        }
    }
}

impl Rule<'_> {
    fn is_about(&self, cx: &KeyContext<'_, '_>, s: &Sighting, environment: Option<&str>) -> bool {
        let (kinds, types) = (&self.rule.kinds, &self.rule.types);
        let of_type = || {
            let mut rows = cx.links.iter().filter_map(|link| cx.row(link)?.entry.kind);
            types.is_empty() || rows.any(|kind| types.contains(&kind))
        };
        (kinds.is_empty() || kinds.contains(&s.kind))
            && (self.environment.is_none() || self.environment.as_deref() == environment)
            && of_type()
    }

    fn permits(&self, s: &Sighting) -> bool {
        (self.allow.is_empty() || self.allow.iter().any(|place| place.holds(s)))
            && !self.deny.iter().any(|place| place.holds(s))
    }
}

/// Holds the places where a key was seen against those that its rows allow.
pub(super) fn judge(cx: &KeyContext<'_, '_>, replaced: &Replaced, out: &mut Vec<Draft>) {
    for link in cx.own_links(Fact::Checkable) {
        if replaced.renewed_rows.get(link.row()) == Some(&true) {
            continue; // what took its place is told, and not where the old one is kept
        }
        if artifact(cx, link).any(|number| lies_at(cx, link, number)) {
            continue;
        }
        let Some(row) = cx.row(link) else { continue };
        let mut seen = artifact(cx, link).peekable();
        let Some(&first) = seen.peek() else { continue };
        if seen.any(|number| row.allows(cx.world, number)) {
            continue;
        }
        let Some(first) = cx.world.sightings.get(first) else {
            continue;
        };
        let why = format!(
            "{} allows {}, and it was seen in {} instead",
            row.title(),
            row.places_text(),
            World::place(first)
        );
        let severity = cx.world.policy.severity(Flag::Misplaced);
        out.push(Draft::new(Flag::Misplaced, severity, why).row(link.row()));
    }
    stray(cx, out);
}

/// Whether a sighting is known to lie at a file that a row names.
fn lies_at(cx: &KeyContext<'_, '_>, link: &Link, sighting: usize) -> bool {
    let mut at_file = cx.at_place.of_row(link.row()).iter();
    at_file.any(|found| found.sighting() == sighting)
}

/// The judged sightings of what a row means: of a key all, of a certificate those of other certificates not.
fn artifact<'w>(cx: &KeyContext<'w, '_>, link: &'w Link) -> impl Iterator<Item = usize> + use<'w> {
    let world = cx.world;
    let (named, overview) = (&link.named, cx.overview);
    cx.key.judged.iter().filter(move |&number| {
        named.is_empty()
            || overview.kind(number) != Some(Kind::Certificate)
            || named.iter().any(|c| {
                let certificate = world.certificates.get(c);
                certificate.is_some_and(|c| c.judged.contains(number))
            })
    })
}

/// Copies of a private key beside the one that is where it may be.
fn stray(cx: &KeyContext<'_, '_>, out: &mut Vec<Draft>) {
    if !cx.overview.is_private(cx.index) || cx.private().next().is_none() {
        return;
    }
    let checkable = || cx.own_links(Fact::Checkable);
    let lies_at_one = |number| checkable().any(|link| lies_at(cx, link, number));
    if cx.private().all(|(number, _)| lies_at_one(number)) {
        return;
    }
    let rows = || checkable().filter_map(|link| cx.row(link));
    let Some(row) = rows().next() else {
        return;
    };
    let allowed = |number: usize| rows().any(|row| row.allows(cx.world, number));
    if cx.private().all(|(number, _)| allowed(number)) {
        return;
    }
    // One file is one copy, however many artifacts it holds.
    let mut copies: BTreeMap<String, (usize, &Sighting)> = BTreeMap::new();
    for (number, sighting) in cx.private() {
        copies
            .entry(World::place(sighting).to_string())
            .or_insert((number, sighting));
    }
    let (inside, outside): (Vec<_>, Vec<_>) =
        copies.iter().partition(|(_, (number, _))| allowed(*number));
    let strays = if inside.is_empty() {
        beside(cx, outside, &allowed)
    } else {
        outside
    };
    let severity = cx.world.policy.severity(Flag::StrayCopy);
    for (place, _) in strays {
        let why = format!(
            "a copy of the private key lies in {place}, outside the places that {} allows ({})",
            row.title(),
            row.places_text()
        );
        out.push(Draft::new(Flag::StrayCopy, severity, why).place(place.clone()));
    }
}

type Copy<'c, 'w> = (&'c String, &'c (usize, &'w Sighting));

/// When a row allows the certificate's place and says nothing of its key's, the key belongs beside the
/// certificate, or else where keys are kept rather than dropped; the further copies are strays. With
/// nothing at an allowed place it is misplaced, and none is further.
fn beside<'c, 'w>(
    cx: &KeyContext<'_, '_>,
    copies: Vec<Copy<'c, 'w>>,
    allowed: &dyn Fn(usize) -> bool,
) -> Vec<Copy<'c, 'w>> {
    let homes: Vec<(usize, &str)> = cx
        .key
        .judged
        .iter()
        .filter(|&n| allowed(n))
        .filter_map(|n| {
            Some((
                cx.world.host(n),
                directory(&cx.world.sightings.get(n)?.location.path),
            ))
        })
        .collect();
    if homes.is_empty() || copies.len() < 2 {
        return Vec::new();
    }
    let rank = |(place, (number, s)): &Copy<'c, 'w>| {
        let near = homes.contains(&(cx.world.host(*number), directory(&s.location.path)));
        let same_host = homes
            .iter()
            .any(|(host, _)| *host == cx.world.host(*number));
        (
            !near,
            !same_host,
            spot(s) != Spot::Service,
            (*place).clone(),
        )
    };
    let mut copies = copies;
    copies.sort_by_cached_key(rank);
    copies.split_off(1)
}
