//! libFuzzer's way into the property of this name.
#![no_main]

#[path = "../../tests/fuzz/properties/mod.rs"]
mod properties;

// A parser that panics is caught, and makes the message one that could not be read: libFuzzer, which would end at any panic, is to see
// those alone that come out.
libfuzzer_sys::fuzz_target!(
    init: std::panic::set_hook(Box::new(|panic| eprintln!("{panic}"))),
    |input: &[u8]| properties::headers::holds(input)
);
