//! Work that goes on whether somebody waits for it or not.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use crate::app::App;

/// Whether somebody still waits for a [`Lasting`] work.
#[derive(Debug, Clone, Default)]
pub(super) struct Waiting(Arc<AtomicBool>);

/// Work that is done where it is waited for, without a task of its own; dropped before its end, it goes on as one.
pub(super) struct Lasting<T: 'static> {
    app: App,
    name: &'static str,
    waiting: Waiting,
    work: Option<Pin<Box<dyn Future<Output = T> + Send>>>,
}

impl Waiting {
    /// Whether nobody does any more.
    pub(super) fn is_over(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Completes when nobody does any more; only for use inside of the work itself, which is polled anew when it becomes
    /// a task.
    pub(super) async fn over(&self) {
        poll_fn(|_| if self.is_over() { Poll::Ready(()) } else { Poll::Pending }).await;
    }
}

impl<T> Lasting<T> {
    pub(super) fn new(
        app: &App,
        name: &'static str,
        waiting: Waiting,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Self {
        Self { app: app.clone(), name, waiting, work: Some(Box::pin(work)) }
    }
}

impl<T> Future for Lasting<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        // Taken out meanwhile: work that panics does not go on.
        let Some(mut work) = self.work.take() else { return Poll::Pending };
        let polled = work.as_mut().poll(context);
        if polled.is_pending() {
            self.work = Some(work);
        }
        polled
    }
}

impl<T> Drop for Lasting<T> {
    fn drop(&mut self) {
        if let Some(work) = self.work.take() {
            self.waiting.0.store(true, Ordering::Relaxed);
            self.app.spawn(self.name, async move { drop(work.await) });
        }
    }
}
