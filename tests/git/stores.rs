//! How repositories keep their objects.

use super::repository::{DER, ED25519, P256, RSA, Yard};

/// A key that is committed and deleted, twice for deltas' sake in a long file.
const HISTORY: &str = "
    git init -q r; cd r
    for i in $(seq 60); do seq 3000 >long; echo $i >>long; git add long; commit $i; done
    sed -i '1500r '$fixtures/identity/p256/pkcs8.pem long; git add long; commit key; git rev-parse HEAD
    sed -i '20,30d' long; git add long; commit edited
    seq 3000 >long; git add long; commit gone
    cp $fixtures/identity/rsa2048/certificate.der c; git add c; commit der; git rm -q c; commit 'der gone'";

#[test]
fn packs_of_every_make() {
    for (how, script) in [
        ("loose", ":"),
        ("gc", "git gc -q --aggressive --prune=now"),
        (
            "references by name",
            "git repack -qadf --depth=50 --window=50; git -c pack.useDeltaBaseOffset=false -c repack.useDeltaBaseOffset=false repack -qadf",
        ),
        (
            "several packs",
            "git repack -qd; for i in 1 2 3; do echo $i >f$i; git add .; commit $i; git repack -qd; done; git repack -qd",
        ),
        (
            "index of version 1",
            "git -c pack.indexVersion=1 repack -qadf",
        ),
        (
            "no compression",
            "git -c pack.compression=0 -c core.compression=0 repack -qadF",
        ),
        (
            "large offsets",
            "git repack -qad; p=$(ls .git/objects/pack/*.pack); i=${p%.pack}.idx; rm -f $i; git index-pack --index-version=2,0x40 -o $i $p >/dev/null",
        ),
        ("a pack beside the loose ones", "git repack -qa"),
        (
            "a multi-pack index",
            "git repack -qd; git multi-pack-index write",
        ),
    ] {
        let yard = Yard::new();
        let commit = yard.run(&format!("{HISTORY}\n{script}"));
        let swept = yard.sweep();
        let repository = yard.path().join("r/.git");
        // The long file holds it in two versions.
        let places = swept.places(P256);
        assert_eq!(places.len(), 2, "{how}: {places:?} {:?}", swept.gaps);
        assert!(
            places.contains(&(
                repository.clone(),
                vec![format!("git:{commit}"), "file:long".into()]
            )),
            "{how}: {places:?}"
        );
        assert_eq!(swept.only(DER, &repository)[1], "file:c", "{how}");
        assert!(swept.gaps.is_empty(), "{how}: {:?}", swept.gaps);
    }
}

#[test]
fn names_of_sha_256() {
    let yard = Yard::new();
    let commit = yard.run(
        "git init -q --object-format=sha256 r; cd r; cp $fixtures/identity/p256/pkcs8.pem k; git add .; commit first; git rev-parse HEAD
         git rm -q k; git commit -qm second",
    );
    assert_eq!(commit.len(), 64);
    for packed in [false, true] {
        if packed {
            yard.run("cd r; git gc -q");
        }
        let swept = yard.sweep();
        let members = swept.only(P256, &yard.path().join("r/.git"));
        assert_eq!(members, [format!("git:{commit}"), "file:k".into()]);
        assert!(
            swept
                .notes(P256)
                .iter()
                .any(|n| n.contains("not in the tip"))
        );
    }
}

#[test]
fn bare_repositories_worktrees_and_submodules() {
    let yard = Yard::new();
    yard.run(
        "git init -q inner; cd inner; cp $fixtures/identity/p256/pkcs8.pem k; git add .; commit first; git rm -q k; echo x >x; git add x; commit second
         cd ..; git init -q outer; cd outer
         git -c protocol.file.allow=always submodule -q add ../inner sub; commit sub
         git worktree add -q ../tree; cd ../tree; cp $fixtures/identity/ed25519/openssh_private t; git add t; commit t; git rm -q t; commit 't gone'
         git checkout -q --detach; cp $fixtures/identity/rsa2048/pkcs8.pem d; git add d; commit d; rm d
         cd ..; git clone -q --bare --no-local inner bare.git; rm -rf inner",
    );
    let swept = yard.sweep();
    let mut paths: Vec<_> = swept
        .places(P256)
        .into_iter()
        .map(|(path, _)| path)
        .collect();
    paths.sort();
    assert_eq!(
        paths,
        [
            yard.path().join("bare.git"),
            yard.path().join("outer/.git/modules/sub")
        ]
    );
    assert_eq!(
        swept.only(ED25519, &yard.path().join("outer/.git"))[1],
        "file:t"
    );
    // What another work tree has checked out without a branch is a tip.
    let notes = swept.notes(RSA).join("; ");
    assert!(
        !notes.contains("tip") && !notes.contains("reached"),
        "{notes}"
    );
    assert!(swept.gaps.is_empty(), "{:?}", swept.gaps);
}

#[test]
fn borrowed_objects() {
    let yard = Yard::new();
    yard.run(
        "git init -q r; cd r; cp $fixtures/identity/p256/pkcs8.pem k; git add .; commit first; git repack -qad; cd ..
         git clone -q --shared --bare r borrower.git; cd r; git rm -q k; commit second; cd ..
         git clone -q --bare borrower.git work; git clone -q --shared r new; cd new; cp $fixtures/identity/ed25519/openssh_private n; git add n; commit new; git rm -q n; commit gone",
    );
    let swept = yard.sweep();
    let count = |name: &str| {
        let path = yard.path().join(name);
        swept
            .places(P256)
            .iter()
            .filter(|(at, _)| *at == path)
            .count()
    };
    // What is borrowed is told where it lies; what was copied, there too.
    assert_eq!((count("r/.git"), count("borrower.git")), (1, 0));
    // Its tree and its commit lie with the borrower.
    assert_eq!(
        swept.only(ED25519, &yard.path().join("new/.git"))[1],
        "file:n"
    );
    assert!(swept.gaps.is_empty(), "{:?}", swept.gaps);
    // A store that nobody sweeps is told, whether or not the borrower has anything of its own.
    for own in ["", "echo x | git hash-object -w --stdin"] {
        yard.run(&format!("cd borrower.git; {own}"));
        let swept = super::repository::sweep(&yard.path().join("borrower.git"), &[]);
        assert!(swept.sightings.is_empty());
        assert_eq!(swept.gaps.len(), 1, "{:?}", swept.gaps);
        assert_eq!(swept.gaps[0]["reason"], "not_swept");
    }
}

#[test]
fn large_files_are_streamed() {
    let yard = Yard::new();
    yard.run(
        "git init -q r; cd r; { head -c 40000000 /dev/zero; cat $fixtures/identity/p256/pkcs8.pem; } >large; git add .; commit first
         { head -c 50000000 /dev/zero; cat $fixtures/identity/ed25519/openssh_private; } >large; git add .; git -c core.bigFileThreshold=1 repack -qd; commit second; rm large",
    );
    let swept = yard.sweep();
    let repository = yard.path().join("r/.git");
    for fixture in [P256, ED25519] {
        assert_eq!(swept.only(fixture, &repository)[1], "file:large");
    }
    assert!(swept.gaps.is_empty(), "{:?}", swept.gaps);
}
