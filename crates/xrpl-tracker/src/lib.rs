//! See the crate README of the workspace.
