//! A collection as a test asks for it, and its addresses.

use serde_json::{Value, json};
use shared::tlp::Tlp;

/// What a collection shall be; [`CollectionSpec::everything`] and change what matters.
#[derive(Debug, Clone)]
pub struct CollectionSpec {
    /// The title.
    pub title: String,
    /// The alias, if any.
    pub alias: Option<String>,
    /// The filter, as JSON.
    pub filter: Value,
    /// The highest level that may enter.
    pub ceiling: Tlp,
    /// Readable without a key.
    pub public: bool,
    /// The names of the tenants that may read; nobody is shut out when `None`.
    pub readers: Option<Vec<String>>,
    /// The names of the tenants that may write.
    pub writers: Vec<String>,
    /// Whether STIX 2.0 objects enter too.
    pub stix_2_0: bool,
    /// How it is streamed, as JSON; nothing is said when null.
    pub stream: Value,
}

impl CollectionSpec {
    /// Everything up to TLP:AMBER, read by all tenants, written by `acme`.
    pub fn everything() -> Self {
        Self {
            title: format!("Collection {}", uuid::Uuid::new_v4().simple()),
            alias: None,
            filter: json!({"mode": "and", "filters": [], "filterGroups": []}),
            ceiling: Tlp::Amber,
            public: false,
            readers: None,
            writers: vec!["acme".to_owned()],
            stix_2_0: false,
            stream: Value::Null,
        }
    }

    /// What bears this label.
    pub fn labelled(label: &str) -> Self {
        Self::filtered("label", label)
    }

    /// What one filter selects.
    pub fn filtered(key: &str, value: &str) -> Self {
        let filter = json!({"key": key, "values": [value], "operator": "eq", "mode": "or"});
        let group = json!({"mode": "and", "filters": [filter], "filterGroups": []});
        Self { filter: group, ..Self::everything() }
    }

    /// The definition as the product reads it.
    pub fn settings(&self) -> Value {
        let versions = if self.stix_2_0 { json!(["2.0", "2.1"]) } else { json!(["2.1"]) };
        let mut settings = json!({
            "title": self.title,
            "filter": self.filter,
            "ceiling": self.ceiling.name(),
            "public": self.public,
            "taxii": true,
            "writers": self.writers,
            "spec_versions": versions,
        });
        if !self.stream.is_null() {
            settings["stream"] = self.stream.clone();
        }
        if let Some(alias) = &self.alias {
            settings["alias"] = json!(alias);
        }
        if let Some(readers) = &self.readers {
            settings["readers"] = json!(readers);
        }
        settings
    }

    /// The same, streamed in this way.
    #[must_use]
    pub fn streamed(self, stream: Value) -> Self {
        Self { stream, ..self }
    }

    /// The same with another ceiling.
    #[must_use]
    pub fn ceiling(self, ceiling: Tlp) -> Self {
        Self { ceiling, ..self }
    }
}

/// A collection that exists.
#[derive(Debug, Clone)]
pub struct Collection {
    /// Its id.
    pub id: String,
    /// What it was made from.
    pub spec: CollectionSpec,
}

impl Collection {
    /// The path of the collection, with what follows: `objects/`, `manifest/`, nothing.
    pub fn path(&self, rest: &str) -> String {
        format!("/taxii2/intel/collections/{}/{rest}", self.id)
    }

    /// The path of its live stream.
    pub fn stream(&self) -> String {
        format!("/stream/{}", self.id)
    }

    /// `…/objects/`
    pub fn objects(&self) -> String {
        self.path("objects/")
    }

    /// `…/manifest/`
    pub fn manifest(&self) -> String {
        self.path("manifest/")
    }

    /// `…/objects/{id}/`
    pub fn object(&self, id: &str) -> String {
        self.path(&format!("objects/{id}/"))
    }

    /// `…/objects/{id}/versions/`
    pub fn versions(&self, id: &str) -> String {
        self.path(&format!("objects/{id}/versions/"))
    }
}
