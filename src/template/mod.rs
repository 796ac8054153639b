//! User data and launch template data: bytes and a digest in, the new version's data out. Pure.
