use super::*;
use crate::{answer::BulkError, error::Refusal};

const AT: Duration = Duration::from_secs(10);

fn queue(records_max: usize, batch_max: usize) -> Queue {
    Queue::new(QueueOptions { records_max, batch_max, ..QueueOptions::default() })
}

fn push(queue: &mut Queue, records: usize) {
    for index in 0..records {
        assert_eq!(queue.push(Ok(format!("r{index}")), AT), None);
    }
}

fn sent(queue: &mut Queue, now: Duration) -> Vec<String> {
    match queue.step(now) {
        Step::Send(batch) => batch,
        other => panic!("{other:?}"),
    }
}

fn refused(status: u16, retry_after: Option<Duration>) -> Result<BulkOutcome, TrackerError> {
    let (code, message) = (Some("some_code".to_owned()), "no".to_owned());
    Err(TrackerError::Refused(Box::new(Refusal { status, code, message, details: Vec::new(), retry_after })))
}

fn error(index: usize, code: &str) -> BulkError {
    BulkError { index, error: "no".to_owned(), code: code.to_owned(), details: Vec::new() }
}

#[test]
fn a_record_waits_for_others_and_a_whole_batch_does_not() {
    let mut queue = queue(10, 3);
    assert_eq!(queue.step(AT), Step::Idle);
    push(&mut queue, 2);
    assert_eq!(queue.step(AT), Step::Wait(Duration::from_secs(1)));
    push(&mut queue, 1);
    assert_eq!(sent(&mut queue, AT).len(), 3);
}

#[test]
fn who_flushes_does_not_wait_for_others() {
    let mut queue = queue(10, 3);
    push(&mut queue, 1);
    queue.hurry(AT + Duration::from_secs(5));
    assert_eq!(sent(&mut queue, AT), ["r0"]);
}

#[test]
fn what_does_not_fit_is_lost_counted_and_said_once() {
    let mut queue = queue(2, 5);
    push(&mut queue, 2);
    let problem = queue.push(Ok("r2".to_owned()), AT).unwrap();
    assert_eq!(problem, "a record was lost: the queue is full; further losses are only counted");
    assert_eq!(queue.push(Ok("x".repeat(RECORD_BYTES_MAX + 1)), AT), None);
    assert_eq!(queue.push(Err(TrackerError::Closed), AT), None);
    assert_eq!(queue.stats(), QueueStats { dropped: 3, waiting: 2, ..QueueStats::default() });
}

#[test]
fn a_batch_is_bounded_in_bytes() {
    let mut queue = queue(100, 100);
    for _ in 0..20 {
        assert_eq!(queue.push(Ok("x".repeat(RECORD_BYTES_MAX)), AT), None);
    }
    queue.hurry(AT * 2);
    assert_eq!(sent(&mut queue, AT).len(), 10);
}

#[test]
fn pauses_grow_with_jitter_up_to_a_bound() {
    let mut queue = queue(10, 1);
    push(&mut queue, 1);
    let mut longest = Vec::new();
    for round in 0..9 {
        let now = AT * (round + 1) * 10;
        let batch = sent(&mut queue, now);
        queue.settle(batch, Err(TrackerError::Unreadable { reason: String::new() }), now, |below| {
            longest.push(below);
            below - 1
        });
        let pause = Duration::from_millis(longest.last().unwrap() - 1);
        assert_eq!(queue.step(now), Step::Wait(pause));
    }
    assert_eq!(longest, [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]);
}

#[test]
fn the_tracker_says_when_and_even_who_flushes_waits() {
    let mut queue = queue(10, 1);
    push(&mut queue, 1);
    let batch = sent(&mut queue, AT);
    let pause = Duration::from_secs(7);
    assert_eq!(queue.settle(batch, refused(429, Some(pause)), AT, |_| 0), None);
    queue.hurry(AT * 5);
    assert_eq!(queue.step(AT), Step::Wait(pause));
    assert_eq!(sent(&mut queue, AT + pause), ["r0"]);
}

#[test]
fn what_is_refused_is_not_sent_again() {
    let mut queue = queue(10, 2);
    push(&mut queue, 2);
    let batch = sent(&mut queue, AT);
    let problem = queue.settle(batch, refused(401, None), AT, |_| 0).unwrap();
    assert_eq!(problem, "a record was lost: the tracker refused it: no; further losses are only counted");
    assert_eq!(queue.stats(), QueueStats { dropped: 2, refused: 2, ..QueueStats::default() });
    assert_eq!(queue.step(AT * 9), Step::Idle);
}

#[test]
fn of_a_batch_only_what_the_store_had_no_time_for_comes_again() {
    let mut queue = queue(10, 4);
    push(&mut queue, 4);
    let batch = sent(&mut queue, AT);
    let errors = vec![error(1, "store_busy"), error(2, "invalid")];
    let outcome = BulkOutcome { successful: 1, duplicates: 1, failed: 2, errors, ..BulkOutcome::default() };
    assert!(queue.settle(batch, Ok(outcome), AT, |_| 0).unwrap().contains("invalid: no"));
    let stats = QueueStats { sent: 1, duplicates: 1, dropped: 1, refused: 1, waiting: 1 };
    assert_eq!(queue.stats(), stats);
    queue.hurry(AT * 5);
    assert_eq!(sent(&mut queue, AT), ["r1"]);
}

#[test]
fn the_end_tells_what_was_lost_in_all() {
    let mut queue = queue(10, 2);
    push(&mut queue, 3);
    assert_eq!(sent(&mut queue, AT).len(), 2);
    let told = queue.close();
    assert_eq!(told[1..], ["records lost in all: 3"]);
    assert_eq!(queue.stats(), QueueStats { dropped: 3, ..QueueStats::default() });
    queue.push(Ok("late".to_owned()), AT);
    assert_eq!(queue.stats().dropped, 4);
}
