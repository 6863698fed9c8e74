//! Bodies written by others, in the folder that the environment variable `MPARTICLE_PAYLOADS` names.
//!
//! Its `index.json` lists them: `strict` ones are what mParticle's published schema accepts, `lenient` and `near-miss`
//! ones are real but outside of it, `invalid` ones lack what cannot be done without, `negative` ones are no batches.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::fmt::Debug;
use std::path::PathBuf;
use std::{env, fs};

use mparticle_models::{Batch, ErrorResponse, from_slice};
use serde::Serialize;
use serde_json::{Value, json};
use support::canonical::canonical;
use support::json::{parse, plain};
use support::schema::{BATCH, BATCH_VALIDATOR, Kind, Limits, Place};

/// One body of the folder.
struct Payload {
    file: String,
    kind: String,
    usage: String,
    note: String,
    bytes: Vec<u8>,
}

/// Returns the bodies of these uses. Prints a line and returns none if the variable is not set.
fn payloads(usages: &[&str]) -> Vec<Payload> {
    let Some(folder) = env::var_os("MPARTICLE_PAYLOADS").map(PathBuf::from) else {
        println!("payload tests are skipped: MPARTICLE_PAYLOADS is not set");
        return Vec::new();
    };
    let index = parse(
        &fs::read(folder.join("index.json")).expect("MPARTICLE_PAYLOADS holds an index.json"),
    );
    let text = |entry: &Value, name: &str| entry[name].as_str().unwrap().to_owned();
    let entries = index["payloads"].as_array().unwrap().iter();
    let payloads =
        entries.filter(|entry| usages.contains(&entry["use"].as_str().unwrap())).map(|entry| {
            Payload {
                file: text(entry, "file"),
                kind: text(entry, "kind"),
                usage: text(entry, "use"),
                note: text(entry, "note"),
                bytes: fs::read(folder.join(text(entry, "file"))).unwrap(),
            }
        });
    let payloads: Vec<_> = payloads.collect();
    assert!(!payloads.is_empty(), "the index lists nothing of {usages:?}");
    payloads
}

/// Runs a check on each payload and reports every failure.
fn check_all(payloads: &[Payload], check: impl Fn(&Payload) -> Result<(), String>) {
    let failures = payloads
        .iter()
        .filter_map(|payload| Some(format!("{}: {}", payload.file, check(payload).err()?)));
    let failures: Vec<_> = failures.collect();
    assert!(
        failures.is_empty(),
        "{} of {}:\n{}",
        failures.len(),
        payloads.len(),
        failures.join("\n")
    );
}

impl Payload {
    /// Returns the bytes of a document that can be read, and the place of the payload in it.
    ///
    /// Events and fragments are inserted into a batch as text, which preserves their bytes.
    fn document(&self) -> String {
        let body = String::from_utf8(self.bytes.clone()).unwrap();
        let fields = || body.trim().strip_prefix('{').unwrap().strip_suffix('}').unwrap().trim();
        let batch = |rest: &str| format!(r#"{{"environment":"development",{rest}}}"#);
        let event = |data: &str| batch(&format!(r#""events":[{data}]"#));
        match &*self.kind {
            "batch" | "bulk" => body,
            "event" => event(&body),
            "fragment:product_action" => event(&format!(
                r#"{{"event_type":"commerce_event","data":{{"product_action":{body}}}}}"#
            )),
            "fragment:product" => event(&format!(
                r#"{{"event_type":"commerce_event","data":{{"shopping_cart":{{"products":[{body}]}}}}}}"#
            )),
            "fragment:location" | "fragment:custom_flags" | "fragment:device_current_state" => {
                event(&format!(r#"{{"event_type":"session_start","data":{{{}}}}}"#, fields()))
            }
            _ => batch(fields()),
        }
    }

    /// The place in the schema of the whole document.
    fn place(&self) -> Place {
        if self.kind != "bulk" {
            return BATCH.clone();
        }
        let kind = Kind::List(Box::new(BATCH.clone()));
        Place { name: String::new(), nullable: false, limits: Limits::default(), kind }
    }
}

/// Writes a value, compares it with the original, reads it again, and writes it again.
fn round_trip<T: Serialize + Debug + PartialEq>(
    payload: &Payload,
    read: impl Fn(&[u8]) -> Result<T, mparticle_models::ReadError>,
) -> Result<(), String> {
    let document = payload.document();
    let value = read(document.as_bytes()).map_err(|error| error.to_string())?;
    let written = serde_json::to_vec(&value).map_err(|error| error.to_string())?;
    let expected = plain(&canonical(&payload.place(), &parse(document.as_bytes())).unwrap());
    let found = plain(&parse(&written));
    if found != expected {
        return Err(format!("read     {expected}\nwritten  {found}"));
    }
    let again = read(&written).map_err(|error| format!("read again: {error}"))?;
    if again != value && !holds_records(&expected, &parse(document.as_bytes())) {
        return Err(format!("read again as {again:?}, at first as {value:?}"));
    }
    let again = serde_json::to_vec(&again).map_err(|error| error.to_string())?;
    if again == written { Ok(()) } else { Err("written in another way the second time".to_owned()) }
}

/// Whether the identities are a list. The records are kept, but never written.
fn holds_records(written: &Value, read: &Value) -> bool {
    read["user_identities"].is_array() && written["user_identities"].is_object()
}

#[test]
fn every_readable_payload_is_read_and_written_without_loss() {
    check_all(&payloads(&["strict", "lenient", "near-miss", "fragment"]), |payload| {
        if payload.kind == "bulk" {
            round_trip(payload, from_slice::<Vec<Batch>>)
        } else {
            round_trip(payload, from_slice::<Batch>)
        }
    });
}

#[test]
fn the_records_of_exported_identities_are_kept_completely() {
    let exports: Vec<_> = payloads(&["lenient", "fragment"])
        .into_iter()
        .filter(|payload| parse(payload.document().as_bytes())["user_identities"].is_array())
        .collect();
    check_all(&exports, |payload| {
        let batch: Batch =
            from_slice(payload.document().as_bytes()).map_err(|error| error.to_string())?;
        let records = serde_json::to_value(batch.user_identities.unwrap().records).unwrap();
        let expected = parse(payload.document().as_bytes())["user_identities"].clone();
        if plain(&records) == plain(&expected) {
            Ok(())
        } else {
            Err(format!("{expected} became {records}"))
        }
    });
}

#[test]
fn the_error_response_is_read_and_written_without_loss() {
    check_all(&payloads(&["response"]), |payload| {
        let response =
            ErrorResponse::from_slice(&payload.bytes).map_err(|error| error.to_string())?;
        let written = serde_json::to_value(&response).unwrap();
        let first = response.errors.first().ok_or("no errors")?;
        if first.code.as_deref() != Some("BAD_REQUEST") {
            return Err(format!("the code is {:?}", first.code));
        }
        if written == parse(&payload.bytes) { Ok(()) } else { Err(format!("written as {written}")) }
    });
}

/// `must give an error that names: A; B` names either a pointer with its value, or an object without a field.
fn named(note: &str) -> Vec<String> {
    let (_, named) =
        note.split_once("must give an error that names: ").expect("the note says what to name");
    let name = |part: &str| match part.split_once(" without ") {
        Some(("custom_event", field)) => format!("/data/{field}"),
        Some((object, field)) => format!("/data/{object}/{field}"),
        None => part.split('=').next().unwrap().to_owned(),
    };
    named.split("; ").map(name).collect()
}

#[test]
fn every_invalid_payload_gives_an_error_that_names_the_field() {
    check_all(&payloads(&["invalid"]), |payload| {
        let document = payload.document();
        let error = match &*payload.kind {
            "bulk" => from_slice::<Vec<Batch>>(document.as_bytes()).err(),
            _ => from_slice::<Batch>(document.as_bytes()).err(),
        };
        let error = error.ok_or("read without an error")?;
        let names = named(&payload.note);
        let pointed = names.iter().any(|name| error.pointer().ends_with(&**name));
        let shown = error.to_string().contains(error.pointer());
        if pointed && shown { Ok(()) } else { Err(format!("`{error}` names none of {names:?}")) }
    });
}

#[test]
fn strict_payloads_are_valid_against_the_bundled_schema_and_negative_ones_are_not() {
    check_all(&payloads(&["strict", "negative"]), |payload| {
        let document = parse(payload.document().as_bytes());
        let batches = if payload.kind == "bulk" {
            document.as_array().unwrap().clone()
        } else {
            vec![document]
        };
        let errors = batches.iter().flat_map(|batch| BATCH_VALIDATOR.iter_errors(batch));
        let errors: Vec<_> =
            errors.map(|error| format!("{}: {error}", error.instance_path())).collect();
        match (&*payload.usage, errors.is_empty()) {
            ("strict", false) => Err(errors.join("\n")),
            ("negative", true) => Err("accepted".to_owned()),
            _ => Ok(()),
        }
    });
}

#[test]
fn a_loss_is_detected() {
    let payload = |body: &str| Payload {
        file: String::new(),
        kind: "batch".to_owned(),
        usage: String::new(),
        note: String::new(),
        bytes: body.as_bytes().to_vec(),
    };
    let lossy = |json: &[u8]| {
        let mut batch: Batch = from_slice(json)?;
        batch.extra.remove("sent");
        batch.mpid = batch.mpid.map(|mpid| mpid / 2 * 2);
        Ok(batch)
    };
    assert_eq!(round_trip(&payload(r#"{"mpid": 2}"#), lossy), Ok(()));
    for body in [r#"{"mpid": "3"}"#, r#"{"sent": null}"#] {
        assert!(round_trip(&payload(body), lossy).is_err(), "{body}");
    }
    assert_eq!(
        json!(named("x | must give an error that names: a without b; /c=1")),
        json!(["/data/a/b", "/c"])
    );
}
