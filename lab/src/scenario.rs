//! What a world holds when it begins.
