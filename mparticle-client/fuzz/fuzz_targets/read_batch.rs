//! Reads bytes as a batch. What was read can be validated, written, and read again with the same result.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mparticle_client::models::Batch;

fuzz_target!(|json: &[u8]| {
    let Ok(batch) = Batch::from_slice(json) else { return };
    let _ = batch.validate();
    if let Ok(written) = batch.to_json() {
        let again = Batch::from_slice(written.as_bytes()).expect("written JSON can be read");
        assert_eq!(again, batch);
    }
});
