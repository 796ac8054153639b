//! Images: assembled from files; building by an engine has its place here later.
