//! The command line as a person uses it: at a terminal of 80 columns.

use std::time::Duration;

use pty_process::{Command, Size, open};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::binaries;
use crate::patience::DEADLINE;

/// The terminal's width.
pub const COLUMNS: usize = 80;

/// How every question ends.
const QUESTION: &[u8] = b"[y/N] ";

/// What a terminal showed by the time a command ended.
#[derive(Debug)]
pub struct Screen {
    /// The exit code.
    pub code: Option<i32>,
    /// All that was shown: what the command printed, and what was typed.
    pub text: String,
}

impl Screen {
    /// Fails the test unless the command ended with `code`.
    #[must_use]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.text);
        self
    }

    /// Fails the test unless every line fits, but for a fault and its hint: one line each, however
    /// long, that may be searched for and copied.
    #[must_use]
    pub fn fits(self) -> Self {
        let told = |line: &&str| !line.starts_with("iocast: ") && !line.starts_with("  hint: ");
        for line in self.text.lines().filter(told) {
            assert!(line.chars().count() <= COLUMNS, "{} columns: {line}", line.chars().count());
        }
        self
    }

    /// Fails the test unless all of `parts` are shown, each on one line or, as a person reads it,
    /// over several.
    #[must_use]
    pub fn shows(self, parts: &[&str]) -> Self {
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let read = words(&self.text);
        for part in parts {
            let shown = self.text.contains(part) || read.contains(&words(part));
            assert!(shown, "{part:?} is not shown:\n{}", self.text);
        }
        self
    }
}

/// Runs `iocast` at a terminal until it ends; `typed` is what the person types when asked.
pub async fn at_terminal(
    arguments: &[&str],
    environment: &[(String, String)],
    typed: &str,
) -> Screen {
    let (mut pty, pts) = open().unwrap();
    pty.resize(Size::new(24, u16::try_from(COLUMNS).unwrap())).unwrap();
    let variables = environment.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let command = Command::new(binaries::path("iocast"))
        .args(arguments)
        .env_remove("IOCAST_URL")
        .env_remove("IOCAST_KEY")
        .env("TERM", "xterm")
        .envs(variables)
        .kill_on_drop(true);
    let mut process = command.spawn(pts).unwrap();
    let (mut shown, mut asked) = (Vec::new(), false);
    let read = async {
        let mut part = [0; 4096];
        // Linux ends the reading of a terminal nobody has open any more with an error.
        while let Ok(count @ 1..) = pty.read(&mut part).await {
            shown.extend_from_slice(&part[..count]);
            // What is typed before is shown before, wherever the question comes then.
            if !asked && shown.ends_with(QUESTION) {
                asked = true;
                pty.write_all(typed.as_bytes()).await.unwrap();
            }
        }
    };
    let ended = tokio::time::timeout(DEADLINE + Duration::from_secs(30), read).await;
    assert!(
        ended.is_ok(),
        "iocast {arguments:?} does not end: {}",
        String::from_utf8_lossy(&shown)
    );
    let code = process.wait().await.unwrap().code();
    let text = String::from_utf8_lossy(&shown).replace("\r\n", "\n");
    // Colours take no column.
    Screen { code, text: console::strip_ansi_codes(&text).into_owned() }
}
