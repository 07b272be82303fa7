//! Writing an object of the bucket piece by piece, its length unknown.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};

use super::{Store, StoreError};

/// The least that S3 takes as a part, but for the last one.
const PART_BYTES: usize = 5 << 20;

/// An object being written. It is there once [`Upload::finish`] returned, whole, or not at all.
#[derive(Debug)]
pub struct Upload {
    store: Store,
    key: String,
    content_type: &'static str,
    buffer: Vec<u8>,
    begun: Option<String>,
    parts: Vec<CompletedPart>,
    bytes: u64,
}

impl Upload {
    pub(super) fn new(store: Store, key: String, content_type: &'static str) -> Self {
        let (buffer, parts) = (Vec::new(), Vec::new());
        Self { store, key, content_type, buffer, begun: None, parts, bytes: 0 }
    }

    /// Bytes given so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes the bytes of `piece`, and leaves it empty.
    ///
    /// # Errors
    /// When the bucket cannot be written.
    pub async fn push(&mut self, piece: &mut Vec<u8>) -> Result<(), StoreError> {
        self.bytes += piece.len() as u64;
        self.buffer.append(piece);
        if self.buffer.len() >= PART_BYTES {
            let part = std::mem::take(&mut self.buffer);
            self.put_part(part).await?;
        }
        Ok(())
    }

    /// Puts the object; returns how many bytes it has.
    ///
    /// # Errors
    /// When the bucket cannot be written; what was put of it goes.
    pub async fn finish(mut self) -> Result<u64, StoreError> {
        let last = std::mem::take(&mut self.buffer);
        if self.begun.is_none() {
            self.store
                .s3()
                .put_object()
                .bucket(&self.store.names().bucket)
                .key(&self.key)
                .content_type(self.content_type)
                .body(ByteStream::from(last))
                .send()
                .await
                .map_err(StoreError::of)?;
            return Ok(self.bytes);
        }
        match self.complete(last).await {
            Ok(()) => Ok(self.bytes),
            Err(error) => {
                self.abandon().await;
                Err(error)
            }
        }
    }

    /// Puts the last part, and makes one object of all.
    async fn complete(&mut self, last: Vec<u8>) -> Result<(), StoreError> {
        if !last.is_empty() {
            self.put_part(last).await?;
        }
        let parts = std::mem::take(&mut self.parts);
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        self.store
            .s3()
            .complete_multipart_upload()
            .bucket(&self.store.names().bucket)
            .key(&self.key)
            .set_upload_id(self.begun.clone())
            .multipart_upload(parts)
            .send()
            .await
            .map_err(StoreError::of)?;
        Ok(())
    }

    /// Gives up; what was put of it goes. What cannot be taken away now, the bucket's lifecycle
    /// takes later.
    pub async fn abandon(self) {
        let Some(id) = self.begun else { return };
        let s3 = self.store.s3();
        let abort = s3.abort_multipart_upload().bucket(&self.store.names().bucket);
        if let Err(error) = abort.key(&self.key).upload_id(id).send().await {
            tracing::warn!(error = %StoreError::of(error), key = self.key, "upload not abandoned");
        }
    }

    async fn put_part(&mut self, bytes: Vec<u8>) -> Result<(), StoreError> {
        let id = match &self.begun {
            Some(id) => id.clone(),
            None => self.begin().await?,
        };
        let number = i32::try_from(self.parts.len() + 1).unwrap_or(i32::MAX);
        let put = self
            .store
            .s3()
            .upload_part()
            .bucket(&self.store.names().bucket)
            .key(&self.key)
            .upload_id(id)
            .part_number(number)
            .body(ByteStream::from(bytes))
            .send()
            .await
            .map_err(StoreError::of)?;
        let part = CompletedPart::builder()
            .part_number(number)
            .set_e_tag(put.e_tag)
            .set_checksum_crc32(put.checksum_crc32)
            .build();
        self.parts.push(part);
        Ok(())
    }

    async fn begin(&mut self) -> Result<String, StoreError> {
        let begun = self
            .store
            .s3()
            .create_multipart_upload()
            .bucket(&self.store.names().bucket)
            .key(&self.key)
            .content_type(self.content_type)
            .send()
            .await
            .map_err(StoreError::of)?;
        let id = begun.upload_id;
        let id = id.ok_or_else(|| StoreError::Unavailable("an upload without an id".into()))?;
        self.begun = Some(id.clone());
        Ok(id)
    }
}
