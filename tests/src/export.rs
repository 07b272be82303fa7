//! Reading the STIX export.

use serde_json::Value;

use crate::client::{Answer, Client, Request};

/// The route.
pub const PATH: &str = "/api/v1/iocs/stix";

/// Every type the export knows.
pub const TYPES: [&str; 11] = [
    "ipv4",
    "ipv6",
    "domain",
    "url",
    "md5",
    "sha1",
    "sha256",
    "sha512",
    "email",
    "cve",
    "mitre_attack",
];

/// The export with a key.
pub struct Export(pub Client);

impl Export {
    /// A request.
    pub fn request(&self, query: &[(&str, &str)]) -> Request {
        self.0.get(PATH).queries(query)
    }

    /// A bundle, or a part of one.
    pub async fn get(&self, query: &[(&str, &str)]) -> Bundle {
        Bundle::of(&self.request(query).await)
    }

    /// All bundles, following `X-Next-Cursor`.
    pub async fn pages(&self, query: &[(&str, &str)]) -> Vec<Bundle> {
        let mut pages = vec![self.get(query).await];
        while let Some(next) = pages.last().and_then(|page| page.next.clone()) {
            pages.push(self.get(&[("cursor", &next)]).await);
            assert!(pages.len() < 5_000, "paging does not end");
        }
        pages
    }
}

/// What came.
#[derive(Debug, Clone)]
pub struct Bundle {
    /// Its objects.
    pub objects: Vec<Value>,
    /// The cursor, if there is more.
    pub next: Option<String>,
}

impl Bundle {
    /// Reads a 200.
    pub fn of(answer: &Answer) -> Self {
        let answer = answer.clone().expect(200);
        let body = answer.json();
        let objects = match &body {
            Value::Array(objects) => objects.clone(),
            bundle => {
                assert_eq!(bundle["type"], "bundle");
                bundle["objects"].as_array().cloned().unwrap_or_default()
            }
        };
        let next = answer.header("x-next-cursor").map(ToOwned::to_owned);
        let linked = answer.header("link").is_some_and(|link| {
            let cursor = next.as_deref().unwrap_or("none");
            link.starts_with("<http") && link.ends_with(&format!("?cursor={cursor}>; rel=\"next\""))
        });
        assert_eq!(linked, next.is_some(), "{}: Link and X-Next-Cursor come together", answer.what);
        Self { objects, next }
    }

    /// The objects of a type.
    pub fn of_type(&self, object_type: &str) -> Vec<&Value> {
        self.objects.iter().filter(|object| object["type"] == object_type).collect()
    }

    /// The ids of the indicators, in order.
    pub fn indicators(&self) -> Vec<String> {
        let indicators = self.of_type("indicator");
        indicators.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
    }

    /// The types of the objects, in order.
    pub fn types(&self) -> Vec<&str> {
        self.objects.iter().map(|object| object["type"].as_str().unwrap()).collect()
    }
}
