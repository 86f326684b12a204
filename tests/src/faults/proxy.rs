//! A TCP proxy that breaks connections: for databases, whose protocol nobody wants to speak in a test.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::Notify;

use crate::Result;

/// What the proxy does to a connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing.
    #[default]
    None,
    /// The connection ends after so many bytes to the server.
    CutAfterSent(usize),
    /// The connection ends after so many bytes from the server.
    CutAfterReceived(usize),
    /// After so many bytes to the server no further ones pass, until the client has ended the connection.
    HoldAfterSent(usize),
    /// After so many bytes to the server nothing passes any more, in either direction, and nobody is told, until trouble
    /// is set anew.
    BlackholeAfterSent(usize),
    /// Every piece comes later, in both directions.
    Delay(Duration),
}

/// The proxy; it ends when this is dropped, and every connection with it.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    runtime: Option<Runtime>,
}

#[derive(Debug, Default)]
struct Shared {
    plan: Mutex<Plan>,
    /// Ends the connections of which nobody is told.
    over: Notify,
}

/// What happens to which connection, and the connections since that was said.
#[derive(Debug, Default)]
struct Plan {
    trouble: Trouble,
    /// All but this one are left alone.
    only: Option<usize>,
    /// Bytes to and from the server, by connection.
    carried: Vec<Arc<Carried>>,
}

#[derive(Debug, Default)]
struct Carried {
    sent: AtomicUsize,
    received: AtomicUsize,
}

impl Proxy {
    /// A proxy in front of the server at `target`, for instance `127.0.0.1:5432`.
    ///
    /// # Errors
    /// No port can be had.
    pub fn start(target: &str) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let (target, of_connections) = (target.to_owned(), Arc::clone(&shared));
        runtime.spawn(async move {
            loop {
                let Ok((client, _)) = listener.accept().await else { continue };
                let (target, shared) = (target.clone(), Arc::clone(&of_connections));
                let (trouble, carried) = shared.next();
                tokio::spawn(async move {
                    if let Ok(server) = TcpStream::connect(target).await {
                        shared.carry(client, server, trouble, &carried).await;
                    }
                });
            }
        });
        Ok(Self { address, shared, runtime: Some(runtime) })
    }

    /// Where the proxy is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What happens to all connections that are made from now on.
    pub fn set(&self, trouble: Trouble) {
        self.shared.set(Plan { trouble, ..Plan::default() });
    }

    /// What happens to one of the connections that are made from now on, counted from 0. The others are left alone.
    pub fn set_for(&self, connection: usize, trouble: Trouble) {
        self.shared.set(Plan { trouble, only: Some(connection), ..Plan::default() });
    }

    /// Bytes sent to the server by each connection since trouble was last set, to know where to cut the next time.
    pub fn sent(&self) -> Vec<usize> {
        self.shared.count(|carried| &carried.sent)
    }

    /// Bytes received from the server by each connection since trouble was last set.
    pub fn received(&self) -> Vec<usize> {
        self.shared.count(|carried| &carried.received)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Shared {
    fn set(&self, plan: Plan) {
        *self.plan.lock().unwrap_or_else(PoisonError::into_inner) = plan;
        self.over.notify_waiters();
    }

    /// What happens to a connection that is made now.
    fn next(&self) -> (Trouble, Arc<Carried>) {
        let mut plan = self.plan.lock().unwrap_or_else(PoisonError::into_inner);
        let number = plan.carried.len();
        let carried = Arc::new(Carried::default());
        plan.carried.push(Arc::clone(&carried));
        (if plan.only.is_none_or(|only| only == number) { plan.trouble } else { Trouble::None }, carried)
    }

    fn count(&self, of: impl Fn(&Carried) -> &AtomicUsize) -> Vec<usize> {
        let plan = self.plan.lock().unwrap_or_else(PoisonError::into_inner);
        plan.carried.iter().map(|carried| of(carried).load(Ordering::Relaxed)).collect()
    }

    /// Ends as soon as one direction does, and both ends with it.
    async fn carry(&self, mut client: TcpStream, mut server: TcpStream, trouble: Trouble, carried: &Carried) {
        let (mut from_client, mut to_client) = client.split();
        let (mut from_server, mut to_server) = server.split();
        let (sent, received) = match trouble {
            Trouble::CutAfterSent(bytes) | Trouble::HoldAfterSent(bytes) | Trouble::BlackholeAfterSent(bytes) => {
                (bytes, usize::MAX)
            }
            Trouble::CutAfterReceived(bytes) => (usize::MAX, bytes),
            Trouble::None | Trouble::Delay(_) => (usize::MAX, usize::MAX),
        };
        let delay = if let Trouble::Delay(delay) = trouble { delay } else { Duration::ZERO };
        let upwards = async {
            copy(&mut from_client, &mut to_server, sent, delay, &carried.sent).await;
            if matches!(trouble, Trouble::HoldAfterSent(_)) {
                // What comes yet is heard, so that the end is noticed, and goes nowhere.
                tokio::io::copy(&mut from_client, &mut tokio::io::sink()).await.ok();
            }
        };
        tokio::select! {
            () = upwards => {}
            () = copy(&mut from_server, &mut to_client, received, delay, &carried.received) => {}
        }
        if matches!(trouble, Trouble::BlackholeAfterSent(_)) {
            self.over.notified().await;
        }
    }
}

/// Copies at most `left` bytes; ends with them, or with either side.
async fn copy(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    mut left: usize,
    delay: Duration,
    copied: &AtomicUsize,
) {
    let mut buffer = vec![0; 16 << 10];
    while left > 0 {
        let most = left.min(buffer.len());
        let Ok(read @ 1..) = from.read(&mut buffer[..most]).await else { return };
        tokio::time::sleep(delay).await;
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
        copied.fetch_add(read, Ordering::Relaxed);
        left -= read;
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::thread;

    use super::*;

    /// What comes back of `sent` from a server that repeats what it hears.
    fn echoed(trouble: Trouble, sent: &[u8]) -> Vec<u8> {
        let server = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = server.local_addr().expect("an address").to_string();
        let serving = thread::spawn(move || {
            let (mut socket, _) = server.accept().expect("a client");
            let mut buffer = [0; 64];
            while let Ok(read @ 1..) = socket.read(&mut buffer) {
                if socket.write_all(&buffer[..read]).is_err() {
                    return;
                }
            }
        });
        let proxy = Proxy::start(&address).expect("a proxy");
        proxy.set(trouble);
        let mut client = TcpStream::connect(proxy.address()).expect("connects");
        client.write_all(sent).expect("sent");
        let mut heard = Vec::new();
        // A cut connection may end with an error as well as without.
        client.read_to_end(&mut heard).ok();
        drop(proxy);
        serving.join().expect("served");
        heard
    }

    #[test]
    fn a_connection_is_cut_after_its_bytes() {
        assert!(echoed(Trouble::CutAfterSent(3), b"0123456789").len() <= 3);
        assert_eq!(echoed(Trouble::CutAfterReceived(4), b"0123456789"), b"0123");
    }
}
