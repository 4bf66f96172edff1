//! A real PostgreSQL, started here on a socket of its own by an unprivileged user.

use super::forms::differences;
use keymuster::inventory::{ReadOptions, read};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Nobody, who may own nothing else.
const USER: u32 = 65_534;

struct Server {
    dir: tempfile::TempDir,
    child: Child,
    programs: PathBuf,
}

impl Server {
    fn start() -> Self {
        let programs = programs();
        // A socket's path has 107 bytes at most.
        let dir = tempfile::Builder::new()
            .prefix("kmpg")
            .tempdir_in("/tmp")
            .unwrap();
        chown(dir.path(), Some(USER), Some(USER)).unwrap();
        let data = dir.path().join("data");
        let done = as_nobody(&programs.join("initdb"))
            .args([
                "-U",
                "keymuster",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--no-locale",
                "-N",
                "-D",
            ])
            .arg(&data)
            .current_dir(dir.path())
            .output()
            .unwrap();
        assert!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
        let child = as_nobody(&programs.join("postgres"))
            .args(["-c", "listen_addresses=", "-c", "fsync=off", "-k"])
            .arg(dir.path())
            .arg("-D")
            .arg(&data)
            .current_dir(dir.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self {
            dir,
            child,
            programs,
        };
        let started = Instant::now();
        while !server.psql("SELECT 1").0 {
            assert!(
                started.elapsed() < Duration::from_secs(60),
                "the server does not start"
            );
            std::thread::sleep(Duration::from_millis(200));
        }
        server
    }

    fn psql(&self, sql: &str) -> (bool, String) {
        let done = as_nobody(&self.programs.join("psql"))
            .args([
                "-U",
                "keymuster",
                "-d",
                "postgres",
                "-v",
                "ON_ERROR_STOP=1",
                "-At",
                "-c",
                sql,
                "-h",
            ])
            .arg(self.dir.path())
            .current_dir(self.dir.path())
            .output()
            .unwrap();
        (
            done.status.success(),
            String::from_utf8_lossy(&done.stdout).trim().to_owned(),
        )
    }

    fn address(&self, rest: &str) -> String {
        format!(
            "postgres://keymuster:hunter2@/postgres?host={}&{rest}",
            self.dir.path().display()
        )
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn as_nobody(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(program)
        .env("LC_ALL", "C.UTF-8")
        .env("HOME", "/");
    command
}

/// Debian keeps them below the version.
fn programs() -> PathBuf {
    let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .expect("install postgresql")
        .map(|entry| entry.unwrap().path().join("bin"))
        .filter(|bin| bin.join("initdb").exists())
        .collect();
    versions.sort();
    versions.pop().expect("install postgresql")
}

#[test]
fn a_table_and_a_query_of_a_real_server() {
    let server = Server::start();
    let register = std::fs::read_to_string("fixtures/inventory/forms/register.csv").unwrap();
    let mut rows = csv::Reader::from_reader(register.as_bytes());
    let quoted = |cell: &str| match cell {
        "" => "NULL".to_owned(),
        cell => format!("'{}'", cell.replace('\'', "''")),
    };
    let mut sql = "CREATE SCHEMA pki; CREATE TABLE pki.keys (\"Key ID\" text, \"Name\" text, \"Type\" text, \"Owner\" text, \"Fingerprint\" text, \
        \"Created\" date, \"Rotation Period (days)\" int, \"Expires On\" date, \"State\" text, \"Location\" text, \"Key Size\" int);"
        .to_owned();
    for row in rows.records() {
        let cells: Vec<String> = row.unwrap().iter().map(quoted).collect();
        sql += &format!("INSERT INTO pki.keys VALUES ({});", cells.join(","));
    }
    sql += "CREATE TABLE other AS SELECT decode('da39a3ee5e6b4b0d3255bfef95601890afd80709', 'hex') AS thumbprint, timestamptz '2027-01-15 12:00+02' AS valid_to, \
        'K-' || n AS id, array['a.example','b.example'] AS domains FROM generate_series(1, 12000) n;";
    assert!(server.psql(&sql).0);

    let table = read(
        Path::new(&server.address("table=pki.keys")),
        &ReadOptions::default(),
    )
    .unwrap();
    assert_eq!(differences(&table), Vec::<String>::new());
    assert_eq!(table.form, "PostgreSQL");
    assert_eq!(table.entries[0].source.to_string(), "postgres/pki.keys:1");
    assert!(!table.path.contains("hunter2"), "{}", table.path);
    let age = jiff::Timestamp::now().as_second() - table.as_of.unwrap().as_second();
    assert!((-5..600).contains(&age), "{age}");

    // More rows than come at once; types of the server's own.
    let query = "query=SELECT * FROM other ORDER BY length(id), id";
    let many = read(Path::new(&server.address(query)), &ReadOptions::default()).unwrap();
    assert_eq!(many.entries.len(), 12_000);
    let last = &many.entries[11_999];
    assert_eq!((&*last.id, last.identifiers.len()), ("K-12000", 1));
    assert_eq!(last.expires.unwrap().at.to_string(), "2027-01-15T10:00:00Z");

    for (wrong, word) in [
        ("table=nowhere", "does not exist"),
        ("query=DELETE FROM other", "syntax error"),
        ("query=SELECT 1; DROP TABLE other", "multiple commands"),
        (
            "query=WITH d AS (DELETE FROM other RETURNING *) SELECT * FROM d",
            "data-modifying",
        ),
        ("sslmode=require&table=other", "TLS"),
        ("", "name a table or a query"),
    ] {
        let error = read(Path::new(&server.address(wrong)), &ReadOptions::default())
            .unwrap_err()
            .to_string();
        assert!(error.contains(word), "{wrong}: {error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
    assert_eq!(server.psql("SELECT count(*) FROM other").1, "12000");
}

#[test]
fn another_host_without_tls_must_be_wanted() {
    let error = read(
        Path::new("postgres://u:hunter2@db.example.invalid/x?table=keys"),
        &ReadOptions::default(),
    )
    .unwrap_err()
    .to_string();
    assert!(
        error.contains("sslmode=disable") && !error.contains("hunter2"),
        "{error}"
    );
    let error = read(
        Path::new("postgres://u:hunter2@h:notaport/x?table=keys"),
        &ReadOptions::default(),
    )
    .unwrap_err()
    .to_string();
    assert!(
        error.contains("no address") && !error.contains("hunter2"),
        "{error}"
    );
}
