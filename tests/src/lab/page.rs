//! What `taxii` answers, taken apart without respelling the objects.

use std::collections::BTreeMap;

use lambda_http::Body;
use lambda_http::http::Response;
use serde_json::Value;
use serde_json::value::RawValue;

/// An answer of `taxii`.
#[derive(Debug, Clone)]
pub struct Page {
    /// What was asked.
    pub uri: String,
    /// The status code.
    pub status: u16,
    /// What it lists, each as it is spelt.
    pub items: Vec<String>,
    /// The token of the next page.
    pub next: Option<String>,
    /// `X-TAXII-Date-Added-First`
    pub first: Option<String>,
    /// `X-TAXII-Date-Added-Last`
    pub last: Option<String>,
}

/// A version of an object as a manifest lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The object's id.
    pub id: String,
    /// The version.
    pub version: String,
    /// Its `date_added`.
    pub added: String,
}

impl Page {
    pub(super) fn read(uri: &str, answer: Response<Body>) -> Self {
        let (parts, body) = answer.into_parts();
        let header = |name: &str| {
            parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
        };
        let text = String::from_utf8(body.to_vec()).expect("the answer is UTF-8");
        let members: BTreeMap<String, Box<RawValue>> =
            serde_json::from_str(&text).unwrap_or_default();
        let list = members.get("objects").or_else(|| members.get("versions"));
        let items: Vec<Box<RawValue>> =
            list.map_or_else(Vec::new, |list| serde_json::from_str(list.get()).unwrap_or_default());
        let next = members.get("next").and_then(|next| serde_json::from_str(next.get()).ok());
        Self {
            uri: uri.to_owned(),
            status: parts.status.as_u16(),
            items: items.into_iter().map(|item| item.get().to_owned()).collect(),
            next,
            first: header("x-taxii-date-added-first"),
            last: header("x-taxii-date-added-last"),
        }
    }

    /// What a page of a manifest lists.
    pub fn listed(&self) -> Vec<Listed> {
        let item = |item: &String| {
            let item: Value = serde_json::from_str(item).unwrap_or_default();
            let text = |name: &str| item[name].as_str().unwrap_or_default().to_owned();
            Listed { id: text("id"), version: text("version"), added: text("date_added") }
        };
        self.items.iter().map(item).collect()
    }
}
