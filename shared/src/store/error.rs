//! What can go wrong between a handler and its tables.

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use thiserror::Error;

use super::codec::CodecError;

/// Refusals (4xx) that pass with time. A transaction's reasons are sorted by who sent it.
const PASSING: [&str; 8] = [
    "TransactionCanceledException",
    "TransactionConflictException",
    "TransactionInProgressException",
    "ReplicatedWriteConflictException",
    "OperationAborted",
    "RequestTimeout",
    "ExpiredToken",
    "ExpiredTokenException",
];

/// A failure of the store. Its text is for the log, never for a caller.
#[derive(Clone, Debug, Error)]
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
    /// The engine refuses the request, and will again: it is wrong, or not allowed.
    #[error("refused by the store: {0}")]
    Refused(String),
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
    /// Whether the same may succeed a moment later.
    #[must_use]
    pub const fn passes(&self) -> bool {
        matches!(self, Self::Throttled(_) | Self::Unavailable(_))
    }

    /// Sorts an SDK error by its code and status.
    pub(super) fn of<E>(error: SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let code = error.code().unwrap_or_default();
        let refused = match &error {
            SdkError::ConstructionFailure(_) => true,
            SdkError::ServiceError(answer) => answer.raw().status().is_client_error(),
            // Nothing, or nothing readable, was answered.
            _ => false,
        };
        match code {
            "ConditionalCheckFailedException"
            | "PreconditionFailed"
            | "ConditionalRequestConflict" => Self::Conflict,
            "ProvisionedThroughputExceededException"
            | "ThrottlingException"
            | "ThrottledException"
            | "RequestLimitExceeded"
            | "LimitExceededException"
            | "SlowDown" => Self::Throttled(code.to_owned()),
            code if refused && !PASSING.contains(&code) => {
                Self::Refused(DisplayErrorContext(error).to_string())
            }
            _ => Self::Unavailable(DisplayErrorContext(error).to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::error::ErrorMetadata;
    use aws_sdk_dynamodb::operation::get_item::GetItemError;

    use super::*;

    fn answered(status: u16, code: &str) -> StoreError {
        let error = GetItemError::generic(ErrorMetadata::builder().code(code).build());
        let status = status.try_into().unwrap();
        StoreError::of(SdkError::service_error(error, HttpResponse::new(status, "".into())))
    }

    #[test]
    fn what_passes_is_throttling_time_outs_and_failures_of_the_engine() {
        for (status, code) in [
            (400, "ThrottlingException"),
            (400, "ProvisionedThroughputExceededException"),
            (400, "TransactionConflictException"),
            (500, "InternalServerError"),
            (503, "ServiceUnavailable"),
            (503, "SlowDown"),
        ] {
            assert!(answered(status, code).passes(), "{code}");
        }
        let silent: SdkError<GetItemError, HttpResponse> = SdkError::timeout_error("no answer");
        assert!(StoreError::of(silent).passes());
        for (status, code) in [
            (400, "ValidationException"),
            (400, "AccessDeniedException"),
            (400, "ResourceNotFoundException"),
            (403, "AccessDenied"),
        ] {
            let error = answered(status, code);
            assert!(matches!(error, StoreError::Refused(_)) && !error.passes(), "{code}");
        }
        assert!(matches!(answered(400, "ConditionalCheckFailedException"), StoreError::Conflict));
        assert!(!StoreError::Damaged(String::new()).passes());
    }
}
