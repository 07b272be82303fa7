//! Whom a function's requests trust.

use std::env;

use aws_sdk_dynamodb::config::SharedHttpClient;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};

/// The roots that AWS's own endpoints are signed by (Amazon Root CA 1 to 4, Starfield Services
/// G2; amazontrust.com/repository, until 2037): reading the system's hundred and more takes most
/// of a function's start.
const AMAZON: &str = include_str!("amazon_roots.pem");

/// Where a variable points to other endpoints or roots, the system's roots are what counts.
const ELSEWHERE: [&str; 5] = [
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_DYNAMODB",
    "AWS_ENDPOINT_URL_S3",
];

/// The SDK's connections to AWS in `region`.
pub fn http(region: &str) -> SharedHttpClient {
    let set = |name| env::var(name).ok().filter(|value| !value.is_empty());
    connections(trust_store(region, set))
}

fn connections(trust: TrustStore) -> SharedHttpClient {
    // Ring: AWS-LC's start-up costs a third of a second at a small memory size.
    let builder = aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .pool_max_idle_per_host(64);
    match TlsContext::builder().with_trust_store(trust).build() {
        Ok(context) => builder.tls_context(context).build_https(),
        Err(_) => builder.build_https(),
    }
}

fn trust_store(region: &str, set: impl Fn(&'static str) -> Option<String>) -> TrustStore {
    // An emulator is spoken to without TLS: nobody has to be trusted, and starts as on AWS.
    let elsewhere = ELSEWHERE.iter().filter_map(|name| set(name));
    let elsewhere = elsewhere.filter(|value| !value.starts_with("http://")).count() > 0;
    // On a person's own machine, what stands between it and AWS may be signed by others.
    let deployed = set("AWS_LAMBDA_FUNCTION_NAME").is_some();
    if elsewhere || !deployed || !of_amazon_trust(region) {
        return TrustStore::default();
    }
    TrustStore::empty().with_pem_certificate(AMAZON)
}

/// Whether it is one of AWS's commercial regions: those of other partitions (China, government,
/// sovereign clouds) and whatever comes may have endpoints signed by others.
fn of_amazon_trust(region: &str) -> bool {
    let place = region.split('-').next().unwrap_or_default();
    let commercial = ["af", "ap", "ca", "eu", "il", "me", "mx", "sa", "us"].contains(&place);
    commercial && !["us-gov-", "us-iso", "eu-iso"].iter().any(|other| region.starts_with(other))
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::config::{BehaviorVersion, Region};

    use super::*;

    fn trusts_the_system(region: &str, name: &'static str, value: &str) -> bool {
        let set = [("AWS_LAMBDA_FUNCTION_NAME", "taxii"), (name, value)];
        let store = trust_store(region, |asked| {
            set.iter().rev().find(|(name, _)| *name == asked).map(|(_, value)| (*value).to_owned())
        });
        format!("{store:?}").contains("enable_native_roots: true")
    }

    #[test]
    fn amazons_roots_are_enough_for_commercial_regions() {
        for region in ["eu-central-1", "us-east-1", "ap-southeast-7", "mx-central-1"] {
            assert!(!trusts_the_system(region, "HOME", "/"), "{region}");
        }
        for region in ["cn-north-1", "us-gov-west-1", "us-isob-east-1", "eusc-de-east-1", ""] {
            assert!(trusts_the_system(region, "HOME", "/"), "{region}");
        }
    }

    #[test]
    fn other_endpoints_and_roots_are_the_systems() {
        let region = "eu-central-1";
        assert!(trusts_the_system(region, "SSL_CERT_FILE", "/etc/pki/tls/cert.pem"));
        assert!(trusts_the_system(region, "AWS_ENDPOINT_URL_S3", "https://s3.example"));
        assert!(!trusts_the_system(region, "AWS_ENDPOINT_URL", "http://127.0.0.1:4566"));
    }

    #[test]
    fn every_root_is_taken() {
        assert_eq!(AMAZON.matches("-----BEGIN CERTIFICATE-----").count(), 5);
        // A client panics on one that cannot be read.
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .http_client(connections(TrustStore::empty().with_pem_certificate(AMAZON)))
            .build();
        let _ = aws_sdk_dynamodb::Client::from_conf(config);
    }
}
