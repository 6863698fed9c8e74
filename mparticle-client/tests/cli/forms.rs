//! The forms of input: JSON Lines, arrays, CSV, compressed or not, from files and pipes.

use crate::process::{emulator, run, run_with_input, upload, upload_file};
use crate::{Folder, batch, json_lines, lines};
use flate2::Compression;
use flate2::write::GzEncoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use std::io::Write;

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn zstd(text: &str) -> Vec<u8> {
    compress_to_vec(text.as_bytes(), CompressionLevel::Fastest)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_content_tells_the_form_of_an_input_and_not_its_name() {
    let text = lines((0..150).map(batch));
    let array = format!("[\n  {}\n]", (0..150).map(batch).collect::<Vec<_>>().join(",\n  "));
    let pretty = |user| {
        let json: serde_json::Value = serde_json::from_str(&batch(user)).unwrap();
        format!("{json:#}")
    };
    let pretty = lines((0..150).map(pretty));
    let frames = [zstd(&text[..9000]), zstd(&text[9000..])].concat();
    let members = [gzip(&text[..9000]), gzip(&text[9000..])].concat();
    for (name, content) in [
        ("lines", text.clone().into_bytes()),
        ("lines with another ending", text.replace('\n', "\r\n").into_bytes()),
        ("lines after a byte order mark", [b"\xef\xbb\xbf", text.as_bytes()].concat()),
        ("array", array.clone().into_bytes()),
        ("objects over several lines", pretty.into_bytes()),
        ("gzip", gzip(&text)),
        ("gzip of several members", members),
        ("zstd", zstd(&text)),
        ("zstd of several frames", frames),
        ("zstd of an array", zstd(&array)),
    ] {
        let (folder, emulator) = (Folder::new(), emulator().await);
        let file = folder.write("in", &content);
        upload_file(&emulator, &file, &[]).await.with_code(0);
        assert_eq!(emulator.batches().len(), 150, "{name}");
        let mut command = upload(&emulator);
        command.args(["--json", "-"]);
        run_with_input(command, &content).await.with_code(0);
        assert_eq!(emulator.batches().len() + emulator.duplicates().len(), 300, "{name} by a pipe");
    }
}

const MAPPING: &str = r#"
[columns]
customer = "user_identities.customer_id"
plan = "user_attributes.plan"
at = { to = "event.timestamp_unixtime_ms", type = "time" }
total = { to = "event.custom_attributes.total", type = "number" }
[fixed]
"event.event_type" = "custom_event"
"event.event_name" = "Ordered"
"event.custom_event_type" = "transaction"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn rows_become_events_by_a_mapping_and_a_bad_cell_can_be_corrected() {
    let (folder, emulator) = (Folder::new(), emulator().await);
    let mapping = folder.write("mapping.toml", MAPPING);
    let csv = "customer,total,at,plan,more\n\
               1,7.5,2026-01-02T03:04:05Z,gold,x\n\
               1,8,2026-01-02T03:04:06Z,gold,x\n\
               2,\"many\",2026-01-02T03:04:05Z,\"a, b\",x\n\
               3,1\n\
               4,,,,\n";
    let file = folder.write("in.csv", csv);
    let options = ["--csv", mapping.to_str().unwrap()];
    let ended = upload_file(&emulator, &file, &options).await.with_code(1);
    ended.prints(&[
        "Delivered 2 batches",
        "type: 1 error",
        "column `total`: expected a number",
        "columns: 1 error",
        "in.csv:5: the row has 2 cells, and the header has 5",
    ]);
    let batches = emulator.batches();
    assert_eq!(batches[0].json["events"].as_array().unwrap().len(), 2);
    assert_eq!(batches[0].json["events"][1]["data"]["custom_attributes"]["total"], 8);
    assert_eq!(batches[0].json["user_attributes"]["plan"], "gold");

    let failed = folder.path("in.csv.failed.jsonl");
    let kept = json_lines(&failed);
    assert_eq!(kept[0]["cells"]["plan"], "a, b");
    let text = std::fs::read_to_string(&failed).unwrap().replace("\"many\"", "\"9\"");
    std::fs::write(&failed, text).unwrap();
    let ended = upload_file(&emulator, &failed, &options).await.with_code(1);
    ended.prints(&["Delivered 1 batch", "noContent: 1 error"]);
    assert_eq!(emulator.batches()[2].json["user_attributes"]["plan"], "a, b");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mapping_that_does_not_fit_is_explained() {
    let (folder, emulator) = (Folder::new(), emulator().await);
    for (mapping, csv, wanted) in [
        (
            "[columns]\ncustmer = \"mpid\"",
            "customer,x\n1,2",
            "hint: the nearest column is `customer`",
        ),
        (
            "[columns]\ncustomer = \"mpid\"",
            "1,2\n3,4",
            "the first line has to name the columns; it has: 1, 2",
        ),
        ("[columns]\na = \"user_identty.email\"", "a\n1", "the nearest is `user_identities`"),
        ("[column]\na = \"mpid\"", "a\n1", "unknown field `column`"),
        ("[columns]\na = \"mpid\"", "", "the file has no column `a`"),
    ] {
        let mapping = folder.write("mapping.toml", mapping);
        let file = folder.write("in.csv", csv);
        let ended = upload_file(&emulator, &file, &["--csv", mapping.to_str().unwrap()]).await;
        ended.with_code(2).complains(&[wanted]);
    }
    let mut command = upload(&emulator);
    command.args(["--csv", "no-such-mapping.toml"]).arg(folder.path("in.csv"));
    run(command).await.with_code(2).complains(&["no-such-mapping.toml: "]);
    assert!(emulator.requests().is_empty());
}
