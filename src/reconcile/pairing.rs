//! `unpaired`: private keys without any public use.

use super::context::{Draft, KeyContext, World};
use super::exposure::{Spot, spot};
use crate::model::{Flag, Kind};

/// A private key in a service's or the system's place without any public use.
pub(super) fn judge(cx: &KeyContext<'_, '_>, out: &mut Vec<Draft>) {
    let is_private = |n: usize| cx.overview.kind(n).is_none_or(Kind::is_private);
    let all_private = cx.overview.is_private(cx.index) && cx.key.all.iter().all(is_private);
    if !all_private || cx.world.at(&cx.key.all).any(|s| s.probable_key.is_some()) {
        return;
    }
    let mut private = cx
        .private()
        .map(|(_, s)| s)
        .filter(|s| s.kind == Kind::PrivateKey);
    let Some(s) = private.find(|s| spot(s) == Spot::Service) else {
        return;
    };
    out.push(Draft::new(
        Flag::Unpaired,
        cx.world.policy.severity(Flag::Unpaired),
        format_args!(
            "no certificate, public key, grant or request of the private key in {} was seen",
            World::place(s)
        ),
    ));
}
