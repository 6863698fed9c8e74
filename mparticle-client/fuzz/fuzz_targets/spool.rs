//! Opens a spool whose only segment holds arbitrary frames with valid checksums, between arbitrary bytes.
//!
//! Opening it never fails, and opening it again finds the same batches. The format is described in `src/spool/mod.rs`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mparticle_client::queue::Queue;
use mparticle_client::{Client, Credentials};
use std::path::Path;
use std::time::Duration;

const SEGMENT: u32 = 1;

/// Returns a segment. The input is a list of frames: kind, position, number, index and length in a byte each, then the body.
/// The kind 0 stands for bytes that are no frame.
fn segment(mut input: &[u8]) -> Vec<u8> {
    let mut bytes = head();
    while let [kind, position, number, index, length, rest @ ..] = input {
        let (body, rest) = rest.split_at(usize::from(*length).min(rest.len()));
        if *kind == 0 {
            bytes.extend(body);
        } else {
            bytes.extend(frame(*kind, *position, *number, *index, body));
        }
        input = rest;
    }
    bytes
}

fn head() -> Vec<u8> {
    let mut head = b"\xFFmPspool".to_vec();
    head.extend(1_u32.to_le_bytes());
    head.extend(SEGMENT.to_le_bytes());
    head.extend(0_u64.to_le_bytes());
    head.extend(0_u64.to_le_bytes());
    head.extend(crc32fast::hash(&head).to_le_bytes());
    head
}

fn frame(kind: u8, position: u8, number: u8, index: u8, body: &[u8]) -> Vec<u8> {
    let mut rest = u32::try_from(body.len()).expect("a body is short").to_le_bytes().to_vec();
    rest.extend(u32::from(kind).to_le_bytes());
    rest.extend(u64::from(position).to_le_bytes());
    rest.extend(u64::from(number).to_le_bytes());
    rest.extend(u32::from(index).to_le_bytes());
    rest.extend(body);
    let checksum = crc32fast::hash(&[&SEGMENT.to_le_bytes(), rest.as_slice()].concat());
    [b"\xFFmP\xFE".as_slice(), &checksum.to_le_bytes(), &rest].concat()
}

/// Opens the spool, and returns how many batches it holds.
async fn pending(client: &Client, folder: &Path) -> u64 {
    let queue = open(client, folder).await;
    queue.shutdown(Duration::ZERO).await.left_in_spool
}

/// A shutdown without time returns before the thread of the spool has released the folder.
async fn open(client: &Client, folder: &Path) -> Queue {
    for _ in 0..1000 {
        match client.queue().spool(folder).build().await {
            Err(error) if error.to_string().contains("is in use") => {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            opened => return opened.expect("a damaged spool opens"),
        }
    }
    panic!("the folder is not released");
}

fuzz_target!(|input: &[u8]| {
    let folder = tempfile::tempdir().expect("a folder can be created");
    std::fs::write(folder.path().join("segment-00000001"), segment(input))
        .expect("a file can be written");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime starts");
    runtime.block_on(async {
        // Port 9 is closed, so nothing is delivered.
        let client = Client::builder(Credentials::new("key", "secret"))
            .base_url("http://127.0.0.1:9")
            .build()
            .expect("the settings are valid");
        let first = pending(&client, folder.path()).await;
        assert_eq!(pending(&client, folder.path()).await, first);
    });
});
