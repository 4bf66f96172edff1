//! ASN.1 times as instants.

use super::der::Element;
use jiff::Timestamp;
use x509_parser::prelude::FromDer as _;
use x509_parser::time::ASN1Time;

/// Identifier octet of UTCTime.
pub const UTC_TIME: u8 = 0x17;
/// Identifier octet of GeneralizedTime.
pub const GENERALIZED_TIME: u8 = 0x18;

/// Whether an element is a Time (RFC 5280, section 4.1.2.5).
pub fn is_time(element: &Element<'_>) -> bool {
    matches!(element.tag, UTC_TIME | GENERALIZED_TIME)
}

/// The instant of a Time. One beyond what the records can hold, as `99991231235959Z`, which says that
/// there is no end, becomes their last instant.
pub fn instant(element: &Element<'_>) -> Option<Timestamp> {
    if !is_time(element) {
        return None;
    }
    let (_, time) = ASN1Time::from_der(element.raw).ok()?;
    let seconds = time
        .timestamp()
        .clamp(Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
    Timestamp::from_second(seconds).ok()
}
