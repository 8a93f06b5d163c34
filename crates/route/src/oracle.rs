//! The same answers as the table gives, in the plainest code.
