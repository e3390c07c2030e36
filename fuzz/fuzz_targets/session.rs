//! libFuzzer's way into the property of this name.
#![no_main]

#[path = "../../tests/fuzz/properties/mod.rs"]
mod properties;

libfuzzer_sys::fuzz_target!(|input: &[u8]| properties::session::holds(input));
