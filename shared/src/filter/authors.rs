//! Authors given by name: which identities a name stood for when the filter was saved.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Filter;
use super::key::Key;
use super::model::FilterGroup;
use super::text::fold;
use crate::id::ObjectId;

/// Names of authors and the identities they stand for. Saved beside the filter, so that reading
/// it again needs no look-up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AuthorIds(BTreeMap<String, Vec<ObjectId>>);

impl AuthorIds {
    /// Says that `name`, compared trimmed and in lower case, stands for `ids` (several
    /// identities may share a name); added to what it already stood for.
    pub fn insert(&mut self, name: &str, ids: impl IntoIterator<Item = ObjectId>) {
        self.0.entry(fold(name)).or_default().extend(ids);
    }

    /// What `name` stands for; nothing when it was not resolved.
    #[must_use]
    pub fn of(&self, name: &str) -> &[ObjectId] {
        self.0.get(&fold(name)).map_or(&[], Vec::as_slice)
    }
}

impl Filter {
    /// The authors `group` gives by name, as written, without repeats: what has to be in the
    /// [`AuthorIds`] it is compiled with.
    #[must_use]
    pub fn author_names(group: &FilterGroup) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        let mut known = BTreeSet::new();
        let mut groups = vec![group];
        while let Some(group) = groups.pop() {
            let of_authors =
                group.filters.iter().filter(|f| Key::named(f.key.as_str()) == Some(Key::Author));
            for value in of_authors.flat_map(|filter| &filter.values) {
                let name = value.trim();
                if !name.is_empty() && author_id(name).is_none() && known.insert(fold(name)) {
                    names.push(name.to_owned());
                }
            }
            groups.extend(group.filter_groups.iter().rev());
        }
        names
    }
}

/// The id an author is given by, if it is given by an id.
pub(super) fn author_id(text: &str) -> Option<ObjectId> {
    text.trim().to_ascii_lowercase().parse().ok()
}
