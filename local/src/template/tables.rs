//! `AWS::DynamoDB::Table`: what is needed to make the table.

use serde::Deserialize;

use super::{Template, TemplateError, intrinsics, read};

/// A table as the template declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its name on this machine.
    pub name: String,
    /// Its logical id in the template.
    pub logical_id: String,
    /// The attributes its keys and indexes use.
    pub attributes: Vec<Attribute>,
    /// Partition key, then sort key if any.
    pub key: Vec<KeyPart>,
    /// Global secondary indexes.
    pub indexes: Vec<Index>,
    /// What a stream record shows (`NEW_IMAGE` …); no stream if absent.
    pub stream: Option<String>,
    /// The attribute with the time of expiry in Unix seconds, if items expire.
    pub ttl: Option<String>,
}

/// An attribute of a key.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Attribute {
    /// Its name.
    #[serde(rename = "AttributeName")]
    pub name: String,
    /// `S`, `N` or `B`.
    #[serde(rename = "AttributeType")]
    pub kind: String,
}

/// One part of a key.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct KeyPart {
    /// The attribute's name.
    #[serde(rename = "AttributeName")]
    pub name: String,
    /// `HASH` or `RANGE`.
    #[serde(rename = "KeyType")]
    pub role: String,
}

/// A global secondary index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// Its key.
    pub key: Vec<KeyPart>,
    /// `ALL`, `KEYS_ONLY` or `INCLUDE`.
    pub projection: String,
    /// With `INCLUDE`: the attributes it carries.
    pub included: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Properties {
    attribute_definitions: Vec<Attribute>,
    key_schema: Vec<KeyPart>,
    #[serde(default)]
    global_secondary_indexes: Vec<IndexProperties>,
    stream_specification: Option<StreamSpecification>,
    time_to_live_specification: Option<TimeToLive>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct IndexProperties {
    index_name: String,
    key_schema: Vec<KeyPart>,
    projection: Projection,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Projection {
    projection_type: String,
    #[serde(default)]
    non_key_attributes: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StreamSpecification {
    stream_view_type: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TimeToLive {
    attribute_name: String,
    enabled: bool,
}

impl Template {
    /// Every table, by logical id.
    ///
    /// # Errors
    /// When a table lacks its key or attributes.
    pub fn tables(&self) -> Result<Vec<Table>, TemplateError> {
        self.of_kind("AWS::DynamoDB::Table")
            .map(|(id, resource)| {
                let properties = read(id, &resource.properties)?;
                Ok(table(id, intrinsics::table_name(id, &resource.properties), properties))
            })
            .collect()
    }
}

fn table(id: &str, name: String, properties: Properties) -> Table {
    let indexes = properties.global_secondary_indexes.into_iter().map(|index| Index {
        name: index.index_name,
        key: index.key_schema,
        projection: index.projection.projection_type,
        included: index.projection.non_key_attributes,
    });
    Table {
        name,
        logical_id: id.to_owned(),
        attributes: properties.attribute_definitions,
        key: properties.key_schema,
        indexes: indexes.collect(),
        stream: properties.stream_specification.map(|stream| stream.stream_view_type),
        ttl: properties
            .time_to_live_specification
            .filter(|ttl| ttl.enabled)
            .map(|ttl| ttl.attribute_name),
    }
}
