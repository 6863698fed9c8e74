//! The option `--plan` of `mparticle validate` and `mparticle upload`.

use crate::plan::{FINDINGS, batch, batches, folder, menu};
use crate::process::{Ended, emulator, mparticle, run, upload_file};
use crate::{Folder, json_lines};
use serde_json::json;
use std::path::Path;

fn validate(folder: &Folder, arguments: &[&str]) -> Ended {
    let mut command = mparticle();
    command.arg("validate").args(arguments).current_dir(folder.path(".")).output().unwrap().into()
}

#[test]
fn validate_reports_findings_beside_violations() {
    let folder = folder();
    folder.write("in.jsonl", batches().replacen("development", "mars", 1));
    let ended = validate(&folder, &["--plan", "shop.json", "in.jsonl"]).with_code(1);
    ended.prints(&FINDINGS);
    // The event with its user has no environment.
    ended.prints(&["enum: 1 error\n", "4 batches, 6 errors, 0 warnings\n"]);
    let arguments = ["--plan", "shop.json", "--format", "github", "in.jsonl"];
    validate(&folder, &arguments).with_code(1).prints(&[
        "::error file=in.jsonl,line=3,title=missingAttribute::/events/0/data/custom_attributes/milk: `milk` is missing\n",
    ]);
    let ended = validate(&folder, &["--plan-version", "3", "in.jsonl"]).with_code(2);
    ended.complains(&["hint: name the file with --plan"]);
}

async fn upload(
    folder: &Folder,
    emulator: &mparticle_client::testing::Emulator,
    file: &Path,
    options: &[&str],
) -> Ended {
    let shop = folder.path("shop.json");
    upload_file(emulator, file, &[&["--plan", shop.to_str().unwrap()], options].concat()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_counts_findings_by_kind() {
    let (folder, emulator) = (folder(), emulator().await);
    let file = folder.path("in.jsonl");
    let ended = upload(&folder, &emulator, &file, &["--check"]).await.with_code(0);
    ended.prints(&["Checked: 4 batches would be sent.", "  unplannedEvent: 1 error; first: "]);
    let ended = upload(&folder, &emulator, &file, &[]).await.with_code(0);
    ended.prints(&[
        "Delivered 4 batches",
        "  invalidValue: 1 error; first: ",
        "  missingAttribute: 1 error; first: ",
        "  unplannedAttribute: 1 error; first: ",
        "  unplannedEvent: 1 error; first: ",
        "in.jsonl:4 at /events/0: `Bill` is not in the plan\n",
    ]);
    assert_eq!(emulator.batches().len(), 4);
    assert_eq!(folder.names(), ["in.jsonl", "in.jsonl.checkpoint", "shop.json"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strict_upload_does_not_send_what_the_plan_does_not_allow() {
    let (folder, emulator) = (folder(), emulator().await);
    let other = r#""context":{"data_plan":{"plan_id":"blog"}},"mpid""#;
    let other = batch(&[menu(&json!({}))]).replace("\"mpid\"", other);
    let file = folder.write("in.jsonl", batches() + &other);
    let ended = upload(&folder, &emulator, &file, &["--strict"]).await.with_code(1);
    ended.prints(&["Delivered 2 batches", "3 batches or lines failed", "otherPlan: 1 warning"]);
    let failed = folder.path("in.jsonl.failed.jsonl");
    let kept = json_lines(&failed);
    let reasons: Vec<_> = kept.iter().map(|line| &line["failed"]["rule"]).collect();
    assert_eq!(reasons, ["unplannedAttribute", "missingAttribute", "unplannedEvent"]);
    assert_eq!(kept[1]["failed"]["pointer"], "/events/0/data/custom_attributes/milk");
    assert_eq!(kept[1]["failed"]["reason"], "`milk` is missing");

    // Corrected, one of them is sent. The others fail again.
    let text = std::fs::read_to_string(&failed).unwrap();
    std::fs::write(&failed, text.replace("\"cortado\"", "\"cortado\",\"milk\":false")).unwrap();
    let ended = upload(&folder, &emulator, &failed, &["--strict"]).await.with_code(1);
    ended.prints(&["Delivered 1 batch in", "2 batches or lines failed"]);
    assert_eq!(emulator.batches().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_with_a_wrong_plan_sends_nothing() {
    let (folder, emulator) = (folder(), emulator().await);
    let mut command = crate::process::upload(&emulator);
    command.args(["--plan", "in.jsonl", "in.jsonl"]).current_dir(folder.path("."));
    let ended = run(command).await.with_code(2);
    ended.complains(&["error: in.jsonl: the file is not JSON: "]);
    assert_eq!((emulator.batches().len(), folder.names().len()), (0, 2));
}
