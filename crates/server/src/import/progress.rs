//! A progress bar on standard error.

use std::{io::IsTerminal as _, sync::atomic::Ordering};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{report::grouped, source::BytesRead};

/// How far an import is. Shows nothing where nobody looks.
#[derive(Debug)]
pub(super) struct Progress {
    bar: ProgressBar,
    bytes_read: BytesRead,
}

impl Progress {
    /// A bar over `total_bytes`, if that is known and `visible`.
    pub(super) fn start(visible: bool, total_bytes: Option<u64>) -> Self {
        let shown = visible && std::io::stderr().is_terminal();
        let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(total_bytes, target);
        let template = if total_bytes.is_some() {
            "{bar:40} {bytes}/{total_bytes}  {msg}  {eta} left"
        } else {
            "{spinner} {bytes}  {msg}"
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self { bar, bytes_read: BytesRead::default() }
    }

    /// Where readers of files count their bytes.
    pub(super) fn bytes_read(&self) -> BytesRead {
        BytesRead::clone(&self.bytes_read)
    }

    /// `rows` are done.
    pub(super) fn show(&self, rows: u64) {
        if self.bar.is_hidden() {
            return;
        }
        let milliseconds = self.bar.elapsed().as_millis().max(1);
        let rate = u128::from(rows) * 1000 / milliseconds;
        let rate = grouped(u64::try_from(rate).unwrap_or(u64::MAX));
        self.bar.set_message(format!("{} rows, {rate}/s", grouped(rows)));
        self.bar.set_position(self.bytes_read.load(Ordering::Relaxed));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
