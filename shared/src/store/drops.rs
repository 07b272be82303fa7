//! The bucket's `inbox/`: files dropped for ingest, and the results written beside them.

use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::primitives::{ByteStream, ByteStreamError};

use super::{Store, StoreError};

/// A dropped file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drop {
    /// Its key in the bucket.
    pub key: String,
}

/// The bytes of a dropped file, to be read as a stream.
pub type DropBody = ByteStream;

/// Whether the bucket failed while a file was read, as opposed to the file being at fault.
#[must_use]
pub fn bucket_failed(error: &std::io::Error) -> bool {
    let Some(cause) = error.get_ref() else { return false };
    cause.is::<ByteStreamError>()
}

impl Store {
    /// Opens a dropped file; `None` when it is gone.
    ///
    /// # Errors
    /// When the bucket cannot be read.
    pub async fn open_drop(&self, drop: &Drop) -> Result<Option<DropBody>, StoreError> {
        let got = self.s3().get_object().bucket(&self.names().bucket).key(&drop.key).send().await;
        match got {
            Ok(answer) => Ok(Some(answer.body)),
            Err(error) if error.as_service_error().is_some_and(GetObjectError::is_no_such_key) => {
                Ok(None)
            }
            Err(error) => Err(StoreError::of(error)),
        }
    }

    /// Writes the result of a drop beside it: `<key>.result.json`.
    ///
    /// # Errors
    /// When the bucket cannot be written.
    pub async fn put_drop_result(&self, drop: &Drop, json: Vec<u8>) -> Result<(), StoreError> {
        self.s3()
            .put_object()
            .bucket(&self.names().bucket)
            .key(format!("{}.result.json", drop.key))
            .content_type("application/json")
            .body(ByteStream::from(json))
            .send()
            .await
            .map_err(StoreError::of)?;
        Ok(())
    }
}
