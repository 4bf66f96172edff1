//! Sightings of what live stores hold.

use super::place;
use crate::identity;
use crate::model::{Artifact, Gap, GapReason, Member, Secret, SharedText, Sighting, location};
use crate::stores::{Held, Holdings, Thing};
use std::sync::Arc;

/// Adds what live stores hold to a sweep of this machine.
pub(super) fn add(
    holdings: Vec<Holdings>,
    secret_id_key: Option<&Secret>,
    sightings: &mut Vec<Sighting>,
    gaps: &mut Vec<Gap>,
) {
    for Holdings { held, gaps: more } in holdings {
        gaps.extend(more);
        for held in held {
            if contradicts(&held.what) {
                let detail = format!("{}: a key has another keygrip than was said", held.name);
                gaps.push(Gap::at(&held.path, GapReason::Malformed, detail));
                continue;
            }
            sightings.extend(sightings_of(held, secret_id_key));
        }
    }
}

/// Whether a store gives another key than it names.
fn contradicts(what: &Thing) -> bool {
    let Thing::Artifact(artifact) = what else {
        return false;
    };
    let Artifact { keygrip, .. } = **artifact;
    keygrip.is_some_and(|said| {
        let computed = identity::identify(artifact).fingerprints.keygrip;
        computed.is_some_and(|computed| computed != said)
    })
}

fn sightings_of(held: Held, secret_id_key: Option<&Secret>) -> Vec<Sighting> {
    let mut found = match held.what {
        Thing::Artifact(artifact) => vec![place::sighting(*artifact, 0, None, secret_id_key)],
        Thing::Certificate { der, label, id } => {
            let (mut found, _) = place::examine(&der, b"");
            for sighting in &mut found {
                let alias = label.as_deref().map(SharedText::from);
                sighting.location.change(|rare| rare.alias = alias);
                sighting
                    .fingerprints
                    .change(|f| f.pkcs11_id = id.as_deref().map(Box::from));
            }
            found
        }
    };
    let (path, path_bytes) = location::name_parts(&held.path);
    let path = SharedText::from(path);
    let inside: Arc<[Member]> = [Member {
        container: held.store.into(),
        name: Some(held.name),
        name_bytes: None,
        offset: None,
    }]
    .into();
    for sighting in &mut found {
        sighting.location.path = path.clone();
        sighting.location.offset = None.into();
        sighting.location.change(|rare| {
            rare.path_bytes = path_bytes.as_deref().map(Box::from);
            rare.inside = Arc::clone(&inside);
        });
    }
    found
}
