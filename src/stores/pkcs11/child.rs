//! The child's side: loads the module, asks it, and writes what it says.

use super::wire::{Answer, Ask, Class, Object, Token};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::{Slot, TokenInfo};
use cryptoki::types::RawAuthPin;
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStringExt as _;
use zeroize::Zeroizing;

/// More objects than this of one token are not told.
const OBJECTS_MAX: usize = 100_000;
/// What a parent asks is short.
const ASK_MAX: u64 = 1 << 20;

/// Reads one question from `input` and writes the answers to `output`.
///
/// # Errors
/// When `output` cannot be written. What the module refuses is an answer.
pub fn run(input: impl Read, output: &mut impl Write) -> io::Result<()> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(64 << 10));
    input.take(ASK_MAX).read_to_end(&mut bytes)?;
    let ask: Ask = serde_json::from_slice(&bytes).map_err(io::Error::from)?;
    let module = STANDARD.decode(&ask.module).map_err(io::Error::other)?;
    let mut out = Out(output);
    match open(module) {
        Err(error) => out.tell(&failed(&error))?,
        Ok(context) => {
            let outcome = tokens(&context, &ask, &mut out);
            // Some modules crash at the process's end if this is left to it.
            let finalized = context.finalize();
            if let Err(error) = outcome? {
                out.tell(&failed(&error))?;
            }
            if let Err(error) = finalized {
                out.tell(&failed(&error))?;
            }
        }
    }
    Ok(())
}

fn open(module: Vec<u8>) -> Result<Pkcs11, cryptoki::error::Error> {
    let context = Pkcs11::new(OsString::from_vec(module))?;
    context.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK))?;
    Ok(context)
}

struct Out<'a, W>(&'a mut W);

impl<W: Write> Out<'_, W> {
    fn tell(&mut self, answer: &Answer) -> io::Result<()> {
        serde_json::to_writer(&mut *self.0, answer)?;
        self.0.write_all(b"\n")?;
        // What was told before a crash counts.
        self.0.flush()
    }
}

fn failed(error: &cryptoki::error::Error) -> Answer {
    Answer::Failed {
        detail: error.to_string(),
    }
}

type Outcome = io::Result<Result<(), cryptoki::error::Error>>;

macro_rules! ask {
    ($answer:expr) => {
        match $answer {
            Ok(value) => value,
            Err(error) => return Ok(Err(error)),
        }
    };
}

fn tokens(context: &Pkcs11, ask: &Ask, out: &mut Out<'_, impl Write>) -> Outcome {
    let slots = ask!(context.get_slots_with_initialized_token());
    let alone = slots.len() == 1;
    for slot in slots {
        let info = match context.get_token_info(slot) {
            Ok(info) => info,
            Err(error) => {
                out.tell(&failed(&error))?;
                continue;
            }
        };
        if let Err(error) = token(context, slot, &info, ask, alone, out)? {
            out.tell(&failed(&error))?;
        }
    }
    Ok(Ok(()))
}

fn token(
    context: &Pkcs11,
    slot: Slot,
    info: &TokenInfo,
    ask: &Ask,
    alone: bool,
    out: &mut Out<'_, impl Write>,
) -> Outcome {
    let label = info.label().trim_end().to_owned();
    let session = ask!(context.open_ro_session(slot));
    let pin = ask
        .pins
        .iter()
        .find(|(of, _)| of.as_ref() == Some(&label))
        .or_else(|| ask.pins.iter().find(|(of, _)| of.is_none() && alone));
    let closed = log_in(&session, info, pin.map(|(_, pin)| pin.as_str()));
    out.tell(&Answer::Token(Token {
        label: label.clone(),
        manufacturer: info.manufacturer_id().trim_end().to_owned(),
        model: info.model().trim_end().to_owned(),
        serial: info.serial_number().trim_end().to_owned(),
        access: match (&closed, info.login_required()) {
            (_, false) => "needs no PIN".to_owned(),
            (None, true) => "opened with a PIN".to_owned(),
            (Some(_), true) => "private objects not seen: needs a PIN".to_owned(),
        },
    }))?;
    if let Some(detail) = closed {
        out.tell(&Answer::Closed {
            token: label.clone(),
            detail,
        })?;
    }
    for (class, told) in [
        (ObjectClass::CERTIFICATE, Class::Certificate),
        (ObjectClass::PUBLIC_KEY, Class::PublicKey),
        (ObjectClass::PRIVATE_KEY, Class::PrivateKey),
        (ObjectClass::SECRET_KEY, Class::SecretKey),
    ] {
        let handles = ask!(session.find_objects(&[Attribute::Class(class)]));
        for handle in handles.into_iter().take(OBJECTS_MAX) {
            match object(&session, handle, told, &label) {
                Ok(object) => out.tell(&Answer::Object(Box::new(object)))?,
                Err(error) => out.tell(&failed(&error))?,
            }
        }
    }
    Ok(Ok(()))
}

/// Logs in where that is needed and cannot lock the token; says why the private objects stay unseen.
fn log_in(session: &Session, info: &TokenInfo, pin: Option<&str>) -> Option<String> {
    if !info.login_required() {
        return None;
    }
    let Some(pin) = pin else {
        return Some("its private objects are seen with a PIN only".to_owned());
    };
    if info.user_pin_locked() || info.user_pin_final_try() {
        return Some("its PIN is locked or has one try left, which is not spent".to_owned());
    }
    let Ok(pin) = STANDARD.decode(pin) else {
        return Some("the PIN cannot be read".to_owned());
    };
    let pin = RawAuthPin::new(Box::new(pin));
    match session.login_with_raw(UserType::User, &pin) {
        Ok(()) => None,
        Err(error) => Some(format!("the PIN was not taken: {error}")),
    }
}

fn object(
    session: &Session,
    handle: ObjectHandle,
    class: Class,
    token: &str,
) -> Result<Object, cryptoki::error::Error> {
    let mut wanted = vec![AttributeType::Label, AttributeType::Id];
    match class {
        Class::Certificate => wanted.push(AttributeType::Value),
        Class::PublicKey => wanted.extend([
            AttributeType::KeyType,
            AttributeType::Modulus,
            AttributeType::PublicExponent,
            AttributeType::EcParams,
            AttributeType::EcPoint,
            AttributeType::PublicKeyInfo,
        ]),
        Class::PrivateKey => wanted.extend([
            AttributeType::KeyType,
            AttributeType::Modulus,
            AttributeType::PublicExponent,
            AttributeType::EcParams,
            AttributeType::EcPoint,
            AttributeType::PublicKeyInfo,
        ]),
        Class::SecretKey => wanted.extend([
            AttributeType::KeyType,
            AttributeType::ValueLen,
            AttributeType::CheckValue,
        ]),
    }
    if matches!(class, Class::PrivateKey | Class::SecretKey) {
        wanted.extend([
            AttributeType::Sensitive,
            AttributeType::Extractable,
            AttributeType::NeverExtractable,
            AttributeType::AlwaysSensitive,
            AttributeType::Local,
        ]);
    }
    let mut object = Object {
        token: token.to_owned(),
        class,
        label: None,
        id: Vec::new(),
        key_type: None,
        value: Vec::new(),
        modulus: Vec::new(),
        exponent: Vec::new(),
        ec_parameters: Vec::new(),
        ec_point: Vec::new(),
        public_key_info: Vec::new(),
        length: None,
        check: Vec::new(),
        traits: Vec::new(),
    };
    for attribute in session.get_attributes(handle, &wanted)? {
        fill(&mut object, attribute);
    }
    Ok(object)
}

fn fill(object: &mut Object, attribute: Attribute) {
    let word = |holds: bool, yes: &str, no: &str| {
        let word = if holds { yes } else { no };
        (!word.is_empty()).then(|| word.to_owned())
    };
    match attribute {
        Attribute::Label(label) if !label.is_empty() => {
            object.label = Some(String::from_utf8_lossy(&label).into_owned());
        }
        Attribute::Id(id) => object.id = id,
        Attribute::KeyType(kind) => object.key_type = Some(key_type(kind)),
        Attribute::Value(value) => object.value = value,
        Attribute::Modulus(number) => object.modulus = number,
        Attribute::PublicExponent(number) => object.exponent = number,
        Attribute::EcParams(parameters) => object.ec_parameters = parameters,
        Attribute::EcPoint(point) => object.ec_point = point,
        Attribute::PublicKeyInfo(info) => object.public_key_info = info,
        Attribute::ValueLen(length) => object.length = Some(*length),
        Attribute::CheckValue(check) => object.check = check,
        Attribute::Sensitive(yes) => object
            .traits
            .extend(word(yes, "sensitive", "not sensitive")),
        Attribute::Extractable(yes) => {
            object
                .traits
                .extend(word(yes, "extractable", "not extractable"));
        }
        Attribute::NeverExtractable(yes) => {
            object.traits.extend(word(yes, "never extractable", ""));
        }
        Attribute::AlwaysSensitive(yes) => {
            object.traits.extend(word(yes, "always sensitive", ""));
        }
        Attribute::Local(yes) => {
            object
                .traits
                .extend(word(yes, "made in the token", "imported"));
        }
        _ => {}
    }
}

/// The word behind CKK_.
fn key_type(kind: KeyType) -> String {
    let text = kind.to_string();
    text.strip_prefix("CKK_").unwrap_or(&text).to_owned()
}
