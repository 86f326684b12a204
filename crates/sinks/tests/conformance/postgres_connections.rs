//! Ways to the server: a pooler, encrypted connections. Ids are those of the list of failures that tokaki is built
//! against.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;
use tokaki_core::{ErrorKind, Sink};
use url::Url;
use xtask::postgres::{Pooler, Server};

use crate::postgres::PostgresBench;
use crate::replacing::{replace, sink};
use tokaki_core::testkit::sinks::Bench;
use tokaki_core::testkit::sinks::{Row, pods, scope};

#[tokio::test]
async fn p10_a_pooler_may_give_each_transaction_another_connection() {
    let server = Server::temporary().expect("a PostgreSQL server");
    let bench = PostgresBench::on(&server);
    let server = Url::parse(&bench.url).expect("a url");
    let pooler = Pooler::start(server.port().expect("a port"), 2).expect("a pgbouncer");
    let url = format!("{}{}", pooler.url(), server.path().trim_start_matches('/'));
    let sinks = [(); 4].map(|()| sink("postgres", &url, true).expect("a sink"));
    let rows: [Row; 2] = [("2025-09-01", Some("shop"), Some(1.0)), ("2025-09-01", None, Some(2.0))];
    let run = async |sink: &dyn Sink| {
        for _ in 0..5 {
            let day = scope("2025-09-01", "2025-09-01");
            replace(sink, &day, &[(pods(), &rows)]).await.expect("a run behind a pooler");
        }
    };
    tokio::join!(run(sinks[0].as_ref()), run(sinks[1].as_ref()), run(sinks[2].as_ref()), run(sinks[3].as_ref()));
    assert_eq!(bench.rows().await.len(), 2);
    // What a session would hold on to is gone with the last run.
    let locks = "SELECT count(*)::text FROM pg_locks WHERE locktype = 'advisory' \
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    assert_eq!(bench.texts(locks).await, ["0"]);
}

/// A server whose certificate, for `localhost`, comes from an authority of our own.
struct SecureServer {
    /// Ends with this value.
    _server: Server,
    bench: PostgresBench,
    folder: TempDir,
}

impl SecureServer {
    async fn start() -> Self {
        let server = Server::temporary().expect("a PostgreSQL server");
        let bench = PostgresBench::on(&server);
        let trusted = authority();
        let key = KeyPair::generate().expect("a key");
        let names = CertificateParams::new(["localhost".to_owned()]).expect("a name");
        let certificate = names.signed_by(&key, &trusted).expect("a certificate");
        let data =
            PathBuf::from(bench.texts("SELECT setting FROM pg_settings WHERE name = 'data_directory'").await.concat());
        give(&data, "server.crt", &certificate.pem());
        give(&data, "server.key", &key.serialize_pem());
        bench.set_for_all("ssl", "on").await;
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("ca.pem"), trusted.pem()).expect("a file");
        fs::write(folder.path().join("other.pem"), authority().pem()).expect("a file");
        fs::write(folder.path().join("empty.pem"), "").expect("a file");
        Self { _server: server, bench, folder }
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Looks whether `host` takes rows with the given parameters of the url.
    async fn check(&self, host: &str, parameters: &[(&str, &str)]) -> tokaki_core::Result<()> {
        let mut url = Url::parse(&self.bench.url).expect("a url");
        url.set_host(Some(host)).expect("a host");
        url.query_pairs_mut().extend_pairs(parameters);
        let sink = sink("postgres", url.as_str(), true)?;
        sink.check(&scope("2025-09-01", "2025-09-01"), &[pods()]).await
    }
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority")
}

/// A file that only the owner of `folder` may read, as the server wants it.
fn give(folder: &Path, name: &str, text: &str) {
    let file = folder.join(name);
    fs::write(&file, text).expect("a file");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("permissions");
    let owner = fs::metadata(folder).expect("the folder");
    chown(&file, Some(owner.uid()), Some(owner.gid())).expect("an owner");
}

#[tokio::test]
async fn p15_each_mode_of_tls_checks_what_it_says() {
    let server = SecureServer::start().await;
    let (ours, other) = (server.file("ca.pem"), server.file("other.pem"));
    for (host, mode, root) in [
        ("127.0.0.1", "disable", None),
        ("127.0.0.1", "prefer", None),
        ("127.0.0.1", "require", None),
        ("127.0.0.1", "require", Some(&ours)),
        ("127.0.0.1", "verify-ca", Some(&ours)),
        ("localhost", "verify-full", Some(&ours)),
    ] {
        let root = root.map(|root| ("sslrootcert", root.as_str()));
        let parameters: Vec<_> = [("sslmode", mode)].into_iter().chain(root).collect();
        server.check(host, &parameters).await.unwrap_or_else(|error| panic!("{host} {mode} {root:?}: {error}"));
    }
    for (host, mode, root) in [
        ("127.0.0.1", "require", &other),
        ("127.0.0.1", "verify-ca", &other),
        ("127.0.0.1", "verify-full", &ours),
        ("localhost", "verify-full", &other),
    ] {
        let refused = server.check(host, &[("sslmode", mode), ("sslrootcert", root)]).await;
        let error = refused.expect_err("a certificate that is not accepted");
        assert_eq!((error.kind(), error.key()), (ErrorKind::Config, Some("sink.url")), "{host} {mode}: {error}");
        assert!(error.message().contains("certificate"), "{error}");
    }
}

#[tokio::test]
async fn p15_mistakes_with_tls_are_mistakes_of_the_configuration() {
    let server = SecureServer::start().await;
    let (missing, empty) = (server.file("missing.pem"), server.file("empty.pem"));
    for (parameters, part) in [
        (&[("sslmode", "requir")][..], "requir"),
        (&[("sslmode", "verify-full"), ("sslrootcert", &missing)], "missing.pem"),
        (&[("sslmode", "verify-full"), ("sslrootcert", &empty)], "no PEM file"),
        (&[("sslmode", "require"), ("sslcert", &server.file("ca.pem"))], "together"),
    ] {
        let error = server.check("127.0.0.1", parameters).await.expect_err("a mistake");
        assert_eq!((error.kind(), error.key()), (ErrorKind::Config, Some("sink.url")), "{error}");
        assert!(error.message().contains(part), "{error}");
    }
    server.bench.set_for_all("ssl", "off").await;
    let error = server.check("127.0.0.1", &[("sslmode", "require")]).await.expect_err("a server without TLS");
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");
}
