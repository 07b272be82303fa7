//! What is typed wrongly is told in one line, with a hint; what teaches, teaches.

use tests::service::iocast;
use tests::terminal::at_terminal;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_input_gets_one_line_and_a_hint() {
    for (line, part, hint) in [
        ("tennant list", "tennant", "tenant"),
        ("tenant lsit", "lsit", "list"),
        ("tenant show", "<ID>", "iocast tenant show --help"),
        ("tenant create a b", "'b'", "iocast tenant create --help"),
        ("tenant list --jsn", "--jsn", "--json"),
        ("key create --tenant acme", "--name <TEXT>", "iocast key create --help"),
        ("key create --tenant a --name b --plan c --scope read:all", "read:all", "--help"),
        ("key update x --clearance mauve", "amber+strict", "--help"),
        ("key update x --expires tomorrow", "2027-01-31", "--help"),
        ("key rotate x --grace 3w", "90m, 24h or 7d", "--help"),
        ("collection create", "--title", "iocast collection create --help"),
        ("collection update x --reader a --all-readers", "--all-readers", "--help"),
        ("feed create --name F", "--collection", "iocast feed create --help"),
        ("feed update f --days 0", "above 0", "iocast feed update --help"),
        ("feed update f --days 1 --minutes 5", "--minutes", "--help"),
        ("subscription create acme ruleset x", "threat_actor", "--help"),
        ("subscription lsit", "lsit", "list"),
        ("audit list --max many", "many", "--help"),
        ("apply", "<FILE>", "iocast apply --help"),
        ("completions tcsh", "tcsh", "--help"),
        ("tenant list --url nowhere --key k", "nowhere", ""),
        ("tenant list --url http://127.0.0.1:1 --key k", "127.0.0.1:1", "iocast serve"),
        ("tenant list --data /nowhere", "/nowhere", "--url"),
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        let ended = iocast(&words).await;
        assert_eq!(ended.code, Some(1), "{line}: {ended:?}");
        assert!(ended.stdout.is_empty(), "{line}: {ended:?}");
        let lines: Vec<&str> = ended.stderr.lines().collect();
        assert!(lines[0].starts_with("iocast: ") && lines[0].contains(part), "{line}: {ended:?}");
        assert!(lines.len() <= 2, "{line}: {ended:?}");
        assert!(hint.is_empty() || lines[1].trim().starts_with("hint: "), "{line}: {ended:?}");
        assert!(ended.stderr.contains(hint), "{line}: {ended:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn help_teaches_with_examples_and_fits() {
    for command in
        ["tenant", "key", "plan", "collection", "feed", "subscription", "audit", "apply", "doctor"]
    {
        for line in [vec![command, "--help"], vec![command, "-h"]] {
            let screen = at_terminal(&line, &[], "").await.fits().expect(0);
            let _ = screen.shows(&["Usage: iocast", "Examples:", &format!("iocast {command}")]);
        }
    }
    let _ = at_terminal(&["--help"], &[], "").await.expect(0).shows(&["doctor", "iocast serve"]);
    for line in [
        ["key", "create", "--help"],
        ["collection", "update", "--help"],
        ["feed", "create", "--help"],
        ["subscription", "create", "--help"],
    ] {
        let _ = at_terminal(&line, &[], "").await.fits().expect(0).shows(&["Options:"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shells_complete() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ended = iocast(&["completions", shell]).await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        for word in ["tenant", "rotate", "dry-run"] {
            assert!(ended.stdout.contains(word), "{shell} does not know {word}");
        }
    }
}
