//! What a row can be recognised by, in the spellings of tools and people.

use super::{entry, faults, parse};
use keymuster::model::Identifier;

#[test]
fn what_openssl_and_ssh_keygen_print_is_read() {
    let sha1 = "622af658d90057fd5fa51d8df9aed5eb14e806f9";
    let sha256 = "760b2033e166a465c1624462236601edfe8263996c7bc6c51dbbb26531e0605c";
    let md5 = "80ea1cdb01f64353efa774521ececacd";
    let spki = "0976de23766911e7ed02cdb1ee205047418c8cd02d8a4e94a029835e6d1af45b";
    let issuer = "C = DE, O = Example, CN = www.example.com";
    let serial = "1a2a6769daffe04da174d94f88c3ec1e8127de69";
    let text = "\
id\ttype\tfingerprint\tpublic key hash\tserial\tissuer\texpires\tsans\tMD5\tSubject Key Identifier
a\tcertificate\tsha1 Fingerprint=62:2A:F6:58:D9:00:57:FD:5F:A5:1D:8D:F9:AE:D5:EB:14:E8:06:F9\tCXbeI3ZpEeftAs2x7iBQR0GMjNAtik6UoCmDXm0a9Fs=\tserial=1A2A6769DAFFE04DA174D94F88C3EC1E8127DE69\tissuer=C = DE, O = Example, CN = www.example.com\tFeb 22 04:38:02 2027 GMT\tDNS:www.example.com, IP Address:10.0.0.1\tmd5 Fingerprint=80:EA:1C:DB:01:F6:43:53:EF:A7:74:52:1E:CE:CA:CD\t24:3C:FC:26:8A:AC:55:DD:DB:A5:96:89:85:ED:D0:3E:61:2B:E5:C9
b\tcertificate\tsha256 Fingerprint=76:0B:20:33:E1:66:A4:65:C1:62:44:62:23:66:01:ED:FE:82:63:99:6C:7B:C6:C5:1D:BB:B2:65:31:E0:60:5C\t\t149379399925957899996275628014001838769555627625\t\t\t\t\t
c\tssh key\t256 SHA256:bfdr+6TptlK7i91PBYF131mtwZIrnyjZdtvEqum65Xs deploy@build01 (ED25519)\t\t\t\t\t\t\t
d\tssh key\t256 MD5:2e:4d:30:34:50:9f:1a:64:63:01:3b:e0:91:96:cb:ed deploy@build01 (ED25519)\t\t\t\t\t\t\t
";
    let inventory = parse("tools.tsv", text);
    assert_eq!(faults(&inventory), []);
    let first = entry(&inventory, "a");
    assert_eq!(
        *first.identifiers,
        [
            Identifier::CertSha1(sha1.parse().unwrap()),
            Identifier::SpkiSha256(spki.parse().unwrap()),
            Identifier::Md5(md5.parse().unwrap()),
            Identifier::Ski("243cfc268aac55dddba5968985edd03e612be5c9".into()),
            Identifier::IssuerSerial {
                issuer: issuer.into(),
                serial: serial.into()
            },
            Identifier::Serial(serial.into()),
        ]
    );
    assert_eq!(
        first.expires.unwrap().at.to_string(),
        "2027-02-22T04:38:02Z"
    );
    assert_eq!(*first.sans, ["DNS:www.example.com", "IP:10.0.0.1"]);
    assert_eq!(
        *entry(&inventory, "b").identifiers,
        [
            Identifier::CertOrSpkiSha256(sha256.parse().unwrap()),
            Identifier::Serial(serial.into())
        ]
    );
    let blob = "6df76bfba4e9b652bb8bdd4f058175df59adc1922b9f28d976dbc4aae9bae57b";
    assert_eq!(
        *entry(&inventory, "c").identifiers,
        [Identifier::SshSha256(blob.parse().unwrap())]
    );
    assert_eq!(
        *entry(&inventory, "d").identifiers,
        [Identifier::SshMd5(
            "2e4d3034509f1a6463013be09196cbed".parse().unwrap()
        )]
    );
}

#[test]
fn a_digest_may_be_named_without_a_colon() {
    let hex = "87".repeat(32);
    for (cell, field) in [
        (format!("SHA-256 {hex}"), "CertOrSpkiSha256"),
        (format!("{{sha256}}{hex}"), "CertOrSpkiSha256"),
        (format!("sha256-{hex}"), "CertOrSpkiSha256"),
        (format!("sha1/{}", "87".repeat(20)), "Sha1OrPgp"),
        (
            "sha256/h4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4c=".to_owned(),
            "SpkiSha256",
        ),
    ] {
        let read = parse("t", &format!("ID,Fingerprint,Owner\nK-1,{cell},a\n"));
        let seen = format!("{:?}", read.entries[0].identifiers);
        assert!(
            seen.starts_with(&format!("[{field}(")) && read.faults.is_empty(),
            "{cell}: {seen}"
        );
    }
}

#[test]
fn a_key_id_of_ours_is_one_beside_the_registers_own() {
    let key_id = format!("spki-sha256:{}", "0a".repeat(32));
    let ours = [Identifier::KeyId(key_id.parse().unwrap())];
    for text in [
        format!("id,key_id,owner\nK-1,{key_id},a\n"),
        format!("key_id,id,owner\n{key_id},K-1,a\n"),
        format!(r#"[{{"id":"K-1","key_id":"{key_id}","owner":"a"}}]"#),
    ] {
        let read = parse("t", &text);
        assert_eq!(&*read.entries[0].id, "K-1", "{text}");
        assert_eq!(*read.entries[0].identifiers, ours, "{text}");
    }
    let alone = parse("t", &format!("key_id,owner\n{key_id},a\n"));
    assert_eq!(*alone.entries[0].id, *key_id);
    assert_eq!(*alone.entries[0].identifiers, ours);
    let numbers = parse("t", "id,key_id,owner\nK-1,4711,a\n");
    assert!(numbers.entries[0].identifiers.is_empty());
}

#[test]
fn a_row_whose_identifiers_are_all_unreadable_counts_as_unusable() {
    let good = "87".repeat(32);
    let text = format!(
        "ID,Fingerprint,SKI,Owner\nK-1,{good},,a\nK-2,{good},,a\nK-3,{good},,a\nK-4,{good},,a\nK-5,zz!!,zz,a\n"
    );
    let read = parse("t", &text);
    assert_eq!((read.rows, read.unusable, read.entries.len()), (5, 1, 5));
    let lost: Vec<&str> = read
        .faults
        .iter()
        .filter(|f| f.row_lost)
        .map(|f| f.source.as_str())
        .collect();
    assert_eq!(lost, ["t:6"], "each row once");
}
