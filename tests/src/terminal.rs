//! The command line as a person uses it: at a terminal of 80 columns.

use std::time::Duration;

use pty_process::{Command, Size, open};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::binaries;
use crate::patience::DEADLINE;

/// The terminal's width.
pub const COLUMNS: usize = 80;

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

    /// Fails the test unless all of `parts` are shown.
    #[must_use]
    pub fn shows(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(self.text.contains(part), "{part:?} is not shown:\n{}", self.text);
        }
        self
    }
}

/// Runs `iocast` at a terminal until it ends; `typed` is what the person types meanwhile.
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
    pty.write_all(typed.as_bytes()).await.unwrap();
    let mut shown = Vec::new();
    let read = async {
        let mut part = [0; 4096];
        // Linux ends the reading of a terminal nobody has open any more with an error.
        while let Ok(count @ 1..) = pty.read(&mut part).await {
            shown.extend_from_slice(&part[..count]);
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
    Screen { code, text }
}
