//! `next`: where a read goes on, and what it asked for. Stateless, tamper-proof, usable twice,
//! valid as long as the deployment's secret, which never changes.
//!
//! The filters travel within: four widespread clients drop them on page 2.

use serde::{Deserialize, Serialize};
use shared::cursor::{self, Secret};
use shared::id::ObjectId;
use shared::log::CollectionId;
use shared::services::Services;
use shared::store::StoreError;
use shared::time::Position;

use uuid::Uuid;

use crate::fault::Fault;
use crate::selection::Selection;

const PURPOSE: &str = "taxii-next-1";
/// No cursor this service makes is longer: a read may list a hundred types, ids and versions
/// each, and a type's name may have 250 characters.
const MAX_TEXT: usize = 80 * 1024;

/// Where a read goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
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
    #[must_use]
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
        Self { collection, object, after, seq, selection, ids, limit }
    }

    /// What was asked for.
    #[must_use]
    pub fn into_selection(self) -> Selection {
        let whole = |(object_type, uuid): (String, Uuid)| ObjectId::from_parts(&object_type, uuid);
        let ids = self.ids.map(|ids| ids.into_iter().map(whole).collect());
        Selection { ids, ..self.selection }
    }

    /// The text a client carries.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn seal(&self, services: &Services) -> Result<String, Fault> {
        self.seal_with(&services.cursor_secret().await?)
    }

    /// The text a client carries, authenticated by `secret`.
    ///
    /// # Errors
    /// None that is known: what a cursor holds can be written.
    pub fn seal_with(&self, secret: &Secret) -> Result<String, Fault> {
        let sealed = cursor::seal(secret, PURPOSE, self);
        Ok(sealed.map_err(|fault| StoreError::Damaged(fault.to_string()))?)
    }

    /// Reads the text a client sent back for `collection` and `object`.
    ///
    /// # Errors
    /// When it is not a text this service gave for them, or the store fails.
    pub async fn open(
        services: &Services,
        text: &str,
        collection: CollectionId,
        object: Option<&ObjectId>,
    ) -> Result<Self, Fault> {
        Self::open_with(&services.cursor_secret().await?, text, collection, object)
    }

    /// Reads the text a client sent back for `collection` and `object`, if `secret`
    /// authenticates it.
    ///
    /// # Errors
    /// When it is not a text that was sealed with `secret` for them.
    pub fn open_with(
        secret: &Secret,
        text: &str,
        collection: CollectionId,
        object: Option<&ObjectId>,
    ) -> Result<Self, Fault> {
        let opened: Option<Self> =
            if text.len() <= MAX_TEXT { cursor::open(secret, PURPOSE, text) } else { None };
        let here =
            |cursor: &Self| cursor.collection == collection && cursor.object.as_ref() == object;
        opened.filter(here).ok_or_else(|| {
            Fault::parameter("next", "`next` is not a value this server gave for this collection")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: CollectionId = CollectionId(Uuid::from_u128(1));
    const SECRET: Secret = [7; 32];

    fn cursor(query: &str, object: Option<ObjectId>) -> Cursor {
        let query = shared::http::Query::parse(query).unwrap();
        let selection = Selection::parse(&query).unwrap();
        Cursor::new(HERE, object, (Position::from_micros(u64::MAX), u64::MAX), selection, 1000)
    }

    #[test]
    fn the_longest_cursor_opens() {
        let list = |text: &str| vec![text; 100].join(",");
        let long = "x".repeat(250);
        let id = format!("{long}--6e9a0b2e-7f0c-4b6e-9c9e-1f2d3c4b5a69");
        let query = format!(
            "match[type]={}&match[id]={}&match[version]={}&match[spec_version]={}&added_after={}",
            list(&long),
            list(&id),
            list("2026-05-15T08:30:00.123456789Z"),
            list("2.1"),
            "9999-12-31T23:59:59Z",
        );
        let object: ObjectId = id.parse().unwrap();
        let cursor = cursor(&query, Some(object.clone()));
        let text = cursor.seal_with(&SECRET).unwrap();
        assert_eq!(Cursor::open_with(&SECRET, &text, HERE, Some(&object)).ok(), Some(cursor));
    }

    #[test]
    fn a_cursor_opens_untouched_and_where_it_was_given() {
        let cursor = cursor("match[type]=indicator&limit=5", None);
        let text = cursor.seal_with(&SECRET).unwrap();
        let open =
            |secret, text: &str, collection| Cursor::open_with(secret, text, collection, None).ok();
        assert_eq!(open(&SECRET, &text, HERE), Some(cursor));
        assert_eq!(open(&[8; 32], &text, HERE), None);
        assert_eq!(open(&SECRET, &text, CollectionId(Uuid::nil())), None);
        assert_eq!(open(&SECRET, &text[1..], HERE), None);
        assert_eq!(open(&SECRET, &"A".repeat(MAX_TEXT + 1), HERE), None);
    }
}
