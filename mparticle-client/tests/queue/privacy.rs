//! `Debug` output contains no personal data and no secrets.

use super::support::{LONG, client, queue};
use mparticle_client::models::{Batch, CustomEvent, CustomEventType, Environment, UserIdentities};
use mparticle_client::testing::{Answer, Emulator};
use mparticle_client::{Credentials, Validation};

fn personal() -> Batch {
    Batch::new(Environment::Production)
        .with_user_identities(UserIdentities::new().with_email("hidden@example.com"))
        .with_user_attribute("hidden-name", "hidden-value")
        .with_event(
            CustomEvent::new("hidden-event", CustomEventType::Other)
                .with_custom_attribute("hidden-key", "hidden-text"),
        )
}

#[track_caller]
fn assert_hides(shown: &[String]) {
    for text in shown {
        assert!(!text.to_lowercase().contains("hidden"), "{text}");
        assert!(!text.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn debug_and_display_show_neither_batches_nor_credentials() {
    let emulator = Emulator::builder().credentials(Credentials::new("hidden-1", "hidden-2"));
    let emulator = emulator.in_memory();
    let builder = client(&emulator).queue().max_pending(4, 1_000_000).on_outcome(|_| {});
    assert_hides(&[format!("{builder:?}")]);
    let (queue, worker) = queue(&emulator, |_| builder).await;
    emulator.script([
        Answer::normal(),
        Answer::status(400)
            .body(r#"{"errors":[{"code":"BAD_REQUEST","message":"hidden@example.com"}]}"#),
    ]);
    let delivered = queue.try_send(personal()).unwrap();
    assert_hides(&[format!("{delivered:?}"), format!("{queue:?}"), format!("{:?}", queue.stats())]);
    let report = queue.flush(LONG).await;
    let delivered = delivered.await;
    assert!(delivered.is_delivered());
    assert_hides(&[
        format!("{report:?}"),
        format!("{delivered:?}"),
        format!("{:?}", delivered.outcome()),
    ]);

    let rejected = queue.try_send(personal()).unwrap();
    _ = queue.flush(LONG).await;
    let rejected = rejected.await;
    let error = rejected.error().unwrap();
    let shown = [
        format!("{rejected:?}"),
        format!("{:?}", rejected.outcome()),
        error.to_string(),
        format!("{:?}", rejected.clone().into_requests()),
    ];
    assert_hides(&shown);

    emulator.always(Answer::hang());
    let dropped: Vec<_> = (0..4).map(|_| queue.try_send(personal()).unwrap()).collect();
    let full = queue.try_send(personal()).unwrap_err();
    assert_hides(&[format!("{full:?}"), full.to_string()]);
    let shutdown = queue.shutdown(LONG).await;
    assert_eq!(shutdown.dropped, 4);
    let closed = queue.try_send(personal()).unwrap_err();
    assert_hides(&[format!("{closed:?}"), closed.to_string(), format!("{shutdown:?}")]);
    for delivery in dropped {
        assert_hides(&[format!("{:?}", delivery.await)]);
    }
    worker.await.unwrap();
}

#[tokio::test]
async fn the_error_of_a_batch_that_violates_a_rule_shows_only_the_rule() {
    let emulator = Emulator::in_memory();
    let client = emulator.client_builder().validation(Validation::Strict).build().unwrap();
    let (queue, worker) = client.queue().build_with_worker().await.unwrap();
    assert_hides(&[format!("{worker:?}")]);
    let mut broken = personal();
    broken.environment = None;
    let too_long = broken.with_user_attribute("n", "hidden".repeat(5_000));
    let error = queue.try_send(too_long).unwrap_err();
    assert_hides(&[format!("{error:?}"), error.to_string(), format!("{:?}", error.error())]);
}
