//! How strings compare: trimmed, and in lower case character by character.

/// What a text has to be like.
#[derive(Clone, Debug)]
pub(super) struct TextProbe {
    test: TextTest,
    folded: Box<str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TextTest {
    Equals,
    Contains,
    StartsWith,
    EndsWith,
}

/// `text` as it is compared. Character by character, so that it does not depend on the
/// neighbours (a final sigma) and can be compared without building it.
pub(super) fn fold(text: &str) -> String {
    text.trim().chars().flat_map(char::to_lowercase).collect()
}

/// Whether `text` compares equal to `folded`, which [`fold`] made.
pub(super) fn equals_folded(text: &str, folded: &str) -> bool {
    text.trim().chars().flat_map(char::to_lowercase).eq(folded.chars())
}

impl TextProbe {
    pub(super) fn new(test: TextTest, value: &str) -> Self {
        Self { test, folded: fold(value).into() }
    }

    pub(super) fn holds(&self, text: &str) -> bool {
        let lower = || text.trim().chars().flat_map(char::to_lowercase);
        match self.test {
            TextTest::Equals => equals_folded(text, &self.folded),
            TextTest::Contains => fold(text).contains(&*self.folded),
            TextTest::StartsWith => {
                let mut seen = lower();
                self.folded.chars().all(|wanted| seen.next() == Some(wanted))
            }
            TextTest::EndsWith => {
                let mut seen = lower().rev();
                self.folded.chars().rev().all(|wanted| seen.next() == Some(wanted))
            }
        }
    }
}
