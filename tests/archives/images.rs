//! Container images on disk, made by umoci and skopeo: keys in layers are told with the layer's digest and their path, with the images that
//! hold the layer, and with what a later layer removes. What no tool here makes without a daemon is laid out as it is documented.

use super::damage::shell;
use crate::support::{arg, keymuster, of_kind, open_directory, plant, records, told};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// `one` has the layers `etc` and `root`; `two` those, and then three that delete, replace and hide.
const LAYOUT: &str = r#"
umoci init --layout lay
umoci new --image lay:one
umoci insert --image lay:one keys/etc /etc
umoci insert --image lay:one keys/root /root
umoci insert --image lay:one --tag two --whiteout /etc/deleted.pem
umoci insert --image lay:two keys/new.pem /etc/replaced.pem
umoci insert --image lay:two --opaque keys/empty /root
umoci gc --layout lay
"#;

type Plant = (
    &'static str,
    &'static str,
    usize,
    Option<(&'static str, usize)>,
);

/// Path in the layer, fixture, layer of `two` that has it, and what becomes of it in `two` by which layer.
const PLANTED: &[Plant] = &[
    ("etc/kept.pem", "identity/p256/pkcs8.pem", 0, None),
    (
        "etc/deleted.pem",
        "identity/p384/pkcs8.pem",
        0,
        Some(("deleted", 2)),
    ),
    (
        "etc/replaced.pem",
        "identity/p521/pkcs8.pem",
        0,
        Some(("replaced", 3)),
    ),
    (
        "root/.ssh/id",
        "identity/ed25519/openssh_private",
        1,
        Some(("deleted", 4)),
    ),
    ("etc/replaced.pem", "identity/rsa2048/pkcs8.pem", 3, None),
];

/// A directory with the layout `lay` and nothing else.
fn layout() -> TempDir {
    let dir = open_directory();
    for (path, fixture, layer, _) in PLANTED {
        let name = match layer {
            3 => "keys/new.pem".to_owned(),
            _ => format!("keys/{path}"),
        };
        plant(fixture, dir.path(), &name);
    }
    fs::create_dir(dir.path().join("keys/empty")).unwrap();
    shell(dir.path(), LAYOUT);
    fs::remove_dir_all(dir.path().join("keys")).unwrap();
    dir
}

/// What a program says, split at blanks.
fn words(directory: &Path, script: &str) -> Vec<String> {
    let output = Command::new("bash")
        .args(["-euc", script])
        .current_dir(directory)
        .output()
        .unwrap();
    assert!(output.status.success(), "{script}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.split_whitespace().map(str::to_owned).collect()
}

/// The digests of the layers of an image of a layout, as skopeo tells them: of the blobs, or of their content.
fn layers(dir: &Path, image: &str) -> Vec<String> {
    let raw = format!("skopeo inspect --raw oci:{image} | jq -r '.layers[].digest'");
    words(dir, &raw)
}

fn diff_ids(dir: &Path, image: &str) -> Vec<String> {
    let config = format!("skopeo inspect --config oci:{image} | jq -r '.rootfs.diff_ids[]'");
    words(dir, &config)
}

/// One sighting.
#[derive(Debug)]
struct Seen {
    path: String,
    /// Types and names of the members.
    inside: Vec<(String, String)>,
    key_id: String,
    /// By their names: how and by which layer it is removed in each image.
    images: BTreeMap<String, Option<(String, String)>>,
    notes: String,
}

impl Seen {
    /// The layer that holds it, and its path in that.
    fn place(&self) -> Option<(&str, &str)> {
        let at = self.inside.iter().position(|(kind, _)| kind == "layer")?;
        let layer = &self.inside[at].1;
        let entry = self.inside[at..].iter().find(|(kind, _)| kind == "tar")?;
        Some((layer, &entry.1))
    }
}

/// Sightings, gaps, and the last record.
fn scan(path: &Path) -> (Vec<Seen>, Vec<Value>, Value) {
    let output = keymuster(&["scan", "-q", "-f", "jsonl", arg(path)]);
    let all = records(&output.stdout);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let seen = of_kind(&all, "sighting").into_iter().map(|sighting| {
        let location = &sighting["location"];
        let members = location["inside"].as_array().cloned().unwrap_or_default();
        let images = sighting["images"].as_array().cloned().unwrap_or_default();
        let images = images.iter().map(|image| {
            let names = image["names"].as_array().cloned().unwrap_or_default();
            let names: Vec<String> = names.iter().map(text).collect();
            let removed = (text(&image["removed"]), text(&image["removed_by"]));
            (
                names.join(" "),
                Some(removed).filter(|(how, _)| !how.is_empty()),
            )
        });
        Seen {
            path: text(&location["path"]),
            inside: members
                .iter()
                .map(|m| (text(&m["type"]), text(&m["name"])))
                .collect(),
            key_id: text(&sighting["key_id"]),
            images: images.collect(),
            notes: sighting["notes"].to_string(),
        }
    });
    let gaps = of_kind(&all, "gap").into_iter().cloned().collect();
    (seen.collect(), gaps, all.last().unwrap().clone())
}

/// All that was planted was found once in each file that has it, in these layers, and told with the images `one` and `two`; nothing else was.
fn compare(seen: &[Seen], layers: &[String], (one, two): (Option<&str>, &str)) {
    assert_eq!(seen.len(), PLANTED.len(), "{seen:#?}");
    for (path, fixture, layer, removed) in PLANTED {
        let key_id = told(fixture)["key_id"].as_str().unwrap().to_owned();
        let found: Vec<_> = seen.iter().filter(|s| s.key_id == key_id).collect();
        let [found] = found[..] else {
            panic!("{path} {fixture}: {seen:#?}")
        };
        assert_eq!(
            found.place(),
            Some((layers[*layer].as_str(), *path)),
            "{fixture}"
        );
        let removed = removed.map(|(how, by)| (how.to_owned(), layers[by].clone()));
        let mut images = BTreeMap::from([(two.to_owned(), removed.clone())]);
        if let Some(one) = one.filter(|_| *layer < 2) {
            images.insert(one.to_owned(), None);
        }
        assert_eq!(found.images, images, "{fixture}");
        assert_eq!(
            found.notes.contains("by a later layer of")
                || found.notes.contains("by later layers of"),
            removed.is_some(),
            "{}",
            found.notes
        );
    }
}

#[test]
fn keys_in_a_layout_are_told_with_layer_and_images() {
    let dir = layout();
    let (seen, gaps, end) = scan(dir.path());
    let layers = layers(dir.path(), "lay:two");
    compare(&seen, &layers, (Some("one"), "two"));
    assert!(gaps.is_empty(), "{gaps:?}");
    for seen in &seen {
        let (layer, _) = seen.place().unwrap();
        let blob = format!("blobs/sha256/{}", layer.trim_start_matches("sha256:"));
        assert_eq!(seen.path, arg(&dir.path().join("lay").join(blob)));
        let types: Vec<_> = seen.inside.iter().map(|(kind, _)| kind.as_str()).collect();
        assert_eq!(types, ["layer", "gzip", "tar"]);
    }
    // The layers that both images have were read once, as all other files were.
    let size = words(dir.path(), "find lay -type f -printf '%s\n' | jq -s add");
    assert_eq!(end["bytes"].to_string(), size[0]);
    assert_eq!(end["sightings"], PLANTED.len());
}

#[test]
fn an_image_that_no_index_lists_any_more_does_not_count() {
    let dir = layout();
    shell(dir.path(), "umoci rm --image lay:one");
    let (seen, ..) = scan(dir.path());
    compare(&seen, &layers(dir.path(), "lay:two"), (None, "two"));
}

#[test]
fn layouts_that_share_blobs_by_hard_links_are_read_once() {
    let dir = layout();
    let blobs = layers(dir.path(), "lay:two");
    let size = words(dir.path(), "find lay -type f -printf '%s\n' | jq -s add");
    shell(
        dir.path(),
        "cp -al lay other; umoci tag --image other:two three; umoci rm --image other:two; umoci rm --image other:one",
    );
    let (seen, gaps, end) = scan(dir.path());
    compare(&seen, &blobs, (Some("one"), "three two"));
    assert!(gaps.is_empty(), "{gaps:?}");
    let index = fs::metadata(dir.path().join("other/index.json")).unwrap();
    let once: u64 = size[0].parse().unwrap();
    assert_eq!(end["bytes"].as_u64().unwrap(), once + index.len());
}

#[test]
fn packed_images_are_told_alike() {
    let dir = layout();
    let ids = diff_ids(dir.path(), "lay:two");
    let blobs = layers(dir.path(), "lay:two");
    shell(
        dir.path(),
        "skopeo copy -q --insecure-policy oci:lay:two docker-archive:save.tar:registry.example/app:1
         skopeo copy -q --insecure-policy oci:lay:two oci-archive:oci.tar:two
         skopeo copy -q --insecure-policy oci:lay:two dir:flat
         tar -C lay -cf both.tar .
         rm -r lay
         gzip -k save.tar; zstd -q oci.tar; xz -k save.tar",
    );
    let app = "registry.example/app:1";
    for (file, digests, (one, two), types) in [
        ("save.tar", &ids, (None, app), &["tar", "layer", "tar"][..]),
        (
            "save.tar.gz",
            &ids,
            (None, app),
            &["gzip", "tar", "layer", "tar"],
        ),
        (
            "save.tar.xz",
            &ids,
            (None, app),
            &["xz", "tar", "layer", "tar"],
        ),
        (
            "oci.tar",
            &blobs,
            (None, "two"),
            &["tar", "layer", "gzip", "tar"],
        ),
        (
            "oci.tar.zst",
            &blobs,
            (None, "two"),
            &["zstd", "tar", "layer", "gzip", "tar"],
        ),
        (
            "both.tar",
            &blobs,
            (Some("one"), "two"),
            &["tar", "layer", "gzip", "tar"],
        ),
        ("flat", &blobs, (None, ""), &["layer", "gzip", "tar"]),
    ] {
        let (seen, gaps, _) = scan(&dir.path().join(file));
        compare(&seen, digests, (one, two));
        assert!(gaps.is_empty(), "{file}: {gaps:?}");
        for seen in &seen {
            let found: Vec<_> = seen.inside.iter().map(|(kind, _)| kind.as_str()).collect();
            assert_eq!(found, types, "{file}");
        }
    }
}

/// `docker save` before version 25: a directory for each layer, where a layer that stands there already is a link (moby's
/// image/tarexport/save.go); and since then: an OCI layout with the `manifest.json` beside.
const SAVED: &str = r#"
mkdir old new
jq -c . <<<'[]' >manifest.json
for image in one two; do
  config=$(skopeo inspect --raw oci:lay:$image | jq -r .config.digest | cut -d: -f2)
  cp lay/blobs/sha256/$config old/$config.json
  list=()
  for layer in $(skopeo inspect --raw oci:lay:$image | jq -r '.layers[].digest' | cut -d: -f2); do
    id=$(echo $image $layer | sha256sum | cut -d' ' -f1)
    mkdir old/$id
    echo -n 1.0 >old/$id/VERSION
    list+=("$id/layer.tar")
    if [ -e old/$layer ]; then
      ln -s ../$(cat old/$layer)/layer.tar old/$id/layer.tar
    else
      gzip -dc lay/blobs/sha256/$layer >old/$id/layer.tar
      echo $id >old/$layer
    fi
  done
  jq -c --arg config $config.json --arg name app:$image '. + [{Config: $config, RepoTags: [$name], Layers: $ARGS.positional}]' \
    manifest.json --args "${list[@]}" >next && mv next manifest.json
done
mv manifest.json old
find old -maxdepth 1 -type f ! -name '*.json' -delete
tar -C old -cf old.tar $(ls old)

cp -r lay/. new
jq -c '.manifests[] |= (.annotations += {"io.containerd.image.name": ("app:" + .annotations["org.opencontainers.image.ref.name"])})' \
  lay/index.json >new/index.json
for image in one two; do
  skopeo inspect --raw oci:lay:$image | jq -c --arg name app:$image 'def at: "blobs/" + sub(":"; "/");
    {Config: (.config.digest | at), RepoTags: [$name], Layers: [.layers[].digest | at]}'
done | jq -sc . >new/manifest.json
tar -C new -cf new.tar $(ls new)
rm -r old new lay
"#;

#[test]
fn what_docker_save_writes_is_told_in_its_old_and_its_new_form() {
    let dir = layout();
    let ids = diff_ids(dir.path(), "lay:two");
    let blobs = layers(dir.path(), "lay:two");
    shell(dir.path(), SAVED);
    for (file, digests) in [("old.tar", &ids), ("new.tar", &blobs)] {
        let path = dir.path().join(file);
        // A layer that both images have stands there once, and what it holds is told once.
        let (seen, gaps, _) = scan(&path);
        compare(&seen, digests, (Some("app:one"), "app:two"));
        assert!(gaps.is_empty(), "{file}: {gaps:?}");
    }
}

/// What containerd keeps, which has its names in a database, and the registry.
const STORES: &str = r#"
mkdir -p containerd/io.containerd.content.v1.content/ingest
cp -r lay/blobs containerd/io.containerd.content.v1.content/
registry=registry/docker/registry/v2
for blob in $(ls lay/blobs/sha256); do
  mkdir -p $registry/blobs/sha256/${blob:0:2}/$blob
  cp lay/blobs/sha256/$blob $registry/blobs/sha256/${blob:0:2}/$blob/data
done
jq -r '.manifests[] | .annotations["org.opencontainers.image.ref.name"] + " " + .digest' lay/index.json | while read tag digest; do
  mkdir -p $registry/repositories/team/app/_manifests/tags/$tag/current
  echo -n $digest >$registry/repositories/team/app/_manifests/tags/$tag/current/link
done
rm -r lay
"#;

#[test]
fn stores_of_containerd_and_a_registry_are_told_alike() {
    let dir = layout();
    let blobs = layers(dir.path(), "lay:two");
    shell(dir.path(), STORES);
    let (seen, gaps, _) = scan(&dir.path().join("registry"));
    compare(&seen, &blobs, (Some("team/app:one"), "team/app:two"));
    assert!(gaps.is_empty(), "{gaps:?}");
    let (seen, gaps, _) = scan(&dir.path().join("containerd"));
    assert!(gaps.is_empty(), "{gaps:?}");
    assert_eq!(seen.len(), PLANTED.len());
    for (path, fixture, layer, removed) in PLANTED {
        let key_id = &told(fixture)["key_id"];
        let found = seen.iter().find(|s| *key_id == s.key_id.as_str()).unwrap();
        assert_eq!(found.place(), Some((blobs[*layer].as_str(), *path)));
        let note = match (layer, removed) {
            (0 | 1, Some(_)) => "removed by later layers of 1 of 2 images",
            _ => "null",
        };
        assert!(found.notes.contains(note), "{fixture}: {}", found.notes);
    }
}

/// Podman's store, in which layers are directories, made by skopeo.
const PODMAN: &str = r#"
for image in one two; do
  skopeo copy -q --insecure-policy oci:lay:$image "containers-storage:[overlay@$PWD/storage+$PWD/run]registry.example/app:$image"
done
rm -r lay run
"#;

#[test]
fn directories_of_podman_are_told_with_their_images() {
    let dir = layout();
    shell(dir.path(), PODMAN);
    let (mut seen, gaps, _) = scan(&dir.path().join("storage"));
    assert!(gaps.is_empty(), "{gaps:?}");
    let list = fs::read(dir.path().join("storage/overlay-layers/layers.json")).unwrap();
    let list: Value = serde_json::from_slice(&list).unwrap();
    // The directories are plain; for the comparison they are made what they stand for.
    for found in &mut seen {
        assert!(found.inside.is_empty(), "{found:?}");
        let (before, entry) = found.path.split_once("/diff/").unwrap();
        let id = before.rsplit('/').next().unwrap();
        let mut layers = list.as_array().unwrap().iter();
        let layer = layers.find(|layer| layer["id"] == id).unwrap();
        let digest = layer["diff-digest"].as_str().unwrap();
        found.inside = vec![
            ("layer".to_owned(), digest.to_owned()),
            ("tar".to_owned(), entry.to_owned()),
        ];
    }
    let mut ids: Vec<_> = list.as_array().unwrap().iter().collect();
    ids.sort_by_key(|layer| layer["created"].to_string());
    let ids: Vec<String> = ids
        .iter()
        .map(|layer| layer["diff-digest"].as_str().unwrap().to_owned())
        .collect();
    let names = ("registry.example/app:one", "registry.example/app:two");
    compare(&seen, &ids, (Some(names.0), names.1));
}

/// An index that lists an index that lists the manifests of two platforms, as multi-platform builds write it, and itself.
const NESTED: &str = r#"
put() { set -- $(sha256sum $1) $1; cp $3 lay/blobs/sha256/$1; echo sha256:$1; }
jq -c '{schemaVersion: 2, manifests: [.manifests[] | del(.annotations)]}' lay/index.json >inner
inner=$(put inner)
jq -nc --arg d $inner '{schemaVersion: 2, manifests: [{digest: $d, size: 1}, {digest: $d, size: 1}]}' >outer
outer=$(put outer)
# A digest cannot name what holds it; a name can.
jq -nc --arg d $outer '{schemaVersion: 2, manifests: [{digest: $d, size: 1}, {digest: ("sha256:" + "0" * 64), size: 1}]}' \
  >lay/blobs/sha256/0000000000000000000000000000000000000000000000000000000000000000
jq -nc '{schemaVersion: 2, manifests: [{digest: ("sha256:" + "0" * 64), size: 1, annotations: {"org.opencontainers.image.ref.name": "multi"}}]}' \
  >lay/index.json
rm inner outer
"#;

#[test]
fn names_lead_through_indexes_of_indexes() {
    let dir = layout();
    let blobs = layers(dir.path(), "lay:two");
    shell(dir.path(), NESTED);
    let (seen, gaps, _) = scan(dir.path());
    assert_eq!(seen.len(), PLANTED.len());
    assert!(gaps.is_empty(), "{gaps:?}");
    for found in &seen {
        assert!(blobs.iter().any(|b| found.place().unwrap().0 == b));
        let names: BTreeSet<_> = found.images.keys().map(String::as_str).collect();
        assert_eq!(names, BTreeSet::from(["multi"]));
    }
}

#[test]
fn blobs_that_a_manifest_lacks_are_told() {
    let dir = layout();
    let blobs = layers(dir.path(), "lay:two");
    let root = blobs[1].trim_start_matches("sha256:");
    shell(dir.path(), &format!("rm lay/blobs/sha256/{root}"));
    let (seen, gaps, end) = scan(dir.path());
    assert_eq!(seen.len(), PLANTED.len() - 1);
    let details: Vec<_> = gaps.iter().map(|g| g["detail"].as_str().unwrap()).collect();
    let lacking = format!("image: layer {} is not here", blobs[1]);
    assert_eq!(details, [lacking.as_str(), lacking.as_str()], "{gaps:?}");
    let manifests = words(
        dir.path(),
        "jq -r '.manifests[].digest' lay/index.json | cut -d: -f2 | sort",
    );
    for (gap, manifest) in gaps.iter().zip(&manifests) {
        assert!(
            gap["path"].as_str().unwrap().ends_with(manifest.as_str()),
            "{gap}"
        );
        assert_eq!(gap["reason"], "not_swept");
    }
    assert_eq!(
        (&end["complete"], end["scope"].as_str()),
        (&Value::Bool(true), Some("full"))
    );
}

/// Documents that say too much: layers without number, indexes that list each other and lead elsewhere, and one that is no document.
const HOSTILE: &str = r#"
mkdir -p lay/blobs/sha256
python3 - <<'EOF'
import json, pathlib

root = pathlib.Path("lay")
blob = lambda n: f"sha256:{n:064x}"
def put(n, document):
    (root / "blobs/sha256" / f"{n:064x}").write_text(json.dumps(document))
layer = {"digest": blob(1), "size": 1}
put(2, {"config": layer, "layers": [layer] * 30_000})
put(3, {"config": layer, "layers": [{"digest": "sha256:../../../../etc/passwd"}, {"digest": 7}]})
for n in range(10, 40):
    put(n, {"manifests": [{"digest": blob(m)} for m in range(10, 40)] * 300})
names = [{"digest": blob(10), "annotations": {"org.opencontainers.image.ref.name": f"n{n}"}} for n in range(5000)]
(root / "index.json").write_text(json.dumps({"manifests": names + [{"digest": blob(2)}]}))
(root / "manifest.json").write_text("[" * 100_000 + '"Layers"')
(root / "blobs/sha256" / f"{5:064x}").write_text('{"digest":' * 100_000)
EOF
"#;

#[test]
fn hostile_documents_are_bounded() {
    let dir = open_directory();
    shell(dir.path(), HOSTILE);
    let key = plant("identity/p256/pkcs8.pem", dir.path(), "beside.pem");
    let swept = super::plants::sweep(dir.path(), &[]);
    assert!(swept.found.contains_key(&key), "the key beside it");
    let details: Vec<_> = swept
        .gaps
        .iter()
        .map(|gap| gap["detail"].as_str().unwrap())
        .collect();
    let has = |text: &str| details.iter().any(|detail| detail.contains(text));
    assert!(
        has("lists more layers or images than are read"),
        "{details:?}"
    );
    assert!(has("indexes list more than"), "{details:?}");
    assert!(details.len() < 20, "{details:?}");
}
