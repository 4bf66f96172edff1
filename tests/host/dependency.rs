//! Files of languages' package managers, laid out by the real tools where they work without a network.

use super::{Root, dependency, own, run};
use std::fs;

const GO_ZIPHASH: &str = "h1:JcmJc7rSPSGE6D5BFw7QMQdFa7Dxwes2eWKFCxfzIgc=";

/// First word of what a checksum tool says of a file.
fn sum(root: &Root, tool: &str, path: &str) -> String {
    let line = run(root.path(), tool, &[path]);
    line.split(' ').next().unwrap().to_owned()
}

#[test]
fn cargo_registry() {
    let root = Root::new();
    root.write(
        "c/Cargo.toml",
        "[package]\nname = \"md-5\"\nversion = \"0.11.0-rc.1\"\nedition = \"2021\"\n",
    );
    root.write("c/src/lib.rs", "")
        .write("c/tests/key.pem", "hello")
        .write("c/tests/b.pem", "b");
    let deep = format!("tests/{}/{}.pem", "d".repeat(90), "n".repeat(120));
    root.write(&format!("c/{deep}"), "long name");
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let arguments = [
        "package",
        "--offline",
        "--no-verify",
        "--allow-dirty",
        "--no-metadata",
        "--target-dir",
        "../target",
    ];
    run(&root.at("c"), &cargo, &arguments);
    let registry = "root/.cargo/registry";
    let archive = format!("{registry}/cache/index-0/md-5-0.11.0-rc.1.crate");
    root.write(
        &archive,
        fs::read(root.at("target/package/md-5-0.11.0-rc.1.crate")).unwrap(),
    );
    fs::create_dir_all(root.at(&format!("{registry}/src/index-0"))).unwrap();
    let destination = format!("{registry}/src/index-0");
    run(root.path(), "tar", &["-xzf", &archive, "-C", &destination]);
    let crate_root = format!("{destination}/md-5-0.11.0-rc.1");
    let key = format!("/{crate_root}/tests/key.pem");
    assert_eq!(root.class(&key), own(None), "not finished: no .cargo-ok");
    root.write(&format!("{crate_root}/.cargo-ok"), "{\"v\":1}");
    let package = dependency("cargo:md-5@0.11.0-rc.1");
    assert_eq!(root.class(&key), package);
    assert_eq!(root.class(&format!("/{crate_root}/{deep}")), package);
    root.write(&format!("{crate_root}/tests/b.pem"), "changed");
    assert_eq!(
        root.class(&format!("/{crate_root}/tests/b.pem")),
        own(Some("cargo:md-5@0.11.0-rc.1"))
    );
    root.write(&format!("{crate_root}/mine.pem"), "hello");
    assert_eq!(root.class(&format!("/{crate_root}/mine.pem")), own(None));
    // The archive itself, by the index.
    let archive = format!("/{archive}");
    assert_eq!(root.class(&archive), own(None));
    let digest = sum(&root, "sha256sum", &archive[1..]);
    let entry = format!("\u{3}\0\0\00.11.0-rc.1\0{{\"name\":\"md-5\",\"cksum\": \"{digest}\"}}\0");
    root.write(
        &format!("{registry}/index/index-0/.cache/md/-5/md-5"),
        entry,
    );
    assert_eq!(root.class(&archive), package);
    fs::remove_file(root.at(&archive)).unwrap();
    assert_eq!(root.class(&key), own(None), "nothing to compare with");
}

#[test]
fn cargo_vendored() {
    let root = Root::new();
    let place = "srv/app/vendor/demo";
    root.write(
        &format!("{place}/Cargo.toml"),
        "[package]\nname = \"demo\"\nversion = \"1.2.3\"\n",
    );
    root.write(&format!("{place}/a.pem"), "hello")
        .write(&format!("{place}/b.pem"), "b");
    let file = |name: &str| {
        format!(
            "\"{name}\":\"{}\"",
            sum(&root, "sha256sum", &format!("{place}/{name}"))
        )
    };
    let checksums = format!(
        "{{\"files\":{{{},{}}},\"package\":\"00\"}}",
        file("a.pem"),
        file("b.pem")
    );
    let path = |name: &str| format!("/{place}/{name}");
    assert_eq!(root.class(&path("a.pem")), own(None));
    root.write(&format!("{place}/.cargo-checksum.json"), checksums);
    root.write(&format!("{place}/b.pem"), "changed")
        .write(&format!("{place}/mine.pem"), "x");
    assert_eq!(root.class(&path("a.pem")), dependency("cargo:demo@1.2.3"));
    assert_eq!(root.class(&path("b.pem")), own(Some("cargo:demo@1.2.3")));
    assert_eq!(root.class(&path("mine.pem")), own(None));
}

#[test]
fn cargo_git_checkouts() {
    let root = Root::new();
    let place = "root/.cargo/git/checkouts/demo-0123456789abcdef/abc1234";
    root.write(&format!("{place}/a.pem"), "hello\n")
        .write(&format!("{place}/tests/longer name.pem"), "b");
    let git = |arguments: &[&str]| run(&root.at(place), "git", arguments);
    git(&["init", "--quiet"]);
    git(&["add", "."]);
    let path = |name: &str| format!("/{place}/{name}");
    assert_eq!(root.class(&path("a.pem")), own(None));
    root.write(&format!("{place}/.cargo-ok"), "")
        .write(&format!("{place}/mine.pem"), "x");
    assert_eq!(root.class(&path("a.pem")), dependency("cargo:demo@abc1234"));
    assert_eq!(
        root.class(&path("tests/longer name.pem")),
        dependency("cargo:demo@abc1234")
    );
    assert_eq!(root.class(&path("mine.pem")), own(None));
    root.write(&format!("{place}/a.pem"), "changed");
    assert_eq!(root.class(&path("a.pem")), own(Some("cargo:demo@abc1234")));
}

#[test]
fn pip_records() {
    let root = Root::new();
    // A wheel is a zip with a RECORD; pip writes its own on installation.
    root.write("w/demo/__init__.py", "")
        .write("w/demo/cacert.pem", "hello")
        .write("w/demo/b, c.pem", "b");
    root.write(
        "w/demo-1.0.dist-info/METADATA",
        "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n",
    );
    root.write(
        "w/demo-1.0.dist-info/WHEEL",
        "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    );
    root.write("w/demo-1.0.dist-info/RECORD", "");
    let script = "import zipfile, os, hashlib, base64\n\
        with zipfile.ZipFile('demo-1.0-py3-none-any.whl', 'w') as wheel:\n    \
        rows = []\n    \
        os.chdir('w')\n    \
        for top, _, files in os.walk('.'):\n        \
        for name in files:\n            \
        path = os.path.relpath(os.path.join(top, name))\n            \
        if name == 'RECORD': continue\n            \
        data = open(path, 'rb').read()\n            \
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()\n            \
        rows.append(f'\"{path}\",sha256={digest},{len(data)}\\n')\n            \
        wheel.writestr(path, data)\n    \
        wheel.writestr('demo-1.0.dist-info/RECORD', ''.join(rows) + 'demo-1.0.dist-info/RECORD,,\\n')\n";
    run(root.path(), "python3", &["-c", script]);
    let target = "opt/app/lib";
    let arguments = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-index",
        "--no-deps",
        "--target",
        target,
    ];
    let wheel = "demo-1.0-py3-none-any.whl";
    run(root.path(), "python3", &[&arguments[..], &[wheel]].concat());
    let path = |name: &str| format!("/{target}/demo/{name}");
    assert_eq!(root.class(&path("cacert.pem")), dependency("pip:demo@1.0"));
    assert_eq!(root.class(&path("b, c.pem")), dependency("pip:demo@1.0"));
    root.write(&path("cacert.pem"), "with a local CA")
        .write(&path("mine.pem"), "hello");
    assert_eq!(root.class(&path("cacert.pem")), own(Some("pip:demo@1.0")));
    assert_eq!(root.class(&path("mine.pem")), own(None));
    fs::remove_file(root.at(&format!("{target}/demo-1.0.dist-info/RECORD"))).unwrap();
    assert_eq!(root.class(&path("b, c.pem")), own(None));
}

#[test]
fn npm_installations() {
    let root = Root::new();
    root.write(
        "p/package.json",
        "{\"name\":\"@scope/demo\",\"version\":\"1.2.3\"}",
    );
    root.write("p/test/key.pem", "hello").write(
        "app/package.json",
        "{\"name\":\"app\",\"version\":\"1.0.0\"}",
    );
    // Its home is the package, which would be packed with the log that it writes meanwhile.
    let arguments = ["pack", "--offline", "--loglevel=error", "--logs-max=0"];
    run(&root.at("p"), "npm", &arguments);
    let arguments = [
        "install",
        "--offline",
        "--loglevel=error",
        "--no-audit",
        "--no-fund",
        "../p/scope-demo-1.2.3.tgz",
    ];
    run(&root.at("app"), "npm", &arguments);
    let key = "/app/node_modules/@scope/demo/test/key.pem";
    let package = "npm:@scope/demo@1.2.3";
    assert_eq!(root.class(key), dependency(package));
    root.write("app/node_modules/@scope/demo/mine.pem", "x");
    root.touch_later("app/node_modules/@scope/demo/mine.pem");
    assert_eq!(
        root.class("/app/node_modules/@scope/demo/mine.pem"),
        own(Some(package))
    );
    root.write(
        "app/node_modules/other/package.json",
        "{\"name\":\"other\",\"version\":\"1.0.0\"}",
    );
    root.write("app/node_modules/other/key.pem", "x");
    assert_eq!(
        root.class("/app/node_modules/other/key.pem"),
        own(Some("npm:other@1.0.0")),
        "not in the lock"
    );
    root.write(
        "app/node_modules/@scope/demo/package.json",
        "{\"name\":\"@scope/demo\",\"version\":\"9.9.9\"}",
    );
    assert_eq!(
        root.class(key),
        own(Some("npm:@scope/demo@9.9.9")),
        "another version than the lock's"
    );
    // The archive in npm's cache has its digest for a name.
    let cache = run(
        root.path(),
        "find",
        &["app/.npm/_cacache/content-v2/sha512", "-type", "f"],
    );
    let archive = cache.lines().next().unwrap();
    assert_eq!(root.class(&format!("/{archive}")), dependency("npm:cache"));
    fs::remove_file(root.at(archive)).unwrap();
    root.write(archive, "changed");
    assert_eq!(root.class(&format!("/{archive}")), own(Some("npm:cache")));
}

#[test]
fn yarn_and_pnpm_locks() {
    let root = Root::new();
    let manifest = "{\"name\":\"demo\",\"version\":\"1.2.3\"}";
    root.write("y/node_modules/demo/package.json", manifest)
        .write("y/node_modules/demo/a.pem", "x");
    assert_eq!(
        root.class("/y/node_modules/demo/a.pem"),
        own(Some("npm:demo@1.2.3"))
    );
    let entries = "{\"lockfileEntries\":{\"demo@^1.0.0\":\"https://registry.example.org/demo/-/demo-1.2.3.tgz#00\"}}";
    root.write("y/node_modules/.yarn-integrity", entries);
    assert_eq!(
        root.class("/y/node_modules/demo/a.pem"),
        dependency("npm:demo@1.2.3")
    );
    let place = "p/node_modules/.pnpm/demo@1.2.3/node_modules/demo";
    root.write(&format!("{place}/package.json"), manifest)
        .write(&format!("{place}/a.pem"), "x");
    root.write(
        "p/node_modules/.pnpm/lock.yaml",
        "packages:\n\n  demo@1.2.3:\n    resolution: {}\n",
    );
    assert_eq!(
        root.class(&format!("/{place}/a.pem")),
        dependency("npm:demo@1.2.3")
    );
}

#[test]
fn go_modules() {
    let root = Root::new();
    let module = "root/go/pkg/mod/example.org/!demo@v1.0.0";
    root.write(&format!("{module}/go.mod"), "module example.org/Demo\n");
    root.write(&format!("{module}/testdata/key.pem"), "hello");
    root.write(&format!("{module}/testdata-x/a.pem"), "a");
    let key = format!("/{module}/testdata/key.pem");
    assert_eq!(root.class(&key), own(None));
    // Written by Go 1.19 for these very files (`GOPROXY=file://… GONOSUMDB=* go mod download example.org/Demo@v1.0.0`).
    root.write(
        "root/go/pkg/mod/cache/download/example.org/!demo/@v/v1.0.0.ziphash",
        GO_ZIPHASH,
    );
    let package = dependency("go:example.org/Demo@v1.0.0");
    assert_eq!(root.class(&key), package);
    let zip = "root/go/pkg/mod/cache/download/example.org/!demo/@v/v1.0.0.zip";
    root.write(zip, "PK");
    assert_eq!(root.class(&format!("/{zip}")), package);
    root.touch_later(zip);
    assert_eq!(root.class(&format!("/{zip}")), own(package.1.as_deref()));
    root.write(&format!("{module}/mine.pem"), "x");
    assert_eq!(
        root.class(&key),
        own(None),
        "the module as a whole is not as recorded"
    );
}

#[test]
fn go_toolchain() {
    let root = Root::new();
    for path in [
        "src/runtime/proc.go",
        "src/cmd/go/main.go",
        "src/crypto/tls/testdata/example-key.pem",
    ] {
        root.write(&format!("usr/local/go/{path}"), "x");
    }
    let key = "/usr/local/go/src/crypto/tls/testdata/example-key.pem";
    assert_eq!(root.class(key), own(None));
    root.write(
        "usr/local/go/VERSION",
        "go1.22.0\ntime 2024-01-30T19:15:07Z\n",
    );
    assert_eq!(root.class(key), dependency("go:std@1.22.0"));
    root.touch_later(key);
    assert_eq!(root.class(key), own(Some("go:std@1.22.0")));
}

#[test]
fn gems() {
    let root = Root::new();
    let home = "var/lib/gems/3.1.0";
    let key = format!("/{home}/gems/demo-1.0.0/test/key.pem");
    root.write(&key, "x");
    assert_eq!(root.class(&key), own(None));
    root.write(
        &format!("{home}/specifications/demo-1.0.0.gemspec"),
        "Gem::Specification.new\n",
    );
    assert_eq!(root.class(&key), dependency("gem:demo@1.0.0"));
    root.touch_later(&key);
    assert_eq!(root.class(&key), own(Some("gem:demo@1.0.0")));
}

#[test]
fn maven_and_gradle_caches() {
    let root = Root::new();
    let jar = "/root/.m2/repository/org/example/demo/1.0/demo-1.0.jar";
    root.write(jar, "hello");
    assert_eq!(root.class(jar), own(None));
    let digest = sum(&root, "sha1sum", &jar[1..]);
    root.write(&format!("{jar}.sha1"), format!("{digest}  demo-1.0.jar\n"));
    root.write(
        "root/.m2/repository/org/example/demo/1.0/demo-1.0.pom",
        "<project/>",
    );
    assert_eq!(root.class(jar), dependency("maven:org.example:demo@1.0"));
    let gradle = format!(
        "/root/.gradle/caches/modules-2/files-2.1/org.example/demo/1.0/{digest}/demo-1.0.jar"
    );
    root.write(&gradle, "hello");
    assert_eq!(
        root.class(&gradle),
        dependency("maven:org.example:demo@1.0")
    );
    root.write(&gradle, "changed").write(jar, "changed");
    assert_eq!(root.class(&gradle), own(Some("maven:org.example:demo@1.0")));
    assert_eq!(root.class(jar), own(Some("maven:org.example:demo@1.0")));
}

#[test]
fn rustup_toolchains() {
    let root = Root::new();
    let place = "root/.rustup/toolchains/stable-x";
    let key = format!("/{place}/share/doc/rust/html/a/key.pem");
    root.write(&key, "x")
        .write(&format!("{place}/mine.pem"), "x");
    root.write(
        &format!("{place}/lib/rustlib/manifest-rust-docs"),
        "dir:share/doc/rust/html\nfile:bin/rustc\n",
    );
    root.write(
        &format!("{place}/lib/rustlib/multirust-channel-manifest.toml"),
        "",
    );
    assert_eq!(root.class(&key), dependency("rustup:rust-docs@stable-x"));
    assert_eq!(root.class(&format!("/{place}/mine.pem")), own(None));
    root.touch_later(&key);
    assert_eq!(root.class(&key), own(Some("rustup:rust-docs@stable-x")));
}

#[test]
fn conda_environments() {
    let root = Root::new();
    root.write("opt/conda/ssl/cacert.pem", "hello")
        .write("opt/conda/ssl/b.pem", "changed");
    let digest = sum(&root, "sha256sum", "opt/conda/ssl/cacert.pem");
    let meta = format!(
        "{{\"name\":\"demo\",\"version\":\"1.0\",\"paths_data\":{{\"paths\":[\
         {{\"_path\":\"ssl/cacert.pem\",\"sha256\":\"00\",\"sha256_in_prefix\":\"{digest}\"}},\
         {{\"_path\":\"ssl/b.pem\",\"sha256\":\"{digest}\"}}]}}}}"
    );
    assert_eq!(root.class("/opt/conda/ssl/cacert.pem"), own(None));
    root.write("opt/conda/conda-meta/demo-1.0-0.json", meta);
    assert_eq!(
        root.class("/opt/conda/ssl/cacert.pem"),
        dependency("conda:demo@1.0")
    );
    assert_eq!(
        root.class("/opt/conda/ssl/b.pem"),
        own(Some("conda:demo@1.0"))
    );
}

#[test]
fn snaps() {
    let root = Root::new();
    let key = "/snap/demo/42/etc/key.pem";
    root.write(key, "x").write(
        "snap/demo/42/meta/snap.yaml",
        "name: demo\nversion: '1.0'\n",
    );
    assert_eq!(root.class(key), own(Some("snap:demo@1.0")), "no image");
    root.write("var/lib/snapd/snaps/demo_42.snap", "hsqs");
    assert_eq!(root.class(key), dependency("snap:demo@1.0"));
    root.write("snap/demo/42/meta/snap.yaml", "name: other\n");
    assert_eq!(root.class(key), own(None));
}

/// Metadata that is broken in every way proves nothing, and does no harm.
#[test]
fn chance_bytes_prove_nothing() {
    let root = Root::new();
    for junk in [
        &b""[..],
        b"\xff\xfe\0",
        b"{",
        b"[[[[",
        b"{\"files\":{\"a.pem\":\"zz\"}}",
        &[b'['; 100_000],
    ] {
        let key = "/r/node_modules/a/a.pem";
        root.write(key, "x");
        for path in [
            "r/.cargo-checksum.json",
            "r/Cargo.toml",
            "r/a-1.dist-info/RECORD",
            "r/conda-meta/a.json",
            "r/node_modules/.package-lock.json",
            "r/node_modules/a/package.json",
            "r/node_modules/.pnpm/lock.yaml",
            "var/lib/dpkg/status",
            "var/lib/dpkg/diversions",
            "var/lib/dpkg/status.d/a",
            "lib/apk/db/installed",
            "var/lib/rpm/rpmdb.sqlite",
        ] {
            root.write(path, junk);
        }
        assert_eq!(root.class(key), own(None));
    }
}
