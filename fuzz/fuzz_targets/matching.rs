//! The table of rules gives the same answer as the oracle, which tries every match and sorts them.
//!
//! Every input is a case: `Case::read` makes Routes and requests of its bytes.

#![no_main]

use daemun_route::oracle::case::Case;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let case = Case::read(bytes);
    if let Err(difference) = case.check() {
        panic!("{difference}\n{case:#?}");
    }
});
