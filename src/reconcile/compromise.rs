//! `compromised`: keys that others have, or can compute.

use super::context::{Draft, KeyContext, World};
use super::exposure::{Spot, spot};
use crate::model::{Class, Flag, Kind};

/// A key that anyone can factor; and one whose private half is published, where the host relies on it.
pub(super) fn judge(cx: &KeyContext<'_, '_>, published: Option<&str>, out: &mut Vec<Draft>) {
    if published.is_none() && !cx.overview.is_rare(cx.index) {
        return;
    }
    let severity = cx.world.policy.severity(Flag::Compromised);
    let all = || cx.world.at(&cx.key.all);
    if let Some(s) = all().find(|s| s.factorable().is_some()) {
        let reason = s.factorable().map(|text| &**text).unwrap_or_default();
        let why = format!("anyone can compute the private key: {reason}");
        out.push(Draft::new(Flag::Compromised, severity, why));
    }
    let Some(source) = published else {
        return;
    };
    let relied_on = all().find_map(|s| {
        let how = match s.kind {
            Kind::AuthorizedKey => "opens an account in",
            kind if kind.is_private() && spot(s) == Spot::Service => "serves in",
            _ => return None,
        };
        Some(format!("{how} {}", World::place(s)))
    });
    if cx.key.class != Class::Own && relied_on.is_none() {
        return;
    }
    let use_ = relied_on.map(|text| format!(", and it {text}"));
    let why = format!(
        "its private key is published ({source}){}",
        use_.unwrap_or_default()
    );
    out.push(Draft::new(Flag::Compromised, severity, why));
}
