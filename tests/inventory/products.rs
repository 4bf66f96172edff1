//! Exports of products in their documented forms: the profile is chosen by the columns, and the rows are understood.

use super::forms::{expected, has};
use keymuster::inventory::{InventoryError, Profile, ReadOptions, read, read_bytes};
use std::path::Path;

fn lax() -> ReadOptions {
    ReadOptions {
        allow_partial: true,
        ..ReadOptions::default()
    }
}

#[test]
fn every_export_is_known_and_understood() {
    let expected = expected();
    let products = expected["products"].as_object().unwrap();
    assert!(products.len() >= 25);
    let mut profiles = std::collections::BTreeSet::new();
    for (file, wanted) in products {
        let inventory = read(Path::new(&format!("fixtures/inventory/{file}")), &lax())
            .unwrap_or_else(|e| panic!("{file}: {e}"));
        assert_eq!(
            inventory.profile.as_deref(),
            wanted["profile"].as_str(),
            "{file}"
        );
        profiles.insert(inventory.profile.clone());
        let Some(rows) = wanted["entries"].as_array() else {
            continue;
        };
        assert_eq!(inventory.unusable, 0, "{file}: {:?}", inventory.faults);
        assert_eq!(
            inventory.entries.len(),
            rows.len(),
            "{file}: {:?}",
            inventory.faults
        );
        for (entry, row) in inventory.entries.iter().zip(rows) {
            for (name, value) in row.as_object().unwrap() {
                let value = value.as_str().unwrap();
                let same = match name.as_str() {
                    "id" => *entry.id == *value,
                    "owner" => entry.owner.as_deref() == Some(value),
                    "state" => entry.state.is_some_and(|s| s.as_str() == value),
                    "expires" => entry
                        .expires
                        .is_some_and(|e| e.at.to_string().starts_with(value)),
                    identifier => has(entry, identifier, value),
                };
                assert!(same, "{file}: {name} is not {value} in {entry:#?}");
            }
        }
        // What a row says of its certificate agrees with the certificate that it carries.
        let told = inventory.faults.iter().find(|f| {
            f.reason.contains("certificate that it carries") || f.reason.contains("its certificate")
        });
        assert!(told.is_none(), "{file}: {told:?}");
        assert!(
            inventory.doubts.iter().all(|d| !d.stops),
            "{file}: {:?}",
            inventory.doubts
        );
    }
    assert_eq!(profiles.len(), 14);
}

#[test]
fn broken_exports_stop_unless_that_is_wanted() {
    for (file, word) in [
        ("aws-acm-paged.json", "NextToken"),
        ("azure-rest-paged.json", "nextLink"),
        ("cert-manager-paged.json", "metadata.continue"),
        ("ejbca-v1-more.json", "more_results"),
        ("venafi-paged.json", "_links.Next"),
        ("aws-acm-one-sided.json", "RSA of 2048 bits or less"),
    ] {
        let path = format!("fixtures/inventory/products/{file}");
        let error = read(Path::new(&path), &ReadOptions::default()).unwrap_err();
        assert!(
            matches!(
                error,
                InventoryError::PageToken { .. } | InventoryError::Doubtful { .. }
            ),
            "{file}: {error}"
        );
        assert!(error.to_string().contains(word), "{file}: {error}");
        let all_the_same = read(Path::new(&path), &lax()).unwrap();
        assert!(
            all_the_same
                .doubts
                .iter()
                .any(|d| d.stops && d.reason.contains(word)),
            "{file}"
        );
    }
}

#[test]
fn four_rows_alike_are_not_yet_suspicious() {
    let text =
        std::fs::read_to_string("fixtures/inventory/products/aws-acm-one-sided.json").unwrap();
    let mut document: serde_json::Value = serde_json::from_str(&text).unwrap();
    let rows = document["CertificateSummaryList"].as_array_mut().unwrap();
    rows.pop();
    assert!(
        read_bytes(
            "x",
            document.to_string().as_bytes(),
            &ReadOptions::default()
        )
        .is_ok()
    );
    let rows = document["CertificateSummaryList"].as_array_mut().unwrap();
    rows.push(rows[0].clone());
    rows[0]["KeyAlgorithm"] = "EC-prime256v1".into();
    assert!(
        read_bytes(
            "x",
            document.to_string().as_bytes(),
            &ReadOptions::default()
        )
        .is_ok()
    );
}

#[test]
fn secrets_beside_certificates_are_not_kept() {
    let read = read(
        Path::new("fixtures/inventory/products/cert-manager.json"),
        &lax(),
    )
    .unwrap();
    let told = format!("{read:?}");
    for secret in [
        "LS0tLS1CRUdJTiBQUklWQVRF",
        "BEGIN PRIVATE",
        "YW4gb3BhcXVlIHZhbHVl",
        "opaque value",
    ] {
        assert!(!told.contains(secret), "{secret}");
    }
    assert!(
        read.faults
            .iter()
            .any(|f| f.reason.contains("private material"))
            || !told.contains("tls.key\": \"")
    );
}

#[test]
fn a_users_own_profile_goes_before_the_built_in_ones() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ours.toml");
    std::fs::write(
        &file,
        "name = 'ours'\ntitle = 'our list'\nfits = [['Kennung', 'Abdruck']]\n\
         [fields]\nid = 'Kennung'\ncert_sha1 = 'Abdruck'\nexpires = 'Ende'\nstate = 'Lage'\nowner = ['Kontakt', 'Vertretung']\n\
         [values.state]\nlebt = 'active'\n'*' = 'revoked'\n[dates]\norder = 'month-first'\n[constants]\nenvironment = 'prod'\n",
    )
    .unwrap();
    let options = ReadOptions {
        profiles: vec![Profile::read(&file).unwrap()],
        ..ReadOptions::default()
    };
    let sha1 = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
    let text = format!(
        "Kennung;Abdruck;Ende;Lage;Vertretung;Kontakt\n1;{sha1};03/04/2027;lebt;b;a\n2;{sha1};03/05/2027;gesperrt;b;\n"
    );
    let read = read_bytes("x.csv", text.as_bytes(), &options).unwrap();
    assert_eq!(read.profile.as_deref(), Some("ours"));
    let entry = &read.entries[0];
    assert_eq!(
        entry.expires.unwrap().at.to_string(),
        "2027-03-04T00:00:00Z"
    );
    assert_eq!(
        (entry.owner.as_deref(), entry.environment.as_deref()),
        (Some("a"), Some("prod"))
    );
    assert_eq!(entry.state.unwrap().as_str(), "active");
    assert_eq!(read.entries[1].state.unwrap().as_str(), "revoked");
    // The user's word on a column overrules the profile.
    let options = ReadOptions {
        map: vec![("owner".into(), "Vertretung".into())],
        ..options
    };
    let read = read_bytes("x.csv", text.as_bytes(), &options).unwrap();
    assert_eq!(read.entries[0].owner.as_deref(), Some("b"));
    std::fs::write(&file, "name = 'x'").unwrap();
    let error = Profile::read(&file).unwrap_err().to_string();
    assert!(error.contains("ours.toml: no profile"), "{error}");
}

#[test]
fn an_expiry_that_is_not_the_certificates_is_told() {
    let text = std::fs::read_to_string("fixtures/inventory/products/google.json").unwrap();
    let inventory = |end: &str| {
        let text = text.replace(
            "\"expireTime\": \"2027-01-15T10:00:00Z\"",
            &format!("\"expireTime\": \"{end}\""),
        );
        read_bytes("g.json", text.as_bytes(), &ReadOptions::default()).unwrap()
    };
    let told = |end: &str| {
        inventory(end)
            .faults
            .iter()
            .filter(|f| f.reason.contains("expires"))
            .map(|f| f.reason.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(told("2027-01-15T10:00:30Z"), Vec::<String>::new());
    assert_eq!(told("2027-01-15"), Vec::<String>::new());
    let far = told("2027-02-15T10:00:00Z");
    assert_eq!(far.len(), 2);
    assert!(
        far[0].contains("2027-02-15, and its certificate 2027-01-15"),
        "{far:?}"
    );
}
