//! One file per format behind one trait and one static list; none imports a sibling.
//!
//! Adding a format is one new file, one line in [`ALL`], one fixture folder and one row in the README's table.

pub mod age_encrypted;
pub mod age_key;
pub mod allowed_signers;
pub mod authorized_keys;
pub mod capi_blob;
pub mod ceph_keyring;
pub mod cng_blob;
pub mod crl;
pub mod dnssec;
pub mod dropbear;
pub mod dsa;
pub mod encrypted_pkcs8;
pub mod gnupg_private_key;
pub mod jenkins_credentials;
pub mod jwk;
pub mod keytab;
pub mod known_hosts;
pub mod kubernetes_encryption;
pub mod luks;
pub mod minisign;
pub mod openpgp;
pub mod openssh_private;
pub mod openssh_public;
pub mod openvpn;
pub mod parameters;
pub mod pkcs1;
pub mod pkcs10;
pub mod pkcs7;
pub mod pkcs8;
pub mod ppk;
pub mod pvk;
pub mod rfc4716;
pub mod sec1;
pub mod signify;
pub mod sops;
pub mod spkac;
pub mod spki;
pub mod ssh1;
pub mod ssh_certificate;
pub mod ssh_com;
pub mod tor_onion;
pub mod traditional_encrypted;
pub mod tsig;
pub mod tss2;
pub mod unread_der;
pub mod wire;
pub mod wireguard;
pub mod x509;
pub mod xml_key;

use crate::containers::ansible_vault::AnsibleVault;
use crate::containers::bare_base64::BareBase64;
use crate::containers::base64_run::Base64Run;
use crate::containers::bcfks::Bcfks;
use crate::containers::bks::{Bks, Uber};
use crate::containers::der_run::DerRun;
use crate::containers::dpapi::DPAPI;
use crate::containers::gnupg_keybox::GnupgKeybox;
use crate::containers::hex_run::HexRun;
use crate::containers::ibm_kdb::IBM_KDB;
use crate::containers::jks::{Jceks, Jks};
use crate::containers::macos_keychain::MACOS_KEYCHAIN;
use crate::containers::mail_part::MailPart;
use crate::containers::nss::Nss;
use crate::containers::nss_legacy::NssLegacy;
use crate::containers::oracle_sso::ORACLE_SSO;
use crate::containers::pem_armour::PemArmour;
use crate::containers::pkcs12::Pkcs12;
use crate::containers::pki_path::PkiPath;
use crate::containers::sst::SST;
use crate::containers::url_run::UrlRun;
use crate::containers::windows_key::WindowsKey;
use crate::model::{Candidate, Clue, Reading};

/// A reader of one format, or of one kind of container.
///
/// A reader never fails: what it recognises and cannot read is a [`crate::model::Fault`], what is not
/// its own is [`Reading::NotMine`]. It does no I/O and keeps no state.
pub trait Format: Sync {
    /// The format's name in records, lower snake case.
    fn name(&self) -> &'static str;

    /// The literals that, found where they may stand in a file, make a candidate with the given clue.
    fn signatures(&self) -> &'static [Signature] {
        &[]
    }

    /// The clues of the candidates that this reader is asked about.
    fn clues(&self) -> &'static [Clue];

    /// Looks at one candidate.
    fn read(&self, candidate: &Candidate<'_>) -> Reading;
}

/// A literal worth a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature {
    /// The exact bytes.
    pub literal: &'static [u8],
    /// What finding them suggests.
    pub clue: Clue,
    /// Where they mean that.
    pub place: Place,
}

/// Where a literal may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Anywhere: it is searched in every byte, so each further one that begins unlike the others costs time.
    Anywhere,
    /// So many bytes behind the first of a file or member, and nowhere else: compared once a file, which is free.
    Start(usize),
}

impl Signature {
    /// A literal of at least three bytes that may stand anywhere; the candidate's `at` is its first byte.
    pub const fn anywhere(literal: &'static [u8], clue: Clue) -> Self {
        Self {
            literal,
            clue,
            place: Place::Anywhere,
        }
    }

    /// A literal (a magic number) that counts only `offset` bytes behind the first byte of a file or member;
    /// the candidate's `at` is that first byte, 0. It must lie within the first 64 KiB.
    pub const fn at_start(offset: usize, literal: &'static [u8], clue: Clue) -> Self {
        Self {
            literal,
            clue,
            place: Place::Start(offset),
        }
    }
}

/// Every format, in the order in which they are asked.
pub static ALL: &[&dyn Format] = &[
    &PemArmour,
    &DerRun,
    &Base64Run,
    &MailPart,
    &HexRun,
    &UrlRun,
    &Nss,
    &NssLegacy,
    &SST,
    &Pkcs12,
    &Bcfks,
    &Jks,
    &Jceks,
    &Bks,
    &Uber,
    &MACOS_KEYCHAIN,
    &ORACLE_SSO,
    &IBM_KDB,
    &DPAPI,
    &WindowsKey,
    &AnsibleVault,
    &openssh_private::OpensshPrivate,
    &openpgp::Openpgp,
    &GnupgKeybox,
    &gnupg_private_key::GnupgPrivateKey,
    &rfc4716::Rfc4716,
    &ssh_com::SshCom,
    &ssh1::Ssh1,
    &ppk::Ppk,
    &dropbear::Dropbear,
    &tor_onion::TorOnion,
    &age_key::AgeKey,
    &age_encrypted::AgeEncrypted,
    &minisign::Minisign,
    &signify::Signify,
    &wireguard::Wireguard,
    &jwk::Jwk,
    &xml_key::XmlKey,
    &dnssec::Dnssec,
    &tsig::Tsig,
    &keytab::Keytab,
    &ceph_keyring::CephKeyring,
    &kubernetes_encryption::KubernetesEncryption,
    &openvpn::Openvpn,
    &tss2::Tss2,
    &pvk::Pvk,
    &capi_blob::CapiBlob,
    &cng_blob::CngBlob,
    &luks::Luks,
    &jenkins_credentials::JenkinsCredentials,
    &sops::Sops,
    &BareBase64,
    &ssh_certificate::SshCertificate,
    &allowed_signers::AllowedSigners,
    &known_hosts::KnownHosts,
    &authorized_keys::AuthorizedKeys,
    &openssh_public::OpensshPublic,
    &traditional_encrypted::TraditionalEncrypted,
    &parameters::Parameters,
    &x509::X509,
    &pkcs8::Pkcs8,
    &encrypted_pkcs8::EncryptedPkcs8,
    &pkcs1::Pkcs1,
    &sec1::Sec1,
    &dsa::Dsa,
    &spki::SubjectPublicKeyInfo,
    &pkcs10::Pkcs10,
    &spkac::Spkac,
    &PkiPath,
    &crl::Crl,
    &pkcs7::Pkcs7,
    &unread_der::UnreadDer,
];
