//! The template's tables, made in the engine at the first start and compared with it later.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{DisplayErrorContext, SdkError};
use aws_sdk_dynamodb::operation::create_table::builders::CreateTableFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType, StreamSpecification, StreamViewType, TableDescription,
    TimeToLiveSpecification,
};

use super::EngineError;
use crate::template::{Index, KeyPart, Table};

/// Makes the tables that are not there.
///
/// # Errors
/// When the engine refuses a table, or one is there with another key or other indexes: the data
/// is from another version of this program.
pub async fn prepare(client: &Client, tables: &[Table]) -> Result<(), EngineError> {
    for table in tables {
        match client.describe_table().table_name(&table.name).send().await {
            Ok(found) => compare(table, found.table())?,
            Err(SdkError::ServiceError(error)) if error.err().is_resource_not_found_exception() => {
                create(client, table).await?;
            }
            Err(error) => return Err(refused(table, &DisplayErrorContext(error))),
        }
    }
    Ok(())
}

fn refused(table: &Table, reason: &impl ToString) -> EngineError {
    EngineError::Table { table: table.name.clone(), reason: reason.to_string() }
}

fn compare(table: &Table, found: Option<&TableDescription>) -> Result<(), EngineError> {
    let key = |parts: &[KeySchemaElement]| -> Vec<KeyPart> {
        parts
            .iter()
            .map(|part| KeyPart {
                name: part.attribute_name().to_owned(),
                role: part.key_type().as_str().to_owned(),
            })
            .collect()
    };
    let mut indexes: Vec<_> = found
        .map(TableDescription::global_secondary_indexes)
        .unwrap_or_default()
        .iter()
        .map(|index| (index.index_name().unwrap_or_default(), key(index.key_schema())))
        .collect();
    let mut wanted: Vec<_> =
        table.indexes.iter().map(|index| (index.name.as_str(), index.key.clone())).collect();
    indexes.sort_unstable_by(|a, b| a.0.cmp(b.0));
    wanted.sort_unstable_by(|a, b| a.0.cmp(b.0));
    let same_key = found.is_some_and(|found| key(found.key_schema()) == table.key);
    if same_key && indexes == wanted {
        return Ok(());
    }
    let reason = "was made by another version of iocast with another key or other indexes: \
                  start with another --data folder and load again";
    Err(refused(table, &reason))
}

async fn create(client: &Client, table: &Table) -> Result<(), EngineError> {
    let request = describe(client.create_table(), table)
        .map_err(|error| refused(table, &format!("in the template: {error}")))?;
    request.send().await.map_err(|error| refused(table, &DisplayErrorContext(error)))?;
    let Some(attribute) = &table.ttl else { return Ok(()) };
    let expiry = TimeToLiveSpecification::builder().attribute_name(attribute).enabled(true).build();
    let expiry = expiry.map_err(|error| refused(table, &error))?;
    client
        .update_time_to_live()
        .table_name(&table.name)
        .time_to_live_specification(expiry)
        .send()
        .await
        .map_err(|error| refused(table, &DisplayErrorContext(error)))?;
    Ok(())
}

type Built<T> = Result<T, aws_sdk_dynamodb::error::BuildError>;

fn describe(request: CreateTableFluentBuilder, table: &Table) -> Built<CreateTableFluentBuilder> {
    let mut request = request
        .table_name(&table.name)
        .billing_mode(BillingMode::PayPerRequest)
        .set_key_schema(Some(key_schema(&table.key)?));
    for attribute in &table.attributes {
        request = request.attribute_definitions(
            AttributeDefinition::builder()
                .attribute_name(&attribute.name)
                .attribute_type(ScalarAttributeType::from(attribute.kind.as_str()))
                .build()?,
        );
    }
    for index in &table.indexes {
        request = request.global_secondary_indexes(secondary_index(index)?);
    }
    if let Some(view) = &table.stream {
        request = request.stream_specification(
            StreamSpecification::builder()
                .stream_enabled(true)
                .stream_view_type(StreamViewType::from(view.as_str()))
                .build()?,
        );
    }
    Ok(request)
}

fn secondary_index(index: &Index) -> Built<GlobalSecondaryIndex> {
    let included = Some(index.included.clone()).filter(|included| !included.is_empty());
    let projection = Projection::builder()
        .projection_type(ProjectionType::from(index.projection.as_str()))
        .set_non_key_attributes(included)
        .build();
    GlobalSecondaryIndex::builder()
        .index_name(&index.name)
        .set_key_schema(Some(key_schema(&index.key)?))
        .projection(projection)
        .build()
}

fn key_schema(parts: &[KeyPart]) -> Built<Vec<KeySchemaElement>> {
    parts
        .iter()
        .map(|part| {
            KeySchemaElement::builder()
                .attribute_name(&part.name)
                .key_type(KeyType::from(part.role.as_str()))
                .build()
        })
        .collect()
}
