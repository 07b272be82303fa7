//! The HTTP client of the command line.

use std::sync::Once;
use std::time::Duration;

use reqwest::Client;
use thiserror::Error;

/// Why there is no client.
#[derive(Debug, Error)]
pub enum HttpClientError {
    /// The address is none.
    #[error("{0:?} is no address of a service; it looks like http://127.0.0.1:8080")]
    Address(String),
    /// The client cannot be set up.
    #[error("cannot set up an HTTP client: {0}")]
    Setup(#[from] reqwest::Error),
}

/// A client for the service at `base_url`; for this machine without any proxy.
///
/// # Errors
/// When that is no http or https URL, or TLS cannot be set up.
pub fn to(base_url: &str) -> Result<Client, HttpClientError> {
    static TLS: Once = Once::new();
    TLS.call_once(|| {
        // An error says that there is one already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    let url = url::Url::parse(base_url).ok();
    let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let Some(url) = url else { return Err(HttpClientError::Address(base_url.to_owned())) };
    let mut builder = Client::builder()
        .connect_timeout(Duration::from_secs(10))
        .timeout(Duration::from_mins(1))
        .tcp_nodelay(true)
        .user_agent(concat!("iocast/", env!("CARGO_PKG_VERSION")));
    let local = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    if local {
        builder = builder.no_proxy();
    }
    Ok(builder.build()?)
}
