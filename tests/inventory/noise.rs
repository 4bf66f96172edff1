//! Hostile and chance bytes: an answer, soon, and no panic.

use keymuster::inventory::{ReadOptions, read_bytes};
use proptest::prelude::*;

#[test]
fn hostile_sizes_end_soon() {
    let started = std::time::Instant::now();
    let quotes: String = (0..20_000).map(|i| format!("{i},\"x,y\n")).collect();
    let nested = format!(
        "[{{\"id\":1,\"owner\":{}1{}}}]",
        "[".repeat(100),
        "]".repeat(100)
    );
    let wide = format!(
        "[{}]",
        (0..5_000)
            .map(|i| format!("{{\"k{i}\":1}}"))
            .collect::<Vec<_>>()
            .join(",")
    );
    let many = format!("id,fingerprint,owner\n1,\"{}\",a\n", "ab,".repeat(200_000));
    for text in [
        format!("id,owner,state\n{quotes}"),
        nested,
        wide,
        many,
        "{".repeat(1 << 20),
        "\"".repeat(1 << 20),
    ] {
        let _ = read_bytes(
            "h",
            text.as_bytes(),
            &ReadOptions {
                allow_partial: true,
                ..ReadOptions::default()
            },
        );
    }
    assert!(
        started.elapsed() < std::time::Duration::from_secs(60),
        "{:?}",
        started.elapsed()
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_give_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..2048)) {
        let _ = read_bytes("x", &bytes, &ReadOptions { allow_partial: true, ..ReadOptions::default() });
    }

    #[test]
    fn any_cells_give_as_many_entries_as_rows(
        rows in proptest::collection::vec(proptest::collection::vec("\\PC{0,40}", 8), 1..12)
    ) {
        let header = "id,fingerprint,thumbprint,serial,issuer,expires,location,rotation period";
        let mut writer = csv::Writer::from_writer(header.as_bytes().to_vec());
        writer.get_ref();
        let mut out = format!("{header}\n").into_bytes();
        for row in &rows {
            writer.write_record(row).unwrap();
        }
        let body = writer.into_inner().unwrap();
        out.extend_from_slice(&body[header.len()..]);
        if let Ok(inventory) = read_bytes("x", &out, &ReadOptions { allow_partial: true, ..ReadOptions::default() }) {
            prop_assert!(inventory.entries.len() as u64 <= inventory.rows);
            prop_assert!(inventory.rows <= rows.len() as u64);
        }
    }

    #[test]
    fn structured_noise_is_no_trouble(text in "[-0-9a-fA-FTZ:;,.|/\\\\\"'={}\\[\\]#%~@ \n\r\tx+]{0,400}") {
        for front in ["id,fingerprint,serial,expires,location\n", "[{\"id\":\"", "sep=;\nid;owner\n"] {
            let _ = read_bytes("x", format!("{front}{text}").as_bytes(), &ReadOptions { allow_partial: true, ..ReadOptions::default() });
        }
    }
}
