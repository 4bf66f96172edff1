//! The graph of keys and accounts over all sweeps.

use super::super::context::{Key, World};
use super::super::join::Join;
use super::options::Options;
use crate::model::{AccessState, KeyId, Kind, Opens, Sighting, Ssh, SshAccess, Via};
use foldhash::HashMap;
use std::collections::BTreeSet;

/// Places of one private key that are told.
const HELD_LIMIT: usize = 16;

/// Every edge, with the key that each starts from.
pub(in super::super) struct Trust {
    /// Sorted by host, account, key.
    edges: Vec<Edge>,
    /// Of each key the numbers of its edges.
    of_key: HashMap<usize, Vec<usize>>,
    /// Grants in archives and history, which open nothing, by key.
    stored: HashMap<usize, usize>,
    /// Whether orphans can be told: several hosts were swept, or the sweeps are all of the estate.
    pub(super) judged: bool,
}

/// One key and one account.
pub(super) struct Edge {
    pub(super) key: usize,
    /// The number of the host.
    pub(super) host: usize,
    /// An authority whose certificates need no name: `cert-authority` without `principals=` (in sshd's words,
    /// `TrustedUserCAKeys` requires a principal and a line of grants does not).
    nameless: bool,
    pub(super) access: SshAccess,
}

impl Trust {
    /// Makes the graph of all grants, authorities and certificates.
    pub(in super::super) fn find(world: &World<'_>, join: &Join, has_inventory: bool) -> Self {
        let mut this = Self {
            edges: Vec::new(),
            of_key: HashMap::default(),
            stored: HashMap::default(),
            judged: world.estate || (has_inventory && world.hosts.iter().count() > 1),
        };
        let probable = probable(world);
        for (index, key) in world.keys.iter().enumerate() {
            let grants = key.all.iter().filter_map(|n| {
                let s = world.sightings.get(n)?;
                (s.kind == Kind::AuthorizedKey).then_some((n, s))
            });
            for (number, s) in grants {
                if !s.location.inside.is_empty() {
                    *this.stored.entry(index).or_default() += 1;
                    continue;
                }
                let trusted = |ssh: &Ssh| ssh.directive.as_deref() == Some("TrustedUserCAKeys");
                let named = |ssh: &Ssh| trusted(ssh) || !ssh.principals.is_empty();
                let nameless = !s.ssh.as_deref().is_some_and(named);
                for access in of_grant(world, key, s) {
                    this.edges.push(Edge {
                        key: index,
                        host: world.host(number),
                        nameless: nameless && access.via == Via::Authority,
                        access,
                    });
                }
            }
        }
        this.certificates(world);
        this.edges
            .sort_by(|a, b| order(world, a).cmp(&order(world, b)));
        let mut held: HashMap<usize, Vec<String>> = HashMap::default();
        for (number, edge) in this.edges.iter_mut().enumerate() {
            this.of_key.entry(edge.key).or_default().push(number);
            let Some(key) = world.keys.get(edge.key) else {
                continue;
            };
            let held = held
                .entry(edge.key)
                .or_insert_with(|| holders(world, key, &probable));
            edge.access.held_at.clone_from(held);
            let links = join.links.get(edge.key).iter();
            let rows = links.filter_map(|link| world.rows.get(link.row()));
            edge.access.entries = rows.map(|row| row.entry.id.to_string()).collect();
            let lost = held.is_empty() && edge.access.entries.is_empty();
            let counts = this.judged && edge.access.via != Via::Certificate;
            edge.access.orphan = counts.then_some(lost);
        }
        this
    }

    /// The edges of a key.
    pub(super) fn of(&self, key: usize) -> impl Iterator<Item = &Edge> {
        let numbers = self.of_key.get(&key).into_iter().flatten();
        numbers.filter_map(|&n| self.edges.get(n))
    }

    /// How many grants of a key lie in archives and history.
    pub(super) fn stored(&self, key: usize) -> usize {
        self.stored.get(&key).copied().unwrap_or(0)
    }

    /// The hosts on which a key lets somebody in.
    pub(in super::super) fn opened(&self, key: usize) -> BTreeSet<usize> {
        self.of(key)
            .filter(|edge| edge.access.state.lets_in())
            .map(|edge| edge.host)
            .collect()
    }

    /// Counts of accesses that let somebody in: all, those to root's number, and grants without a known holder.
    pub(in super::super) fn metrics(&self, unjudged: u64) -> serde_json::Value {
        let count = |test: &dyn Fn(&SshAccess) -> bool| {
            let edges = self.edges.iter().map(|edge| &edge.access);
            u64::try_from(edges.filter(|a| test(a)).count()).unwrap_or(u64::MAX)
        };
        serde_json::json!({
            "accesses": count(&|a| a.state.lets_in()),
            "to_root": count(&|a| a.state.lets_in() && a.uid == Some(0)),
            "orphans": count(&|a| a.state.lets_in() && a.orphan == Some(true)),
            "orphans_judged": self.judged,
            "without_effect": count(&|a| !a.state.lets_in()),
            "known_hosts_unjudged": unjudged,
        })
    }

    /// Whether there is any edge.
    pub(in super::super) fn is_empty(&self) -> bool {
        self.edges.is_empty()
    }

    /// The graph for the report.
    pub(in super::super) fn into_report(self) -> Vec<SshAccess> {
        self.edges.into_iter().map(|edge| edge.access).collect()
    }

    /// Adds what keys with a certificate of a trusted authority open.
    fn certificates(&mut self, world: &World<'_>) {
        let mut by_authority: HashMap<String, Vec<usize>> = HashMap::default();
        for (number, edge) in self.edges.iter().enumerate() {
            let Some(key) = world.keys.get(edge.key) else {
                continue;
            };
            let mut seen = world.at(&key.all);
            if edge.access.via == Via::Authority
                && let Some(fingerprint) = seen.find_map(|s| s.fingerprints.ssh_sha256)
            {
                by_authority
                    .entry(fingerprint.to_string())
                    .or_default()
                    .push(number);
            }
        }
        if by_authority.is_empty() {
            return;
        }
        let mut found = Vec::new();
        for (index, key) in world.keys.iter().enumerate() {
            // One certificate is often seen beside its key and in an agent.
            let mut seen = BTreeSet::new();
            for s in world.at(&key.all) {
                let Some(ssh) = s.ssh.as_deref().filter(|ssh| is_users(s, ssh)) else {
                    continue;
                };
                let signer = ssh.signed_by.as_deref().unwrap_or_default();
                if !seen.insert((
                    signer,
                    &ssh.serial,
                    &ssh.certificate_key_id,
                    ssh.valid_before,
                )) {
                    continue;
                }
                let authorities = by_authority.get(signer).into_iter().flatten();
                for edge in authorities.filter_map(|&n| self.edges.get(n)) {
                    let listed = |name: &String| edge.access.principals.contains(name);
                    let open = edge.nameless && ssh.principals.is_empty();
                    if !open && !ssh.principals.iter().any(listed) {
                        continue;
                    }
                    found.push(Edge {
                        key: index,
                        host: edge.host,
                        nameless: false,
                        access: of_certificate(world, key, ssh, &edge.access),
                    });
                }
            }
        }
        self.edges.extend(found);
    }
}

fn order<'e>(world: &World<'_>, edge: &'e Edge) -> impl Ord + use<'e> {
    let access = &edge.access;
    (
        (
            &access.host,
            access.uid,
            &access.account,
            world.rank(edge.key),
        ),
        (&access.path, access.line, access.via, &access.certificate),
    )
}

fn is_users(s: &Sighting, ssh: &Ssh) -> bool {
    s.kind == Kind::SshCertificate && ssh.certificate_type.as_deref() == Some("user")
}

fn of_certificate(world: &World<'_>, key: &Key, ssh: &Ssh, authority: &SshAccess) -> SshAccess {
    let value = |name: &str| {
        let of = |e: &String| Some(e.strip_prefix(name)?.strip_prefix('=')?.to_owned());
        ssh.extensions.iter().find_map(of)
    };
    let command = value("force-command").or_else(|| authority.command.clone());
    let early = ssh.valid_after.is_some_and(|from| world.now < from);
    let late = ssh.valid_before.is_some_and(|end| world.now >= end);
    let state = match authority.state {
        AccessState::Open | AccessState::Command if early || late => AccessState::Expired,
        AccessState::Open if command.is_some() => AccessState::Command,
        state => state,
    };
    SshAccess {
        key_id: key.id.clone(),
        via: Via::Certificate,
        state,
        command,
        from: value("source-address").or_else(|| authority.from.clone()),
        until: ssh.valid_before,
        principals: Vec::new(),
        authority: Some(authority.key_id.clone()),
        certificate: ssh.certificate_key_id.clone(),
        ..authority.clone()
    }
}

/// The accounts that one line opens; one edge without account where none is known.
fn of_grant(world: &World<'_>, key: &Key, s: &Sighting) -> Vec<SshAccess> {
    let facts = s.ssh.as_deref().cloned().unwrap_or_default();
    let options = Options::read(facts.options.as_deref().unwrap_or_default());
    let authority = facts.marker.as_deref() == Some("cert-authority");
    let expired = facts.valid_before.is_some_and(|end| world.now >= end);
    let of = |opens: Option<Opens>| {
        let refused = opens.as_ref().and_then(|o| o.refused.clone());
        let state = if options.disabled() {
            AccessState::Disabled
        } else if facts.read_by_sshd == Some(false) {
            AccessState::NotRead
        } else if refused.is_some() {
            AccessState::Refused
        } else if expired {
            AccessState::Expired
        } else if options.command.is_some() {
            AccessState::Command
        } else {
            AccessState::Open
        };
        let principals = match (&opens, authority) {
            (_, false) => Vec::new(),
            _ if !facts.principals.is_empty() => facts.principals.clone(),
            (Some(o), _) if !o.principals.is_empty() => o.principals.clone(),
            (Some(o), _) if facts.directive.as_deref() != Some("TrustedUserCAKeys") => {
                vec![o.account.clone()]
            }
            _ => Vec::new(),
        };
        SshAccess {
            key_id: key.id.clone(),
            host: s.host.as_deref().unwrap_or_default().to_owned(),
            uid: opens.as_ref().map(|o| o.uid),
            no_shell: opens.as_ref().is_some_and(|o| o.no_shell),
            account: opens.map(|o| o.account),
            state,
            via: if authority {
                Via::Authority
            } else {
                Via::Grant
            },
            path: s.location.path.to_string(),
            line: s.location.line,
            command: options.command.clone(),
            from: options.from.clone(),
            limits: options.limits.clone(),
            until: facts.valid_before,
            refused,
            principals,
            authority: None,
            certificate: None,
            held_at: Vec::new(),
            entries: Vec::new(),
            orphan: None,
        }
    };
    if !facts.opens.is_empty() {
        return facts.opens.iter().cloned().map(Some).map(of).collect();
    }
    // Sweeps of before tell only in whose home the file lies.
    let home = s.file.as_ref().and_then(|f| f.home_of.as_deref());
    let mut access = of(None);
    access.account = home.map(str::to_owned);
    access.uid = home.filter(|&h| h == "root").map(|_| 0);
    vec![access]
}

/// The places of encrypted keys that probably are a key.
fn probable<'w>(world: &'w World<'_>) -> HashMap<&'w KeyId, BTreeSet<String>> {
    let mut found: HashMap<&KeyId, BTreeSet<String>> = HashMap::default();
    for s in world.sightings.iter().filter(|s| s.kind.is_private()) {
        if let Some(id) = &s.probable_key {
            let place = format!("{} (probably)", World::place(s));
            found.entry(id).or_default().insert(place);
        }
    }
    found
}

/// Where the private key of a key was seen.
fn holders(
    world: &World<'_>,
    key: &Key,
    probable: &HashMap<&KeyId, BTreeSet<String>>,
) -> Vec<String> {
    let private = world.at(&key.all).filter(|s| s.kind.is_private());
    let places: BTreeSet<String> = private.map(|s| World::place(s).to_string()).collect();
    let others = probable.get(&key.id).into_iter().flatten().cloned();
    places.into_iter().chain(others).take(HELD_LIMIT).collect()
}
