//! Does everything in the configuration exist and fit together? Facts in, findings out; gathering the facts is one file apart.
