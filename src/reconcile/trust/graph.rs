//! The graph of keys and accounts over all sweeps.

use super::super::ahead;
use super::super::context::{Key, World};
use super::super::few::short;
use super::super::grouped::Grouped;
use super::super::join::Join;
use super::super::ordering::{in_order, places_of};
use super::super::overview::Overview;
use super::options::Options;
use crate::model::ahead::BATCH;
use crate::model::{
    AccessState, KeyId, Kind, Opens, RareSsh, SharedText, Sighting, Ssh, SshAccess, Via,
};
use foldhash::HashMap;
use std::cmp::Ordering;
use std::collections::BTreeSet;

/// Places of one private key that are told.
const HELD_LIMIT: usize = 16;

/// Every edge, with the key that each starts from.
pub(in super::super) struct Trust {
    /// Sorted by host, account, key.
    edges: Vec<Edge>,
    /// Of each key the numbers of its edges.
    of_key: Grouped<u32>,
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
    pub(in super::super) fn find(
        world: &World<'_>,
        overview: &Overview,
        join: &Join,
        has_inventory: bool,
    ) -> Self {
        let mut this = Self {
            edges: Vec::new(),
            of_key: Grouped::default(),
            stored: HashMap::default(),
            judged: world.estate || (has_inventory && world.hosts.iter().count() > 1),
        };
        let is_grant = |(_, kind): &(usize, Kind)| *kind == Kind::AuthorizedKey;
        let grants = || overview.kinds().filter(is_grant);
        // Mostly each is one edge.
        this.edges.reserve(grants().count());
        // As they lie on the hosts: nearly in the order that is wanted.
        for (number, _) in grants() {
            let index = world.key(number);
            let key = index.and_then(|index| world.keys.get(index));
            let (Some(index), Some(key), Some(s)) = (index, key, world.sightings.get(number))
            else {
                continue;
            };
            if !s.location.inside().is_empty() {
                *this.stored.entry(index).or_default() += 1;
                continue;
            }
            let trusted = |ssh: &Ssh| ssh.rare().directive.as_deref() == Some("TrustedUserCAKeys");
            let named = |ssh: &Ssh| trusted(ssh) || !ssh.rare().principals.is_empty();
            let nameless = !s.ssh.as_deref().is_some_and(named);
            let host = world.host(number);
            of_grant(world, key, s, |access| {
                this.edges.push(Edge {
                    key: index,
                    host,
                    nameless: nameless && access.via == Via::Authority,
                    access,
                });
            });
        }
        if this.edges.is_empty() {
            return this;
        }
        this.certificates(world, overview);
        this.sort();
        let of_key = this.edges.iter().enumerate();
        let of_key = of_key.map(|(number, edge)| (short(edge.key), short(number)));
        this.of_key = Grouped::new(world.keys.len(), of_key.collect());
        let probable = probable(world, overview);
        for (index, key) in world.keys.iter().enumerate() {
            if index % BATCH == 0 {
                let keys = (index..index + BATCH).filter(|key| !this.of_key.get(*key).is_empty());
                ahead::ids_of_rows(world, join, keys);
            }
            let edges = this.of_key.get(index);
            if edges.is_empty() {
                continue;
            }
            let held = holders(world, overview, (index, key), &probable);
            let links = join.links.get(index).iter();
            let rows = links.filter_map(|link| world.rows.get(link.row()));
            let entries: Vec<SharedText> = rows.map(|row| row.id()).collect();
            let lost = held.is_empty() && entries.is_empty();
            for &number in edges {
                let Some(edge) = this.edges.get_mut(number as usize) else {
                    continue;
                };
                // They are empty until now.
                if !held.is_empty() {
                    edge.access.held_at.clone_from(&held);
                }
                if !entries.is_empty() {
                    edge.access.entries.clone_from(&entries);
                }
                let counts = this.judged && edge.access.via != Via::Certificate;
                edge.access.orphan = counts.then_some(lost);
            }
        }
        this
    }

    /// Puts the edges in order. They are large: their numbers are sorted, and then each is moved once.
    fn sort(&mut self) {
        if self
            .edges
            .is_sorted_by(|one, next| order(one, next).is_le())
        {
            return;
        }
        let mut numbers: Vec<u32> = (0..short(self.edges.len())).collect();
        let of = |number: &u32| self.edges.get(*number as usize);
        numbers.sort_by(|one, other| match (of(one), of(other)) {
            (Some(one), Some(other)) => order(one, other),
            _ => Ordering::Equal,
        });
        in_order(&mut self.edges, places_of(&numbers));
    }

    /// The edges of a key.
    pub(super) fn of(&self, key: usize) -> impl Iterator<Item = &Edge> {
        let numbers = self.of_key.get(key).iter();
        numbers.filter_map(|&n| self.edges.get(n as usize))
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
    fn certificates(&mut self, world: &World<'_>, overview: &Overview) {
        let mut by_authority: HashMap<String, Vec<usize>> = HashMap::default();
        for (number, edge) in self.edges.iter().enumerate() {
            let Some(key) = world.keys.get(edge.key) else {
                continue;
            };
            let mut seen = world.at(&key.all);
            if edge.access.via == Via::Authority
                && let Some(fingerprint) = seen.find_map(|s| s.fingerprints.ssh_sha256())
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
        for index in overview.keys_with(Kind::SshCertificate) {
            let Some(key) = world.keys.get(index) else {
                continue;
            };
            // One certificate is often seen beside its key and in an agent.
            let mut seen = BTreeSet::new();
            for s in world.at(&key.all) {
                let Some(ssh) = s.ssh.as_deref().filter(|ssh| is_users(s, ssh)) else {
                    continue;
                };
                let facts = ssh.rare();
                let signer = facts.signed_by.as_deref().unwrap_or_default();
                if !seen.insert((
                    signer,
                    &facts.serial,
                    &facts.certificate_key_id,
                    facts.valid_before,
                )) {
                    continue;
                }
                let authorities = by_authority.get(signer).into_iter().flatten();
                for edge in authorities.filter_map(|&n| self.edges.get(n)) {
                    let listed = |name: &String| edge.access.principals.contains(name);
                    let open = edge.nameless && facts.principals.is_empty();
                    if !open && !facts.principals.iter().any(listed) {
                        continue;
                    }
                    found.push(Edge {
                        key: index,
                        host: edge.host,
                        nameless: false,
                        access: of_certificate(world, key, facts, &edge.access),
                    });
                }
            }
        }
        self.edges.extend(found);
    }
}

/// By host, account and key, and then by whatever tells two apart.
fn order(one: &Edge, other: &Edge) -> Ordering {
    let (a, b) = (&one.access, &other.access);
    let rest = |access: &SshAccess| (access.line, access.via);
    a.host
        .cmp(&b.host)
        .then_with(|| (a.uid, &a.account).cmp(&(b.uid, &b.account)))
        .then_with(|| a.key_id.by_text(&b.key_id))
        .then_with(|| a.path.cmp(&b.path))
        .then_with(|| rest(a).cmp(&rest(b)))
        .then_with(|| a.certificate.cmp(&b.certificate))
}

fn is_users(s: &Sighting, ssh: &Ssh) -> bool {
    s.kind == Kind::SshCertificate && ssh.rare().certificate_type.as_deref() == Some("user")
}

fn of_certificate(world: &World<'_>, key: &Key, ssh: &RareSsh, authority: &SshAccess) -> SshAccess {
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
fn of_grant(world: &World<'_>, key: &Key, s: &Sighting, mut each: impl FnMut(SshAccess)) {
    let none = Ssh::default();
    let facts = s.ssh.as_deref().unwrap_or(&none);
    let rare = facts.rare();
    let options = Options::read(facts.options.as_deref().unwrap_or_default());
    let authority = rare.marker.as_deref() == Some("cert-authority");
    let expired = rare.valid_before.is_some_and(|end| world.now >= end);
    let of = |opens: Option<&Opens>| {
        let refused = opens.and_then(|o| o.refused.clone());
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
        let principals = match (opens, authority) {
            (_, false) => Vec::new(),
            _ if !rare.principals.is_empty() => rare.principals.clone(),
            (Some(o), _) if !o.principals.is_empty() => o.principals.to_vec(),
            (Some(o), _) if rare.directive.as_deref() != Some("TrustedUserCAKeys") => {
                vec![o.account.to_string()]
            }
            _ => Vec::new(),
        };
        SshAccess {
            key_id: key.id.clone(),
            host: s.host.clone().unwrap_or_default(),
            uid: opens.map(|o| o.uid),
            no_shell: opens.is_some_and(|o| o.no_shell),
            account: opens.map(|o| o.account.clone()),
            state,
            via: if authority {
                Via::Authority
            } else {
                Via::Grant
            },
            path: s.location.path.clone(),
            line: s.location.line.get(),
            command: options.command.clone(),
            from: options.from.clone(),
            limits: options.limits.clone(),
            until: rare.valid_before,
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
        return facts.opens.iter().map(Some).map(of).for_each(each);
    }
    // Sweeps of before tell only in whose home the file lies.
    let home = s.file.as_ref().and_then(|f| f.home_of.as_deref());
    let mut access = of(None);
    access.account = home.map(SharedText::from);
    access.uid = home.filter(|&h| h == "root").map(|_| 0);
    each(access);
}

/// The places of encrypted keys that probably are a key.
fn probable<'w>(
    world: &'w World<'_>,
    overview: &'w Overview,
) -> HashMap<&'w KeyId, BTreeSet<String>> {
    let mut found: HashMap<&KeyId, BTreeSet<String>> = HashMap::default();
    for s in world.seen(overview.probable()) {
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
    overview: &Overview,
    (index, key): (usize, &Key),
    probable: &HashMap<&KeyId, BTreeSet<String>>,
) -> Vec<String> {
    let others = probable.get(&key.id);
    if others.is_none() && !overview.is_private(index) {
        return Vec::new();
    }
    let is_private = |n: &usize| overview.kind(*n).is_some_and(Kind::is_private);
    let private = key.all.iter().filter(is_private);
    let private = private.filter_map(|n| world.sightings.get(n));
    let places: BTreeSet<String> = private.map(|s| World::place(s).to_string()).collect();
    let others = others.into_iter().flatten().cloned();
    places.into_iter().chain(others).take(HELD_LIMIT).collect()
}
