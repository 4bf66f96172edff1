//! Where in history a key is told to be.

use super::repository::{DER, ED25519, P256, RSA, Yard, sweep};

#[test]
fn a_deleted_key_is_told_with_the_oldest_commit_that_holds_it() {
    let yard = Yard::new();
    let commit = yard.run(
        "git init -q r; cd r; echo x >x; git add x; commit first
         mkdir -p etc/ssl; cp $fixtures/identity/p256/pkcs8.pem etc/ssl/server.key; git add .; commit second
         git mv etc/ssl/server.key other.key; commit third
         git rm -q other.key; commit fourth
         git log --all --reverse --format=%H --diff-filter=A -- etc/ssl/server.key",
    );
    let swept = yard.sweep();
    let repository = yard.path().join("r/.git");
    assert_eq!(
        swept.only(P256, &repository),
        [format!("git:{commit}"), "file:etc/ssl/server.key".into()]
    );
    let blob = yard.run("cd r; git rev-parse $(git rev-list --max-parents=0 HEAD)~0 >/dev/null; git hash-object $fixtures/identity/p256/pkcs8.pem");
    let when = yard.run(&format!(
        "cd r; TZ=UTC git log -1 --date=format-local:%FT%TZ --format='by %an <%ae> on %ad' {commit}"
    ));
    assert_eq!(
        swept.notes(P256),
        [
            when,
            format!("git blob {blob}"),
            "not in the tip of any branch".into()
        ]
    );
    assert!(swept.gaps.is_empty(), "{:?}", swept.gaps);
    assert_eq!(swept.end["complete"], true);
    assert_eq!(swept.end["scope"], "full");
}

#[test]
fn a_key_in_a_tip_is_told_apart() {
    let yard = Yard::new();
    yard.run(
        "git init -q r; cd r; cp $fixtures/identity/p256/pkcs8.pem a; git add .; commit first
         git checkout -q -b side; cp $fixtures/identity/ed25519/openssh_private b; git add .; commit second
         git checkout -q -; rm a; git commit -qam third",
    );
    let swept = yard.sweep();
    // Gone from the one branch, and still in the other.
    let is_old = |note: &String| note.contains("tip");
    for fixture in [P256, ED25519] {
        assert!(!swept.notes(fixture).iter().any(is_old), "{fixture}");
    }
    // Checked out, it is a file as well.
    yard.run("cd r; git checkout -q side");
    let swept = yard.sweep();
    let places = swept.places(P256);
    let mut paths: Vec<_> = places.iter().map(|(path, _)| path.clone()).collect();
    paths.sort();
    assert_eq!(paths, [yard.path().join("r/.git"), yard.path().join("r/a")]);
}

#[test]
fn stashes_deleted_branches_and_dangling_blobs() {
    let yard = Yard::new();
    let commits = yard.run(
        "git init -q r; cd r; echo x >x; git add x; commit first
         cp $fixtures/identity/p256/pkcs8.pem stashed; git add .; tick; git stash -q
         git checkout -q -b gone; cp $fixtures/identity/ed25519/openssh_private lost; git add .; commit second
         git rev-parse HEAD; git checkout -q -; git branch -qD gone
         git hash-object -w $fixtures/identity/rsa2048/pkcs8.pem
         # The index of the stash is the older of its two commits.
         git rev-parse stash^2",
    );
    let commits: Vec<&str> = commits.lines().collect();
    let repository = yard.path().join("r/.git");
    for (place, make_it) in [
        ("loose", ":"),
        (
            "packed",
            "cd r; git cat-file --batch-all-objects --batch-check='%(objectname)' | git pack-objects -q .git/objects/pack/pack; git prune-packed -q; test -z \"$(find .git/objects/?? -type f)\"",
        ),
    ] {
        yard.run(make_it);
        let swept = yard.sweep();
        assert_eq!(
            swept.only(P256, &repository),
            [format!("git:{}", commits[2]), "file:stashed".into()],
            "{place}"
        );
        let notes = swept.notes(P256).join("; ");
        assert!(notes.contains("not in the tip of any branch"), "{notes}");
        assert!(!notes.contains("reached"), "{notes}");
        assert_eq!(
            swept.only(ED25519, &repository),
            [format!("git:{}", commits[0]), "file:lost".into()],
            "{place}"
        );
        let notes = swept.notes(ED25519).join("; ");
        assert!(
            notes.contains("reached from no branch, tag or stash"),
            "{notes}"
        );
        assert_eq!(
            swept.only(RSA, &repository),
            ["git:".to_owned(), format!("blob:{}", commits[1])],
            "{place}"
        );
        assert_eq!(swept.notes(RSA), ["held by no commit"], "{place}");
        assert!(swept.gaps.is_empty(), "{:?}", swept.gaps);
    }
}

#[test]
fn ties_of_dates_are_settled_by_descent() {
    let yard = Yard::new();
    // The parent says to be younger than its child, and the child's sibling is as old as the child.
    let commit = yard.run(
        "git init -q r; cd r; echo x >x; git add x; commit zero
         cp $fixtures/identity/p256/pkcs8.pem k; git add .
         export GIT_COMMITTER_DATE='1900000000 +0000'; git commit -qm parent; git rev-parse HEAD
         export GIT_COMMITTER_DATE='1000000000 +0000'; mkdir d; git mv k d/k; git commit -qm child; rm d/k",
    );
    let members = yard.sweep().only(P256, &yard.path().join("r/.git"));
    assert_eq!(members, [format!("git:{commit}"), "file:k".into()]);
}

#[test]
fn messages_archives_and_binary_files() {
    let yard = Yard::new();
    let commits = yard.run(
        "git init -q r; cd r; cp $fixtures/identity/rsa2048/certificate.der c; git add c; commit first; git rev-parse HEAD
         cp $fixtures/identity/p256/pkcs8.pem k.pem; tar -czf all.tar.gz k.pem; rm k.pem; git add .; commit second; git rev-parse HEAD
         git rm -qr .; tick; { echo oops; echo; cat $fixtures/identity/ed25519/openssh_private; } >m; git commit -q --cleanup=verbatim -F m; git rev-parse HEAD; rm m .git/COMMIT_EDITMSG
         { echo tagged; cat $fixtures/identity/rsa2048/pkcs8.pem; } >m; git tag -a -F m v1; rm m; git rev-parse v1",
    );
    let commits: Vec<&str> = commits.lines().collect();
    let repository = yard.path().join("r/.git");
    for packed in [false, true] {
        if packed {
            yard.run("cd r; git gc -q --aggressive --prune=now");
        }
        let swept = yard.sweep();
        let git = |n: usize| format!("git:{}", commits[n]);
        assert_eq!(swept.only(DER, &repository), [git(0), "file:c".into()]);
        assert_eq!(
            swept.only(P256, &repository),
            [
                git(1),
                "file:all.tar.gz".into(),
                "gzip:".into(),
                "tar:k.pem".into()
            ]
        );
        assert_eq!(
            swept.only(ED25519, &repository),
            [git(2), "message:".into()]
        );
        assert_eq!(swept.only(RSA, &repository), [git(3), "message:".into()]);
        assert!(swept.gaps.is_empty(), "{:?}", swept.gaps);
    }
}

#[test]
fn a_file_name_says_what_was_found() {
    let yard = Yard::new();
    yard.run(
        "git init -q r; cd r; mkdir .ssh; cp $fixtures/identity/ed25519/openssh_public.pub .ssh/authorized_keys
         git add .; commit first; git rm -qr .; git commit -qm second",
    );
    let kinds: Vec<_> = yard
        .sweep()
        .sightings
        .iter()
        .map(|s| s["kind"].clone())
        .collect();
    assert_eq!(kinds, ["authorized_key"]);
}

#[test]
fn names_with_control_characters_do_not_reach_a_terminal() {
    let yard = Yard::new();
    yard.run(
        "git init -q r; cd r; cp $fixtures/identity/p256/pkcs8.pem $'k\\x1b[31m\\xff.pem'; git add .
         export GIT_AUTHOR_NAME=$'Eve\\x1b]0;title\\x07\\xe2\\x80\\xae'; commit first; git rm -qr .; git commit -qm second",
    );
    let swept = yard.sweep();
    assert!(
        swept.notes(P256)[0].contains("Eve"),
        "{:?}",
        swept.notes(P256)
    );
    let sighting = &swept.sightings[0];
    assert!(sighting["location"]["inside"][1]["name_bytes"].is_string());
    let path = yard.path().to_str().unwrap();
    for format in ["text", "json", "jsonl"] {
        let output = crate::support::keymuster(&["scan", "-q", "-v", "-f", format, path]);
        let bad = |byte: &u8| byte.is_ascii_control() && *byte != b'\n';
        assert!(!output.stdout.iter().any(bad), "{format}");
    }
}

#[test]
fn what_is_left_closed_is_told() {
    let yard = Yard::new();
    yard.run("git init -q r; cd r; cp $fixtures/identity/p256/pkcs8.pem k; git add .; commit first; rm k");
    let swept = sweep(yard.path(), &["--shallow"]);
    assert!(swept.sightings.is_empty());
    assert_eq!(swept.gaps.len(), 1, "{:?}", swept.gaps);
    assert_eq!(swept.gaps[0]["reason"], "not_swept");
    assert_eq!(
        swept.gaps[0]["path"],
        yard.path().join("r/.git").to_str().unwrap()
    );
    assert_eq!(swept.end["scope"], "reduced");
}
