//! Says of each SSH grant which accounts of its host it opens, and whether sshd reads the file that it stands in.

use crate::host::Host;
use crate::model::{Gap, Kind, Sighting};

/// The remark of a line that sshd passes over.
const COMMENTED_OUT: &str = "on a commented-out line";

/// Completes the sightings of public keys and grants, after links and further paths of their files were told. What is
/// not known of the host's grants becomes a gap, where the sweep has the file that says so.
pub(super) fn tell(
    host: &Host,
    roots: &[Vec<u8>],
    sightings: &mut [Sighting],
    gaps: &mut Vec<Gap>,
) {
    for sighting in sightings.iter_mut() {
        let lone = sighting.kind == Kind::PublicKey && sighting.format == "openssh_public";
        if lone || sighting.kind == Kind::AuthorizedKey {
            one(host, sighting);
        }
    }
    for remark in host.sshd().remarks() {
        if roots.iter().any(|root| lies_in(&remark.path, root)) {
            gaps.push(Gap::at(&remark.path, remark.reason, remark.detail.clone()));
        }
    }
}

fn one(host: &Host, sighting: &mut Sighting) {
    let sshd = host.sshd();
    let in_file = sighting.location.inside().is_empty();
    let passed_over = sighting.notes().iter().any(|note| note == COMMENTED_OUT);
    let options = sighting.ssh.as_ref().and_then(|s| s.options.as_deref());
    let command = options.is_some_and(|o| o.to_ascii_lowercase().contains("command=\""));
    let found = (in_file && !passed_over)
        .then(|| {
            let fingerprint = sighting.fingerprints.ssh_sha256().map(|d| d.to_string());
            sshd.use_of(&paths(sighting), fingerprint.as_deref(), command)
        })
        .flatten();
    let Some(found) = found else {
        if sighting.kind != Kind::AuthorizedKey {
            return;
        }
        let home = sighting.file.as_ref().and_then(|f| f.home_of.clone());
        let account = home.filter(|_| in_file).and_then(|h| sshd.account(&h));
        let facts = sighting.ssh.get_or_insert_default();
        facts.read_by_sshd = (!in_file || sshd.is_configured()).then_some(false);
        facts.opens = account.into_iter().collect();
        return;
    };
    let facts = sighting.ssh.get_or_insert_default();
    match found.directive {
        "RevokedKeys" => {
            if sighting.kind == Kind::PublicKey {
                facts.change(|rare| rare.marker = Some("revoked".to_owned()));
            }
        }
        directive => {
            if directive == "TrustedUserCAKeys" {
                facts.change(|rare| rare.marker = Some("cert-authority".to_owned()));
            }
            // A bare key is a grant in a file that sshd_config names (contract, section 1).
            if sighting.kind == Kind::PublicKey {
                sighting.kind = Kind::AuthorizedKey;
                sighting.format = "authorized_keys".into();
            }
        }
    }
    if sshd.is_configured() {
        facts.read_by_sshd = Some(true);
        facts.change(|rare| rare.directive = Some(found.directive.to_owned()));
    }
    facts.opens = found.opens.into();
    facts.change(|rare| rare.opens_more = found.opens_more);
}

fn paths(sighting: &Sighting) -> Vec<Vec<u8>> {
    let location = &sighting.location;
    let others = location.links().iter().chain(location.hard_links());
    std::iter::once(location.exact_path())
        .chain(others.map(|path| path.as_bytes().to_vec()))
        .collect()
}

fn lies_in(path: &[u8], root: &[u8]) -> bool {
    let root = root.strip_suffix(b"/").unwrap_or(root);
    path.strip_prefix(root)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}
