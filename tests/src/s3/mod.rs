//! An S3 server in this process: real protocol, signatures checked, and faults where a [`Script`] wants them.
//!
//! ```no_run
//! # fn main() -> tokaki_tests::Result<()> {
//! # let root = std::path::Path::new("/tmp");
//! let server = tokaki_tests::s3::Server::start(root)?; // every folder in `root` is a bucket
//! let variables = server.variables(); // what tells tokaki where the server is and who we are
//! # Ok(())
//! # }
//! ```

mod answer;
mod objects;
mod tls;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;

use crate::Result;
use crate::faults::{Rule, Script, Seen};
use objects::Objects;
pub use tls::{Authority, Identity};

/// The access key id that the server takes.
pub const ACCESS_KEY_ID: &str = "AKIATOKAKICANARY";
/// Its secret. Nothing that tokaki writes may hold it.
pub const SECRET_ACCESS_KEY: &str = "canary/5d1c0ffee7secret";

/// The server; it ends when this is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    secure: bool,
    shared: Arc<Shared>,
    /// Dropped in the background: a test need not wait for answers that were meant to stall.
    runtime: Option<Runtime>,
}

/// What the connections know.
#[derive(Debug, Default)]
struct Shared {
    script: Mutex<Script>,
    seen: Mutex<Vec<Seen>>,
    heeds_conditions: Arc<AtomicBool>,
}

impl Server {
    /// Serves the folders in `root` as buckets.
    ///
    /// # Errors
    /// The folder cannot be read or no port be had.
    pub fn start(root: &Path) -> Result<Self> {
        Self::start_with_pages(root, 1000)
    }

    /// Like [`start`](Self::start), with listings of at most `page` keys at once.
    ///
    /// # Errors
    /// The folder cannot be read or no port be had.
    pub fn start_with_pages(root: &Path, page: i32) -> Result<Self> {
        Self::start_with(root, page, None)
    }

    /// Like [`start`](Self::start), over TLS. Its endpoint is `https://localhost:port`, whatever the certificate says.
    ///
    /// # Errors
    /// The folder cannot be read or no port be had.
    pub fn start_secure(root: &Path, identity: Identity) -> Result<Self> {
        Self::start_with(root, 1000, Some(identity))
    }

    fn start_with(root: &Path, page: i32, identity: Option<Identity>) -> Result<Self> {
        let heeds_conditions = Arc::new(AtomicBool::new(true));
        let mut builder = S3ServiceBuilder::new(Objects::new(root, page, Arc::clone(&heeds_conditions))?);
        builder.set_auth(SimpleAuth::from_single(ACCESS_KEY_ID, SECRET_ACCESS_KEY));
        let service = builder.build();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared { heeds_conditions, ..Shared::default() });
        let of_connections = Arc::clone(&shared);
        let secure = identity.is_some();
        let acceptor = identity.map(|Identity(config)| TlsAcceptor::from(config));
        runtime.spawn(async move {
            // An error concerns one connection that is gone already.
            loop {
                let Ok((socket, _)) = listener.accept().await else { continue };
                let (service, shared, acceptor) = (service.clone(), Arc::clone(&of_connections), acceptor.clone());
                tokio::spawn(async move {
                    match acceptor {
                        None => serve(socket, service, shared).await,
                        // A client that does not trust us goes away.
                        Some(acceptor) => {
                            if let Ok(socket) = acceptor.accept(socket).await {
                                serve(socket, service, shared).await;
                            }
                        }
                    }
                });
            }
        });
        Ok(Self { address, secure, shared, runtime: Some(runtime) })
    }

    /// `http://host:port`, or `https://` where the server has a certificate.
    pub fn endpoint(&self) -> String {
        if self.secure {
            format!("https://localhost:{}", self.address.port())
        } else {
            format!("http://{}", self.address)
        }
    }

    /// The variables that tell tokaki where the server is and who we are. Without patience: what is given up is given up
    /// after a second, what is tried again is tried again at once.
    pub fn variables(&self) -> Vec<(String, String)> {
        [
            ("ENDPOINT", self.endpoint()),
            ("ACCESS_KEY_ID", ACCESS_KEY_ID.to_owned()),
            ("SECRET_ACCESS_KEY", SECRET_ACCESS_KEY.to_owned()),
            ("TIMEOUT_SECONDS", "1".to_owned()),
            ("RETRY_DELAY_MS", "5".to_owned()),
        ]
        .map(|(name, value)| (format!("TOKAKI_STORE__{name}"), value))
        .to_vec()
    }

    /// From now on these faults happen, and no others.
    pub fn set_faults(&self, rules: impl IntoIterator<Item = Rule>) {
        *self.shared.script.lock().unwrap_or_else(PoisonError::into_inner) = Script::new(rules);
    }

    /// From now on faults happen by chance, the same ones for the same `seed` and order of requests.
    pub fn set_random_faults(&self, seed: u64) {
        *self.shared.script.lock().unwrap_or_else(PoisonError::into_inner) = Script::random(seed);
    }

    /// From now on `If-Match` is taken for air, as some stores do.
    pub fn ignore_conditions(&self) {
        self.shared.heeds_conditions.store(false, Ordering::Relaxed);
    }

    /// The requests since the last call, in the order in which they came.
    pub fn take_requests(&self) -> Vec<Seen> {
        std::mem::take(&mut self.shared.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn serve(socket: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, service: S3Service, shared: Arc<Shared>) {
    let answer = service_fn(move |request| {
        let (service, shared) = (service.clone(), Arc::clone(&shared));
        async move { Ok::<_, Infallible>(answer::answer(&service, &shared, request).await) }
    });
    let http = auto::Builder::new(TokioExecutor::new());
    // A connection that breaks is what the client shall cope with.
    drop(http.serve_connection(TokioIo::new(socket), answer).await);
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
