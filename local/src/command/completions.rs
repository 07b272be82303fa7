//! `iocast completions`

use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

use super::Cli;

/// Completion of commands and options, for a shell.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  iocast completions bash > ~/.local/share/bash-completion/completions/iocast
  iocast completions zsh > ~/.zfunc/_iocast
  iocast completions fish > ~/.config/fish/completions/iocast.fish")]
pub struct Arguments {
    /// The shell.
    shell: Shell,
}

/// Prints the script.
pub fn run(arguments: &Arguments) {
    let mut script = Vec::new();
    generate(arguments.shell, &mut Cli::command(), "iocast", &mut script);
    super::managed::say(&String::from_utf8_lossy(&script));
}
