//! What AWS's own tools and `checkov` say of the template.

use tests::python::lint;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_template_is_clean() {
    let template = "infra/template.yaml";
    // As for whoever deploys: one after the other, so that a small machine does nothing else worse.
    for (program, arguments) in [
        ("sam", &["validate", "--lint", "--template", template, "--region", "us-east-1"][..]),
        ("cfn-lint", &[template]),
        ("checkov", &["--config-file", "infra/checkov.yaml"]),
    ] {
        let found = lint(program, arguments).await;
        assert!(found.is_ok(), "{program}: {}", found.unwrap_err());
    }
}
