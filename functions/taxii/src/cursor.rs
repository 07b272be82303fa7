//! `next`: where a read goes on, and what it asked for. Stateless, tamper-proof, usable twice,
//! valid as long as the deployment's secret, which never changes.
//!
//! The filters travel within: four widespread clients drop them on page 2.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use shared::id::ObjectId;
use shared::log::CollectionId;
use shared::services::Services;
use shared::time::Position;

use uuid::Uuid;

use crate::fault::Fault;
use crate::selection::Selection;

const FORMAT: u8 = 1;
const TAG_BYTES: usize = 16;
/// No cursor this service makes is longer.
const MAX_TEXT: usize = 32 * 1024;

/// Where a read goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    format: u8,
    collection: CollectionId,
    object: Option<ObjectId>,
    /// After this position.
    pub after: Position,
    /// The commit to begin with.
    pub seq: u64,
    /// What was asked for, but for the ids.
    selection: Selection,
    /// Ids as bytes: a gateway takes a request line of some 10 KB.
    ids: Option<Vec<(String, Uuid)>>,
    /// How much of it at once, unless the client says otherwise.
    pub limit: usize,
}

impl Cursor {
    /// A cursor of a read of `collection`, or of one `object` in it.
    pub fn new(
        collection: CollectionId,
        object: Option<ObjectId>,
        (after, seq): (Position, u64),
        mut selection: Selection,
        limit: usize,
    ) -> Self {
        let compact = |id: ObjectId| {
            let uuid = Uuid::try_parse(id.as_str().rsplit("--").next().unwrap_or_default());
            (id.object_type().to_owned(), uuid.unwrap_or_default())
        };
        let ids = selection.ids.take().map(|ids| ids.into_iter().map(compact).collect());
        Self { format: FORMAT, collection, object, after, seq, selection, ids, limit }
    }

    /// What was asked for.
    pub fn into_selection(self) -> Selection {
        let whole = |(object_type, uuid): (String, Uuid)| ObjectId::from_parts(&object_type, uuid);
        let ids = self.ids.map(|ids| ids.into_iter().map(whole).collect());
        Selection { ids, ..self.selection }
    }

    /// The text a client carries.
    pub async fn seal(&self, services: &Services) -> Result<String, Fault> {
        let mut bytes = postcard::to_allocvec(self)
            .map_err(|fault| shared::store::StoreError::Damaged(fault.to_string()))?;
        let tag = mac(services, &bytes).await?.finalize().into_bytes();
        bytes.extend(&tag[..TAG_BYTES]);
        Ok(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Reads the text a client sent back for `collection` and `object`.
    pub async fn open(
        services: &Services,
        text: &str,
        collection: CollectionId,
        object: Option<&ObjectId>,
    ) -> Result<Self, Fault> {
        let not_ours = || {
            Fault::parameter("next", "`next` is not a value this server gave for this collection")
        };
        let bytes = (text.len() <= MAX_TEXT)
            .then(|| URL_SAFE_NO_PAD.decode(text).ok())
            .flatten()
            .ok_or_else(not_ours)?;
        let split = bytes.len().checked_sub(TAG_BYTES).ok_or_else(not_ours)?;
        let (payload, tag) = bytes.split_at(split);
        mac(services, payload).await?.verify_truncated_left(tag).map_err(|_| not_ours())?;
        let cursor: Self = postcard::from_bytes(payload).map_err(|_| not_ours())?;
        let here = cursor.format == FORMAT
            && cursor.collection == collection
            && cursor.object.as_ref() == object;
        if here { Ok(cursor) } else { Err(not_ours()) }
    }
}

async fn mac(services: &Services, payload: &[u8]) -> Result<Hmac<Sha256>, Fault> {
    let secret = services.cursor_secret().await?;
    // A key of any length is taken.
    let mut mac = Hmac::<Sha256>::new_from_slice(&secret)
        .map_err(|fault| shared::store::StoreError::Damaged(fault.to_string()))?;
    mac.update(b"taxii-next");
    mac.update(payload);
    Ok(mac)
}
