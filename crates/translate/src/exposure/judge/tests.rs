//! The way in, judged with the data of every provider.
