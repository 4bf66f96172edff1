//! The DER reader: what it gives lies inside what it got, and what it writes it reads back.
#![no_main]

use keymuster::formats::wire::der::{self, Element, Reader};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut reader = Reader::new(data);
    let mut seen = 0;
    while let Ok(element) = reader.element() {
        assert!(!element.raw.is_empty() && element.content.len() < element.raw.len());
        seen += element.raw.len();
        assert_eq!(der::encode(element.tag, &[element.content]), element.raw);
        assert_eq!(Element::read_all(element.raw), Ok(element));
        if let Ok(magnitude) = element.unsigned() {
            assert_ne!(magnitude.first(), Some(&0));
            let again = der::encode_unsigned(magnitude);
            assert_eq!(
                Element::read_all(&again).and_then(|e| e.unsigned()),
                Ok(magnitude)
            );
        }
        let _ = (element.small(), element.bits());
        for tag in [der::SEQUENCE, der::SET, der::context(0)] {
            if let Ok(mut inner) = element.enter(tag) {
                let _ = (
                    inner.optional(der::INTEGER),
                    inner.expect(der::OID),
                    inner.finish(),
                );
                let _ = inner.enter(der::SEQUENCE);
            }
        }
    }
    assert_eq!(seen + reader.rest().len(), data.len());
});
