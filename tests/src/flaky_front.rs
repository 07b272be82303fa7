//! A front door that cuts connections at arbitrary moments, and stays while the service behind it
//! is killed and started again.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The front.
#[derive(Clone)]
pub struct FlakyFront {
    inner: Arc<Inner>,
    address: SocketAddr,
}

struct Inner {
    behind: Mutex<SocketAddr>,
    mean: usize,
    cuts: AtomicUsize,
    calm: AtomicBool,
}

impl FlakyFront {
    /// A front before the service at `behind`, which cuts an answer after `mean` bytes or so.
    pub async fn start(behind: SocketAddr, mean: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (cuts, calm) = (AtomicUsize::new(0), AtomicBool::new(false));
        let inner = Arc::new(Inner { behind: Mutex::new(behind), mean, cuts, calm });
        let shared = Arc::clone(&inner);
        tokio::spawn(async move {
            let mut number = 0;
            while let Ok((client, _)) = listener.accept().await {
                number += 1;
                tokio::spawn(pass(Arc::clone(&shared), client, number));
            }
        });
        Self { inner, address }
    }

    /// Where clients come to.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The service came back at another address.
    pub fn moved(&self, behind: SocketAddr) {
        *self.inner.behind.lock().unwrap() = behind;
    }

    /// From here on nothing is cut.
    pub fn calm(&self) {
        self.inner.calm.store(true, Ordering::Relaxed);
    }

    /// How many connections were cut.
    pub fn cuts(&self) -> usize {
        self.inner.cuts.load(Ordering::Relaxed)
    }
}

/// How many bytes of an answer pass before it is cut, at any byte: the mean, give or take three
/// quarters.
fn allowance(mean: usize, number: usize) -> usize {
    mean / 4 + number.wrapping_mul(2_654_435_761) % (mean * 3 / 2 + 1)
}

async fn pass(inner: Arc<Inner>, mut client: TcpStream, number: usize) {
    let mut service = loop {
        let behind = *inner.behind.lock().unwrap();
        match TcpStream::connect(behind).await {
            Ok(service) => break service,
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    };
    let (mut from_client, mut to_client) = client.split();
    let (mut from_service, mut to_service) = service.split();
    let mut left = allowance(inner.mean, number);
    let mut buffer = vec![0; 16 * 1024];
    let up = tokio::io::copy(&mut from_client, &mut to_service);
    tokio::pin!(up);
    let mut asked = false;
    loop {
        tokio::select! {
            read = from_service.read(&mut buffer) => {
                let Ok(read) = read else { return };
                if read == 0 {
                    return;
                }
                let calm = inner.calm.load(Ordering::Relaxed);
                let pass = if calm { read } else { read.min(left) };
                if to_client.write_all(&buffer[..pass]).await.is_err() {
                    return;
                }
                left -= pass.min(left);
                if left == 0 && !calm {
                    inner.cuts.fetch_add(1, Ordering::Relaxed);
                    return;
                }
            }
            _ = &mut up, if !asked => asked = true,
        }
    }
}
