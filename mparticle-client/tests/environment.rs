//! Clients whose settings come from environment variables, each in a process of its own.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod wire;

use mparticle_client::{Client, ErrorKind};
use std::env;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use wire::{Server, batch, everything_shown, is_run_again, run_again};

const KEY: &str = "MPARTICLE_API_KEY";
const SECRET: &str = "MPARTICLE_API_SECRET";
const POD: &str = "MPARTICLE_POD";
const BASE_URL: &str = "MPARTICLE_BASE_URL";
const GOOD: [(&str, &str); 2] = [(KEY, "key-from-outside"), (SECRET, "secret-from-outside")];

/// Builds a client from the environment and prints the result.
fn print_result() {
    match Client::from_env() {
        Ok(client) => println!("built: {client:?}"),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Config);
            assert_eq!(error.attempts(), 0);
            println!("not built: {}", everything_shown(&error));
        }
    }
}

fn with<'a>(variables: &[(&'a str, &str)]) -> Vec<(&'a str, OsString)> {
    variables.iter().map(|(name, value)| (*name, OsString::from(value))).collect()
}

#[test]
fn mistakes_in_variables_are_described_without_their_values() {
    if is_run_again() {
        return print_result();
    }
    let run = |variables| {
        run_again("mistakes_in_variables_are_described_without_their_values", variables)
    };
    let [key, secret] = GOOD;
    for (variables, named, not_named) in [
        (&[][..], &[KEY, SECRET][..], &[POD, BASE_URL][..]),
        (&[key], &[SECRET], &[KEY, POD, BASE_URL]),
        (&[secret], &[KEY], &[SECRET, POD, BASE_URL]),
        (&[(KEY, ""), secret], &[KEY], &[SECRET, POD, BASE_URL]),
        (&[key, (SECRET, "")], &[SECRET], &[KEY, POD, BASE_URL]),
        (&[key, secret, (POD, "unheard-of")], &[POD], &[KEY, SECRET, BASE_URL]),
        (&[(POD, "unheard-of")], &[KEY, SECRET, POD], &[BASE_URL]),
        (&[key, secret, (BASE_URL, "unheard-of")], &["base URL"], &[KEY, SECRET, POD]),
        (&[key, secret, (BASE_URL, "http://unheard-of.example.com")], &["base URL", "https"], &[]),
        (&[key, secret, (BASE_URL, "https://u:unheard-of@example.com")], &["base URL"], &[]),
        (&[(KEY, " unheard-of"), secret], &["API key", "white space"], &["API secret"]),
        (&[key, (SECRET, "unheard-of\n")], &["API secret", "white space"], &["API key"]),
        (&[(KEY, "   "), secret], &["API key", "empty"], &["API secret"]),
        (&[(KEY, "unheard:of"), secret], &["API key", "colon"], &["API secret"]),
        (&[key, (SECRET, "unheard-of\u{7}x")], &["API secret", "control"], &["API key"]),
        (&[(KEY, "\u{feff}unheard-of"), secret], &["API key", "byte order mark"], &["API secret"]),
        (&[key, (SECRET, "\"unheard-of\"")], &["API secret", "quotation mark"], &["API key"]),
        (&[key, (SECRET, "unheard of")], &["API secret", "white space"], &["API key"]),
        (&[key, secret, (BASE_URL, "'https://unheard-of'")], &["base URL", "quotation mark"], &[]),
        (&[key, secret, (BASE_URL, "\u{feff}https://unheard-of")], &["byte order mark"], &[]),
        (&[key, secret, (BASE_URL, "https://unheard-of\n")], &["base URL", "white space"], &[]),
        (&[key, secret, (BASE_URL, "https://unheard-of/v1")], &["base URL", "/v2"], &[]),
    ] {
        let shown = run(with(variables));
        assert!(shown.contains("not built: "), "{variables:?}: {shown}");
        for name in named {
            assert!(shown.contains(name), "{variables:?}: {shown}");
        }
        for name in not_named {
            assert!(!shown.contains(name), "{variables:?}: {shown}");
        }
        for value in ["key-from-outside", "secret-from-outside", "unheard"] {
            assert!(!shown.contains(value), "{variables:?}: {shown}");
        }
    }
    for name in [KEY, SECRET, POD, BASE_URL] {
        let mut variables = with(&GOOD);
        variables.retain(|(other, _)| *other != name);
        variables.push((name, OsString::from_vec(b"unheard-\xff-of".to_vec())));
        let shown = run(variables);
        let wanted = format!("{name} is not Unicode");
        assert!(shown.contains("not built: ") && shown.contains(&wanted), "{shown}");
        assert!(!shown.contains("is not set") && !shown.contains("unheard"), "{shown}");
    }
}

#[test]
fn a_pod_is_read_in_any_letter_case_and_a_base_url_takes_precedence() {
    if is_run_again() {
        return print_result();
    }
    for (variables, wanted) in [
        (&[][..], "https://s2s.us1.mparticle.com/v2/events"),
        (&[(POD, "")], "https://s2s.us1.mparticle.com/v2/events"),
        (&[(POD, "us1")], "https://s2s.us1.mparticle.com/v2/events"),
        (&[(POD, "US2")], "https://s2s.us2.mparticle.com/v2/events"),
        (&[(POD, " Eu1 ")], "https://s2s.eu1.mparticle.com/v2/events"),
        (&[(POD, "au1")], "https://s2s.au1.mparticle.com/v2/events"),
        (&[(BASE_URL, ""), (POD, "au1")], "https://s2s.au1.mparticle.com/v2/events"),
        (
            &[(BASE_URL, "https://relay.example.com/x/"), (POD, "eu1")],
            "https://relay.example.com/x/v2/events",
        ),
        // A pod that is overridden is not checked.
        (
            &[(BASE_URL, "https://relay.example.com"), (POD, "none")],
            "https://relay.example.com/v2/events",
        ),
    ] {
        let shown = run_again(
            "a_pod_is_read_in_any_letter_case_and_a_base_url_takes_precedence",
            with(&[&GOOD, variables].concat()),
        );
        assert!(shown.contains("built: "), "{variables:?}: {shown}");
        assert!(shown.contains(wanted), "{variables:?}: {shown}");
        assert!(!shown.contains("-from-outside"), "{shown}");
    }
}

#[test]
fn the_credentials_of_the_environment_are_sent() {
    if is_run_again() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let client = Client::from_env().unwrap();
        runtime.block_on(client.upload_events(&batch())).unwrap();
        if cfg!(feature = "blocking") && env::var_os(POD).is_some() {
            blocking();
        }
        return;
    }
    let server = Server::accepting();
    let [key, secret] = GOOD;
    run_again(
        "the_credentials_of_the_environment_are_sent",
        with(&[key, secret, (BASE_URL, &server.base_url()), (POD, "eu1")]),
    );
    let requests = server.requests();
    assert_eq!(requests.len(), if cfg!(feature = "blocking") { 2 } else { 1 });
    for request in requests {
        // key-from-outside:secret-from-outside
        let wanted = "authorization: Basic a2V5LWZyb20tb3V0c2lkZTpzZWNyZXQtZnJvbS1vdXRzaWRl\r\n";
        assert!(request.head.contains(wanted), "{}", request.head);
    }
}

#[cfg(feature = "blocking")]
fn blocking() {
    mparticle_client::blocking::Client::from_env().unwrap().upload_events(&batch()).unwrap();
}

#[cfg(not(feature = "blocking"))]
fn blocking() {}
