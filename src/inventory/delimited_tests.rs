use super::*;

type Read = (Vec<String>, Vec<(u64, Vec<String>)>, usize);

fn rows(text: &str) -> Read {
    let table = read("t.csv", text.to_owned(), &[]).unwrap();
    let rows = table
        .rows
        .iter()
        .map(|r| (r.at, r.cells.iter().map(|(_, c)| c.to_owned()).collect()))
        .collect();
    (table.headers.clone(), rows, table.lost)
}

#[test]
fn delimiters_are_found_with_quotes_respected() {
    for d in [",", ";", "\t", "|"] {
        let text = format!("id{d}name{d}owner\n1{d}\"a,b;c\td|e\"{d}x\n2{d}b{d}y\n");
        let (headers, rows, lost) = rows(&text);
        assert_eq!(headers, ["id", "name", "owner"], "{d:?}");
        assert_eq!(
            rows[0],
            (2, vec!["1".into(), "a,b;c\td|e".into(), "x".into()]),
            "{d:?}"
        );
        assert_eq!(lost, 0);
    }
}

#[test]
fn rare_delimiters_are_found_too() {
    for d in ["^", "~", "\u{1f}", "!", ":"] {
        let text = format!("id{d}name{d}owner\n1{d}\"a{d}b\"{d}x\n");
        let (headers, rows, _) = rows(&text);
        assert_eq!(headers, ["id", "name", "owner"], "{d:?}");
        assert_eq!(rows[0].1, ["1".into(), format!("a{d}b"), "x".into()]);
    }
}

#[test]
fn lines_are_those_of_the_file() {
    for end in ["\n", "\r\n", "\r"] {
        let text = [
            "id,name,owner",
            "",
            "1,\"two",
            "lines\",x",
            "",
            "",
            "2,b,y",
            ",,",
            "3,c,z",
            "",
        ]
        .join(end);
        let (_, rows, _) = rows(&text);
        assert_eq!(
            rows.iter().map(|r| r.0).collect::<Vec<_>>(),
            [3, 7, 9],
            "{end:?}"
        );
    }
}

#[test]
fn what_stands_before_the_header_is_passed_over() {
    let text = "Key Inventory,,,\r\n# exported 2026-11-23\r\n\r\nOwner:,Security,,\r\nID;x,\r\nID,Owner,Expires On,,\r\n1,a,2026-01-01,,\r\n";
    let (headers, rows, lost) = rows(text);
    assert_eq!(headers, ["ID", "Owner", "Expires On"]);
    assert_eq!((rows[0].0, rows.len(), lost), (7, 1, 0));
    let (headers, _, _) = super::tests::rows("sep=;\nid;owner\n1;a,b\n");
    assert_eq!(headers, ["id", "owner"]);
    let (headers, _, _) = super::tests::rows("#id,owner\n1,a\n");
    assert_eq!(headers, ["id", "owner"]);
}

#[test]
fn ragged_rows_are_told() {
    let table = read(
        "t.csv",
        "id,name,owner\n1,a,b,c\n2,a\n3,a,b,,\nTotal: 3\n".to_owned(),
        &[],
    )
    .unwrap();
    assert_eq!((table.rows.len(), table.lost), (2, 2));
    let told: Vec<(&str, bool)> = table
        .faults
        .iter()
        .map(|f| (f.source.as_str(), f.row_lost))
        .collect();
    assert_eq!(
        told,
        [("t.csv:2", true), ("t.csv:3", false), ("t.csv:5", true)]
    );
}

#[test]
fn a_lacking_quote_costs_one_row() {
    let (_, rows, lost) = rows("id,name,owner\n1,\"a,x\n2,b,y\n3,c,z\n");
    assert_eq!((rows.len(), lost), (2, 1));
    assert_eq!(rows[0], (3, vec!["2".into(), "b".into(), "y".into()]));
    // The next quote would close it, and two rows would pass for one.
    let (_, rows, lost) = super::tests::rows("id,name,owner\n1,\"a,x\n2,\"b\",y\n3,\"c\nd\",z\n");
    assert_eq!((rows.len(), lost), (2, 1));
    assert_eq!(rows[0], (3, vec!["2".into(), "b".into(), "y".into()]));
    assert_eq!(rows[1], (4, vec!["3".into(), "c\nd".into(), "z".into()]));
}

#[test]
fn a_private_key_without_quotes_is_passed_over() {
    let text = "id,fingerprint\n1,-----BEGIN PRIVATE KEY-----\nAAAA\nBBBB\n-----END PRIVATE KEY-----,x\n2,b\n";
    let (_, rows, lost) = super::tests::rows(text);
    assert_eq!(rows, [(6, vec!["2".into(), "b".into()])]);
    assert_eq!(lost, 4);
}

#[test]
fn a_page_token_is_seen() {
    let table = read("t.tsv", "id\tname\n1\ta\nNEXTTOKEN\tabc\n".to_owned(), &[]).unwrap();
    assert_eq!(table.page_token.as_deref(), Some("NEXTTOKEN"));
}

#[test]
fn same_headers_get_numbers() {
    let (headers, _, _) = rows("id,fingerprint,fingerprint,,x\n1,a,b,c,d\n");
    assert_eq!(
        headers,
        ["id", "fingerprint", "fingerprint (2)", "column 4", "x"]
    );
}
