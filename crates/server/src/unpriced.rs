//! Records without a price get one when it arrives, without anybody asking.
//!
//! One background task follows the price book: once when the server starts, since a new version may know more, and
//! after every change. Changes that come while it works are followed together, by one more round.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use store::MetaStore;
use tokio::{
    sync::{Mutex, MutexGuard, watch},
    time,
};

use crate::{
    api::prices::reprice::RepricingView,
    app::App,
    price_book::{self, Author, PricesError},
    reprice::Repricer,
};

/// How long the task waits before it tries again what the store could not do.
const RETRY_AFTER: Duration = Duration::from_mins(1);

/// What the background task and those who change prices know of each other.
#[derive(Debug, Default)]
pub struct Repricings {
    changes: watch::Sender<u64>,
    followed: watch::Sender<Option<u64>>,
    turn: Mutex<()>,
}

impl Repricings {
    /// Tells the task that prices have changed.
    pub fn prices_changed(&self) {
        self.changes.send_modify(|changes| *changes += 1);
    }

    /// Completes when the task has followed every change that came before.
    pub async fn settled(&self) {
        let changes = *self.changes.borrow();
        let is_settled = |followed: &Option<u64>| followed.is_some_and(|followed| followed >= changes);
        // The sender is `self`: it does not go away meanwhile.
        drop(self.followed.subscribe().wait_for(is_settled).await);
    }

    /// The turn to cost records anew. One at a time: what began with older prices never writes after newer ones.
    pub async fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().await
    }
}

/// Starts the task.
pub fn follow_prices(app: &App) {
    let (stopping, spawner) = (app.stopping(), app);
    let app = app.clone();
    spawner.spawn("price_unpriced", async move {
        tokio::pin!(stopping);
        let mut changes = app.repricings.changes.subscribe();
        loop {
            let change = *changes.borrow_and_update();
            let followed = price(&app).await;
            match &followed {
                Ok(()) => drop(app.repricings.followed.send_replace(Some(change))),
                Err(error) => {
                    tracing::error!(%error, "records without a price could not be costed; trying again");
                }
            }
            tokio::select! {
                () = &mut stopping => return,
                changed = changes.changed() => if changed.is_err() { return },
                () = time::sleep(RETRY_AFTER), if followed.is_err() => {}
            }
        }
    });
}

async fn price(app: &App) -> Result<(), PricesError> {
    let _turn = app.repricings.turn().await;
    let book = app.prices.current();
    let is_stopping = || app.is_stopping();
    let repricer = Repricer { usage: Arc::clone(&app.usage), book: &book, is_stopping: &is_stopping };
    let priced = price_unpriced(&repricer, &*app.meta, app.clock.now()).await?;
    app.ledger.forget();
    if priced > 0 {
        app.watch.mark_everything(app.clock.now());
    }
    metrics::counter!("aict_usage_priced_later_total").increment(priced);
    Ok(())
}

/// Costs the records that have no cost and keeps in the history of prices what it did; how many have a cost now.
pub async fn price_unpriced(
    repricer: &Repricer<'_>,
    meta: &dyn MetaStore,
    now: Timestamp,
) -> Result<u64, PricesError> {
    let repricing = repricer.price_unpriced(now).await?;
    if repricing.changes.is_empty() {
        return Ok(0);
    }
    let (priced, looked_at) = (repricing.newly_priced(), repricing.looked_at);
    let note = format!("{priced} of {looked_at} records without a cost priced");
    tracing::info!("{note}");
    let author = Author { user: None, at: now, note: &note };
    price_book::note_repricing(meta, &RepricingView::new(true, repricing), author).await?;
    Ok(priced)
}
