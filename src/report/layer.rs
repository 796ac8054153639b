//! The layers of a push: as lines, or as progress bars in a terminal.

use std::collections::BTreeMap;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use cutover_rollout::model::{LayerProgress, LayerState, Size};

/// The most progress bars: more of them flicker, and do not fit a small terminal.
const BARS: usize = 8;

/// Returns a layer's progress in one line.
pub(super) fn line(progress: &LayerProgress) -> String {
    let what = match &progress.state {
        LayerState::Exists { repository } => format!("is already in {repository}"),
        LayerState::Mounted { repository, from } => format!("mounted in {repository} from {from}"),
        LayerState::Packing { read, written } => {
            format!("compressing: {} read, {} written", Size(*read), Size(*written))
        }
        LayerState::Packed { content, size } => {
            format!("compressed from {} to {}", Size(*content), Size(*size))
        }
        LayerState::Uploading { sent, of } => {
            format!("compressed, {} of {} uploaded", Size(*sent), Size(*of))
        }
        LayerState::Uploaded { repository, size } => {
            format!("uploaded to {repository}, {}", Size(*size))
        }
    };
    let LayerProgress { layer, layers, diff_id, .. } = progress;
    format!("{layer}/{layers} {} {what}", diff_id.short())
}

/// Progress bars on standard error: one for each layer in progress, and one for all layers.
#[derive(Debug)]
pub struct ProgressBars {
    all: MultiProgress,
    done: ProgressBar,
    busy: BTreeMap<usize, ProgressBar>,
    /// How many repositories still lack each layer.
    lacking: BTreeMap<usize, usize>,
}

impl Default for ProgressBars {
    fn default() -> ProgressBars {
        let all = MultiProgress::new();
        let done = all.add(ProgressBar::no_length());
        done.set_style(style("{bar:24} {pos}/{len} layers"));
        ProgressBars { all, done, busy: BTreeMap::new(), lacking: BTreeMap::new() }
    }
}

impl ProgressBars {
    /// Shows a layer's progress.
    pub fn show(&mut self, progress: &LayerProgress) {
        let layer = progress.layer;
        self.done.set_length(progress.layers as u64);
        match progress.state {
            LayerState::Packing { .. } | LayerState::Packed { .. } => {
                if self.busy.len() < BARS || self.busy.contains_key(&layer) {
                    let bar = self.busy.entry(layer).or_insert_with(|| {
                        let bar = self.all.insert_before(&self.done, ProgressBar::new_spinner());
                        bar.set_style(style("{spinner} {msg}"));
                        bar
                    });
                    bar.set_message(line(progress));
                    bar.tick();
                }
            }
            LayerState::Uploading { .. } => {
                if let Some(bar) = self.busy.get(&layer) {
                    bar.set_message(line(progress));
                    bar.tick();
                }
            }
            LayerState::Exists { .. }
            | LayerState::Mounted { .. }
            | LayerState::Uploaded { .. } => {
                let left = self.lacking.entry(layer).or_insert(progress.repositories);
                *left = left.saturating_sub(1);
                if *left == 0 {
                    self.done.inc(1);
                    if let Some(bar) = self.busy.remove(&layer) {
                        self.all.remove(&bar);
                    }
                }
            }
        }
    }
}

impl Drop for ProgressBars {
    /// Clears the bars: the lines that follow have the results.
    fn drop(&mut self) {
        // A terminal that has gone away needs no clearing.
        let _ = self.all.clear();
    }
}

/// Returns the style of a template; the default style if it is malformed.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use super::*;
    use cutover_rollout::model::Digest;

    #[test]
    fn a_line_names_the_layer_and_its_repository() {
        let diff_id = Digest::of(b"a");
        let of = |state| LayerProgress {
            layer: 2,
            layers: 4,
            diff_id: diff_id.clone(),
            repositories: 2,
            state,
        };
        let repository = "ghcr.io/acme/web".parse().unwrap();
        insta::assert_snapshot!(
            line(&of(LayerState::Uploaded { repository, size: 12_345_678 })),
            @"2/4 ca978112ca1b uploaded to ghcr.io/acme/web, 12.3 MB"
        );
        insta::assert_snapshot!(
            line(&of(LayerState::Packed { content: 3_000_000_000, size: 1_000_000 })),
            @"2/4 ca978112ca1b compressed from 3.00 GB to 1.0 MB"
        );
    }

    #[test]
    fn a_layer_is_done_when_every_repository_has_it() {
        let mut bars = ProgressBars::default();
        let repository = "ghcr.io/acme/web".parse().unwrap();
        let state = LayerState::Uploaded { repository, size: 1 };
        let diff_id = Digest::of(b"a");
        let there = LayerProgress { layer: 1, layers: 1, diff_id, repositories: 2, state };
        let packing = LayerState::Packing { read: 1, written: 1 };
        bars.show(&LayerProgress { state: packing, ..there.clone() });
        bars.show(&there);
        assert_eq!((bars.done.position(), bars.busy.len()), (0, 1));
        bars.show(&there);
        assert_eq!((bars.done.position(), bars.busy.len()), (1, 0));
    }
}
