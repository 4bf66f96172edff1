//! What is read here must be what `serde_json` reads.

use super::*;
use proptest::prelude::*;
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(serde::Deserialize, Debug, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Number {
    One,
    Two,
}

#[derive(serde::Deserialize, Debug, PartialEq)]
#[serde(tag = "who", rename_all = "snake_case")]
enum Tagged {
    Others,
    Group { name: String, more: Vec<String> },
}

#[derive(serde::Deserialize, Debug, PartialEq)]
struct Record {
    first: Option<u64>,
    #[serde(default)]
    text: String,
    #[serde(default)]
    word: Option<Number>,
    #[serde(default)]
    tagged: Vec<Tagged>,
    #[serde(default)]
    small: i16,
    #[serde(default)]
    counts: BTreeMap<String, u32>,
    #[serde(default)]
    inner: Option<Box<Record>>,
}

/// What is read must be what `serde_json` reads.
fn agrees<'de, T: Deserialize<'de> + PartialEq + fmt::Debug>(text: &'de str) -> bool {
    let Ok(ours) = read::<T>(text, FIRST) else {
        return false;
    };
    assert_eq!(Some(ours), serde_json::from_str(text).ok(), "{text}");
    true
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[\\x20-\\x7f]{0,80}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..8)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_value_that_is_read_is_what_serde_json_reads(value in value()) {
        agrees::<Value>(&value.to_string());
    }

    #[test]
    fn any_text_that_is_read_is_what_serde_json_reads(
        text in r#"([\[\]{},:"\\/bnu0-9ef. +-]|"(first|text|word|small)":|true|null){0,24}"#,
    ) {
        agrees::<Value>(&text);
        agrees::<Record>(&text);
    }

    #[test]
    fn any_record_with_a_byte_changed_is_what_serde_json_reads(
        place in 0..RECORD.len(),
        byte in 0u8..0x80,
    ) {
        let mut text = RECORD.as_bytes().to_vec();
        text[place] = byte;
        agrees::<Record>(std::str::from_utf8(&text).unwrap());
    }
}

const FIRST: &[u8] = br#""record":"x","#;
const RECORD: &str = r#"{"record":"x","first":17,"text":"a \"b\" \\ c","word":"two","tagged":[{"who":"others"},{"who":"group","name":"wheel","more":["a","b"]}],"small":-12,"counts":{"a":1,"first":2},"inner":{"inner":null,"first":null,"other":[1,{"a":true}]}}"#;

#[test]
fn what_keymuster_writes_is_read_here() {
    assert!(agrees::<Record>(RECORD));
    assert!(agrees::<Record>(r#"{"first":9999999999999999999}"#));
    assert!(agrees::<Record>(r#"{"record":"y","first":1}"#));
    assert!(agrees::<Record>(r#"{"text":"schön","first":1}"#));
    for other in [
        "",
        "{",
        r#"{"first": 1}"#,
        r#"{"first":1} "#,
        r#"{"first":1,}"#,
        r#"{"record":"x",}"#,
        r#"{"record":"x",,"first":1}"#,
        r#"{,"first":1}"#,
        r#"{"first":01}"#,
        r#"{"first":1.0}"#,
        r#"{"first":-0}"#,
        r#"{"first":1,"first":2}"#,
        r#"{"first":18446744073709551616}"#,
        r#"{"first":1,"text":"\u0041"}"#,
        "{\"first\":1,\"text\":\"\t\"}",
        r#"{"first":1,"small":99999}"#,
        r#"{"first":1,"word":{"two":null}}"#,
    ] {
        assert!(read::<Record>(other, FIRST).is_err(), "{other}");
    }
    let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    assert!(read::<Value>(&deep, FIRST).is_err());
}
