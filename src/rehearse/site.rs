//! The example's site, embedded in the binary.

use cutover_oci::image::Entry;

/// Returns its files at their paths in the image.
pub(super) fn entries() -> Vec<Entry> {
    SITE.iter().map(|(path, bytes)| Entry::file(format!("/srv/www/{path}"), *bytes)).collect()
}

const SITE: &[(&str, &[u8])] = &[
    ("index.html", include_bytes!("../../examples/news/site/index.html")),
    ("style.css", include_bytes!("../../examples/news/site/style.css")),
    ("posts/back.html", include_bytes!("../../examples/news/site/posts/back.html")),
    ("posts/digest.html", include_bytes!("../../examples/news/site/posts/digest.html")),
    ("posts/weights.html", include_bytes!("../../examples/news/site/posts/weights.html")),
    ("posts/zones.html", include_bytes!("../../examples/news/site/posts/zones.html")),
];
