//! What is typed wrongly is told in one line, with a hint.

use clap::error::ErrorKind;
use local::operate::Fault;

/// The fault of a command line that cannot be read; none where clap's own text teaches: help,
/// version, and a command that names no verb.
pub fn fault(error: &clap::Error) -> Option<Fault> {
    let taught = [
        ErrorKind::DisplayHelp,
        ErrorKind::DisplayVersion,
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand,
    ];
    if taught.contains(&error.kind()) {
        return None;
    }
    let text = error.render().to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let message: Vec<&str> =
        text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
    let tips: Vec<&str> =
        text.lines().filter_map(|line| line.trim().strip_prefix("tip: ")).collect();
    let fault = Fault::new(message.join(" "));
    Some(if tips.is_empty() {
        let help = format!("see `{} --help`", command(text));
        fault.hint(help)
    } else {
        fault.hint(tips.join("; "))
    })
}

/// The command the usage line of a text is of.
fn command(text: &str) -> String {
    let usage = text.lines().find_map(|line| line.trim().strip_prefix("Usage: "));
    let words = usage.unwrap_or("iocast").split_whitespace();
    let plain = words.take_while(|word| word.chars().all(|c| c.is_ascii_lowercase()));
    let command: Vec<&str> = plain.collect();
    if command.is_empty() { "iocast".to_owned() } else { command.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Cli;
    use clap::Parser;

    fn told(arguments: &[&str]) -> String {
        let error = Cli::try_parse_from(arguments).unwrap_err();
        fault(&error).unwrap().to_string()
    }

    #[test]
    fn one_line_and_a_hint() {
        let missing = told(&["iocast", "key", "create", "--tenant", "acme"]);
        assert_eq!(missing.lines().count(), 2, "{missing}");
        assert!(missing.contains("--name <TEXT>") && missing.contains("iocast key create --help"));
        let mistyped = told(&["iocast", "tenant", "lsit"]);
        assert!(mistyped.contains("lsit") && mistyped.contains("list"), "{mistyped}");
        let wrong = told(&["iocast", "key", "update", "x", "--clearance", "mauve"]);
        assert!(wrong.contains("mauve") && wrong.contains("amber+strict"), "{wrong}");
        assert_eq!(wrong.lines().count(), 2, "{wrong}");
    }
}
