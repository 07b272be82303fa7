//! What is typed wrongly is told in one line, with a hint.

use clap::CommandFactory;
use clap::error::ErrorKind;
use local::operate::Fault;

use super::Cli;

/// The fault of a command line that cannot be read; none where clap's own text teaches: help,
/// version, and a command that names no verb.
pub fn fault(error: &clap::Error, words: &[String]) -> Option<Fault> {
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
    let tips = text.lines().filter_map(|line| line.trim().strip_prefix("tip: "));
    let help = format!("see `{} --help`", command(words));
    let hint: Vec<&str> = tips.chain([help.as_str()]).collect();
    Some(Fault::new(message.join(" ")).hint(hint.join("; ")))
}

/// The command that was meant, as far as it can be told.
fn command(words: &[String]) -> String {
    let mut command = Cli::command();
    let mut named = vec!["iocast".to_owned()];
    for word in words.iter().filter(|word| !word.starts_with('-')) {
        let Some(found) = command.find_subcommand(word).cloned() else { break };
        named.push(word.clone());
        command = found;
    }
    named.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn told(line: &str) -> String {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let error = Cli::try_parse_from(&words).unwrap_err();
        fault(&error, &words[1..]).unwrap().to_string()
    }

    #[test]
    fn one_line_and_a_hint() {
        let missing = told("iocast key create --tenant acme");
        assert_eq!(missing.lines().count(), 2, "{missing}");
        assert!(
            missing.contains("--name <TEXT>") && missing.contains("`iocast key create --help`")
        );
        let mistyped = told("iocast tenant lsit");
        assert!(mistyped.contains("lsit") && mistyped.contains("list"), "{mistyped}");
        let wrong = told("iocast key update x --clearance mauve");
        assert!(wrong.contains("amber+strict") && wrong.contains("`iocast key update --help`"));
        assert_eq!(wrong.lines().count(), 2, "{wrong}");
    }
}
