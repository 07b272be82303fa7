//! Collections (TAXII 2.1, sections 5.1 and 5.2).

use lambda_http::http::StatusCode;
use serde::Serialize;
use serde_json::json;
use shared::access::Scope;
use shared::collection::Collection;
use shared::http::Answer;
use shared::services::Services;

use crate::fault::Fault;
use crate::media;
use crate::rights;
use crate::visitor::Visitor;

#[derive(Serialize)]
struct Resource {
    id: String,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alias: Option<String>,
    can_read: bool,
    can_write: bool,
    media_types: Vec<String>,
}

impl Resource {
    /// The collection as this visitor sees it; `None` when it has no right to it.
    fn of(collection: &Collection, visitor: &Visitor) -> Option<Self> {
        let rights = collection.rights(visitor.caller(), Scope::ReadTaxii);
        let settings = &collection.settings;
        (settings.taxii && rights.any()).then(|| Self {
            id: collection.id.to_string(),
            title: settings.title.clone(),
            description: settings.description.clone(),
            alias: settings.alias.as_ref().map(ToString::to_string),
            can_read: rights.read,
            can_write: rights.write,
            media_types: settings
                .spec_versions
                .iter()
                .map(|spec| format!("application/stix+json;version={}", spec.name()))
                .collect(),
        })
    }
}

/// `GET …/collections/`: those the visitor may read or write, by id.
pub async fn list(services: &Services, visitor: &Visitor) -> Result<Answer, Fault> {
    let definitions = services.definitions().await?;
    let mut collections: Vec<Resource> = definitions
        .iter()
        .filter_map(|defined| Resource::of(&defined.collection, visitor))
        .collect();
    collections.sort_by(|a, b| a.id.cmp(&b.id));
    let body = match collections.as_slice() {
        [] => json!({}),
        collections => json!({"collections": collections}),
    };
    Ok(media::answer(StatusCode::OK, &body))
}

/// `GET …/collections/{id}/`
pub async fn get(services: &Services, visitor: &Visitor, name: &str) -> Result<Answer, Fault> {
    let defined = rights::visible(services, visitor, name).await?;
    Ok(media::answer(StatusCode::OK, &Resource::of(&defined.collection, visitor)))
}
