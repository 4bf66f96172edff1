//! The passwords to try, from files that the user names; and the key under which guessable secrets are told.

use super::args::SecretArgs;
use super::config::Config;
use crate::model::Secret;
use crate::pipeline::{PasswordBook, PasswordRule};
use crate::stores::pkcs11::{self, Pins, Tokens};
use anyhow::{Context as _, bail};
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zeroize::Zeroizing;

/// Names the file of passwords where `--passwords` is not given.
const PASSWORDS_FILE: &str = "KEYMUSTER_PASSWORDS_FILE";
/// Holds the PIN where `--pin-file` is not given.
const PIN: &str = "KEYMUSTER_PKCS11_PIN";
/// A list of passwords, or a configuration, is not larger.
const SIZE_MAX: u64 = 16 << 20;
/// An HMAC key that is shorter could be guessed (RFC 2104, section 3, recommends the digest's length).
const SECRET_ID_KEY_MIN: usize = 16;

/// Reads what the arguments name.
pub(super) fn book(args: &SecretArgs, config: &Config) -> anyhow::Result<PasswordBook> {
    let named = args.passwords.clone().or_else(|| {
        std::env::var_os(PASSWORDS_FILE)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    });
    let given = named.as_deref().map(lines).transpose()?.unwrap_or_default();
    PasswordBook::new(
        &given,
        &rules(config)?,
        !args.no_default_passwords,
        args.use_found_passwords,
    )
    .map_err(|(pattern, reason)| anyhow::anyhow!("passwords for `{pattern}`: {reason}"))
}

/// The key of `--secret-id-key`.
pub(super) fn secret_id_key(args: &SecretArgs) -> anyhow::Result<Option<Secret>> {
    let Some(path) = args.secret_id_key.as_deref() else {
        return Ok(None);
    };
    let key = read(path)?;
    if key.len() < SECRET_ID_KEY_MIN {
        bail!(
            "{}: a key of at least {SECRET_ID_KEY_MIN} bytes is needed",
            path.display()
        );
    }
    Ok(Some(Secret::copy_of(&key)))
}

/// The tokens that the arguments name, with their PINs.
pub(super) fn tokens(args: &SecretArgs) -> anyhow::Result<Option<Tokens>> {
    let mut modules = Vec::new();
    for module in &args.pkcs11_module {
        let path = module.canonicalize();
        modules.push(path.with_context(|| format!("--pkcs11-module {}", module.display()))?);
    }
    if args.pkcs11 {
        modules.extend(pkcs11::modules());
    }
    if modules.is_empty() {
        return Ok(None);
    }
    let pins = match (&args.pin_file, std::env::var_os(PIN)) {
        (Some(path), _) => Pins::read(&read(path)?),
        (None, Some(pin)) => Pins::read(&Zeroizing::new(pin.into_encoded_bytes())),
        (None, None) => Pins::default(),
    };
    Ok(Some(Tokens {
        modules,
        pins,
        program: std::env::current_exe().context("this program's own path")?,
    }))
}

fn rules(config: &Config) -> anyhow::Result<Vec<PasswordRule>> {
    let rules = config.passwords.iter().map(|rule| {
        Ok(PasswordRule {
            paths: rule.paths.clone(),
            texts: lines(&config.directory.join(&rule.file))?,
        })
    });
    rules.collect()
}

/// One password a line: blanks are kept, an empty line is the empty password.
fn lines(path: &Path) -> anyhow::Result<Vec<Arc<Secret>>> {
    let bytes = read(path)?;
    let text = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    let lines = text.split(|b| *b == b'\n');
    Ok(lines
        .map(|line| Arc::new(Secret::copy_of(line.strip_suffix(b"\r").unwrap_or(line))))
        .collect())
}

/// A file that the user names, of a bounded size.
pub(super) fn read(path: &Path) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    let context = || path.display().to_string();
    let file = File::open(path).with_context(context)?;
    let size = file.metadata().with_context(context)?.len();
    // Room for all of it at once: a buffer that grows leaves copies behind.
    let room = usize::try_from(size.min(SIZE_MAX)).unwrap_or(0);
    let mut bytes = Zeroizing::new(Vec::with_capacity(room + 1));
    file.take(SIZE_MAX + 1)
        .read_to_end(&mut bytes)
        .with_context(context)?;
    if bytes.len() as u64 > SIZE_MAX {
        bail!("{}: larger than {} MiB", path.display(), SIZE_MAX >> 20);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_lines(text: &[u8]) -> Vec<Vec<u8>> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("list");
        std::fs::write(&path, text).unwrap();
        let found = lines(&path).unwrap();
        found.iter().map(|one| one.expose().to_vec()).collect()
    }

    #[test]
    fn blanks_are_kept_and_an_empty_line_is_the_empty_password() {
        assert_eq!(read_lines(b" a \n\nb\r\n"), [&b" a "[..], b"", b"b"]);
        assert_eq!(read_lines(b"a"), [b"a"]);
        assert_eq!(read_lines(b"\n"), [b""]);
        assert!(read_lines(b"").is_empty());
    }

    #[test]
    fn a_configuration_names_files_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::write(at("app.txt"), "one\ntwo\n").unwrap();
        let config = "[[passwords]]\npaths = [\"/etc/app/**\"]\nfile = \"app.txt\"\n";
        std::fs::write(at("keymuster.toml"), config).unwrap();
        let load = || Config::load(Some(&at("keymuster.toml")));
        let found = rules(&load().unwrap()).unwrap();
        assert_eq!(found[0].paths, ["/etc/app/**"]);
        assert_eq!(found[0].texts.len(), 2);
        std::fs::write(at("keymuster.toml"), "[[passwords]]\npath = 1\n").unwrap();
        let error = load().unwrap_err().to_string();
        assert!(error.contains("keymuster.toml:2"), "{error}");
    }
}
