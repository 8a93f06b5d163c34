//! Watch objects (in files), call translate, publish what follows, and say what is wrong.

pub mod source;
