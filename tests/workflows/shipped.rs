//! Copies shipped files, with the few changes that `act` needs.

use std::fs;
use std::path::Path;

/// The placeholder by which shipped workflows name the action. act maps it to a folder, so it stays unchanged.
pub(crate) const ACTION: &str = "OWNER/cutover@0000000000000000000000000000000000000000";

/// A shipped file. A change that no longer matches fails the test.
pub(crate) struct Shipped {
    path: String,
    text: String,
}

impl Shipped {
    /// `path` is relative to the repository.
    pub(crate) fn read(path: &str) -> Shipped {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
        Shipped { path: path.to_owned(), text }
    }

    /// Replaces `from`, which occurs once.
    pub(crate) fn change(mut self, from: &str, to: &str) -> Shipped {
        assert_eq!(self.text.matches(from).count(), 1, "`{from}` in {}", self.path);
        self.text = self.text.replacen(from, to, 1);
        self
    }

    /// Removes `queue: max`, which act's schema rejects.
    pub(crate) fn without_queue(self, indent: &str) -> Shipped {
        self.change(&format!("\n{indent}queue: max\n"), "\n")
    }

    /// Gives the last step, named `last`, an id, and appends a step that prints its outputs on one line.
    pub(crate) fn with_outputs_shown(self, last: &str) -> Shipped {
        let name = format!("      - name: {last}\n");
        let mut shipped = self.change(&name, &format!("{name}        id: shown\n"));
        shipped.text.push_str(
            "\n      - name: Show the outputs\n        if: always()\n        env:\n          \
             OUTPUTS: ${{ toJSON(steps.shown.outputs) }}\n        \
             run: printf 'outputs=%s\\n' \"$(tr -d '\\n' <<<\"$OUTPUTS\")\"\n        shell: bash\n",
        );
        shipped
    }

    /// Returns the commits that the file pins `actions/<name>` to.
    pub(crate) fn pins(&self, name: &str) -> Vec<String> {
        let uses = format!("uses: actions/{name}@");
        let pins = self.text.lines().filter_map(|line| line.split_once(&uses));
        pins.map(|(_, after)| after.split(' ').next().unwrap().to_owned()).collect()
    }

    pub(crate) fn save(&self, to: &Path) {
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::write(to, &self.text).unwrap();
    }
}
