//! Tests of the events that a queue logs at level INFO and above.

use super::log_writer::Log;
use super::support::{LONG, batch, queue};
use mparticle_client::testing::{Answer, Emulator};
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn an_outage_is_logged_once_at_each_end() {
    let (log, _guard) = Log::capture();
    let emulator = Emulator::in_memory();
    let (queue, _worker) = queue(&emulator, |builder| builder).await;
    emulator.always(Answer::status(503));
    for number in 0..500 {
        drop(queue.try_send(batch(&number.to_string(), "a")).unwrap());
    }
    tokio::time::sleep(Duration::from_secs(600)).await;
    emulator.always(Answer::normal());
    assert!(queue.flush(LONG).await.is_complete());
    let text = log.text();
    let lines: Vec<_> = text.lines().collect();
    let [stalled, recovered] = lines.as_slice() else { panic!("two lines are expected:\n{text}") };
    assert!(stalled.contains(" WARN ") && stalled.contains("delivery is stalled"), "{text}");
    assert!(recovered.contains(" INFO ") && recovered.contains("has recovered"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn the_beginning_and_the_end_of_a_pause_are_logged() {
    let (log, _guard) = Log::capture();
    let emulator = Emulator::in_memory();
    let (queue, _worker) = queue(&emulator, |builder| builder).await;
    emulator.script([Answer::status(404)]);
    drop(queue.try_send(batch("1", "a")).unwrap());
    assert_eq!(queue.flush(LONG).await.pending, 1);
    queue.resume().unwrap();
    assert!(queue.flush(LONG).await.is_complete());
    let text = log.text();
    let lines: Vec<_> = text.lines().collect();
    let [paused, continues] = lines.as_slice() else { panic!("two lines are expected:\n{text}") };
    assert!(paused.contains("ERROR") && paused.contains("404"), "{text}");
    assert!(continues.contains(" INFO ") && continues.contains("continues"), "{text}");
}
