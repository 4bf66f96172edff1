//! Trust stores: which certificates in them come from the distribution. Certificates are made by openssl, and so are
//! their digests.

use super::{Root, run};
use keymuster::host::Host;
use keymuster::model::Class;

/// Makes a CA certificate, and returns the SHA-256 of its DER.
fn certificate(root: &Root, path: &str) -> [u8; 32] {
    root.write(path, "");
    let arguments = [
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-subj",
        "/CN=Test CA",
        "-keyout",
        "/dev/null",
        "-out",
        path,
    ];
    run(root.path(), "openssl", &arguments);
    let line = run(
        root.path(),
        "openssl",
        &["x509", "-in", path, "-noout", "-fingerprint", "-sha256"],
    );
    let digits = line.trim().split('=').nth(1).unwrap().replace(':', "");
    let bytes: Vec<u8> = (0..64)
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap())
        .collect();
    bytes.try_into().unwrap()
}

#[test]
fn shipped_certificates_are_anchors_and_local_ones_are_not() {
    let root = Root::new();
    let shipped = certificate(&root, "usr/share/ca-certificates/mozilla/A.crt");
    let changed = certificate(&root, "usr/share/ca-certificates/mozilla/B.crt");
    let local = certificate(&root, "usr/local/share/ca-certificates/corp.crt");
    let unlisted = certificate(&root, "usr/share/ca-certificates/stray.crt");
    let sum = run(
        root.path(),
        "md5sum",
        &["usr/share/ca-certificates/mozilla/A.crt"],
    );
    let other = "d41d8cd98f00b204e9800998ecf8427e  usr/share/ca-certificates/mozilla/B.crt\n";
    root.write(
        "var/lib/dpkg/status",
        "Package: ca-certificates\nStatus: install ok installed\nVersion: 2\n",
    );
    root.write("var/lib/dpkg/info/ca-certificates.list", "/.\n");
    root.write(
        "var/lib/dpkg/info/ca-certificates.md5sums",
        format!("{sum}{other}"),
    );
    let host = root.host();
    assert!(host.is_distribution_anchor(&shipped));
    for certificate in [changed, local, unlisted] {
        assert!(!host.is_distribution_anchor(&certificate));
    }
    let bundle = b"/etc/ssl/certs/ca-certificates.crt";
    let class = |path: &[u8], file, certificate, is_ca| {
        host.class_of_certificate(path, file, certificate, is_ca)
    };
    assert_eq!(
        class(bundle, Class::Own, &shipped, true),
        Class::TrustAnchor
    );
    assert_eq!(class(bundle, Class::Own, &local, true), Class::Own);
    assert_eq!(class(bundle, Class::Own, &shipped, false), Class::Own);
    assert_eq!(
        class(b"/srv/app/ca.pem", Class::Own, &shipped, true),
        Class::Own
    );
    assert_eq!(
        class(b"/opt/jre/lib/security/cacerts", Class::Own, &shipped, true),
        Class::TrustAnchor
    );
    // The package's own file stays the vendor's.
    assert_eq!(
        root.class("/usr/share/ca-certificates/mozilla/A.crt").0,
        Class::Vendor
    );
    assert_eq!(class(bundle, Class::Vendor, &shipped, true), Class::Vendor);
}

#[test]
fn without_packages_there_are_no_anchors() {
    let root = Root::new();
    let certificate = certificate(&root, "usr/share/ca-certificates/A.crt");
    assert!(!root.host().is_distribution_anchor(&certificate));
    assert!(Host::is_trust_store(b"/etc/ssl/certs/x.pem"));
}
