//! What can go wrong between a handler and its tables.

use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use thiserror::Error;

use super::codec::CodecError;

/// A failure of the store. Its text is for the log, never for a caller.
#[derive(Debug, Error)]
pub enum StoreError {
    /// A condition on a write did not hold: somebody else wrote first.
    #[error("the item changed meanwhile")]
    Conflict,
    /// The engine asks for patience, still after the SDK's own retries.
    #[error("throttled: {0}")]
    Throttled(String),
    /// The engine could not be reached, or failed.
    #[error("store unavailable: {0}")]
    Unavailable(String),
    /// An item is not what this service writes.
    #[error("damaged item: {0}")]
    Damaged(String),
}

impl From<CodecError> for StoreError {
    fn from(error: CodecError) -> Self {
        Self::Damaged(error.to_string())
    }
}

impl From<postcard::Error> for StoreError {
    fn from(error: postcard::Error) -> Self {
        Self::Damaged(error.to_string())
    }
}

impl StoreError {
    /// Sorts an SDK error by its code.
    pub(super) fn of<E, R>(error: SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
        R: std::fmt::Debug + Send + Sync + 'static,
    {
        let code = error.code().unwrap_or_default();
        match code {
            "ConditionalCheckFailedException"
            | "PreconditionFailed"
            | "ConditionalRequestConflict" => Self::Conflict,
            "ProvisionedThroughputExceededException"
            | "ThrottlingException"
            | "RequestLimitExceeded"
            | "SlowDown" => Self::Throttled(code.to_owned()),
            _ => Self::Unavailable(DisplayErrorContext(error).to_string()),
        }
    }
}
