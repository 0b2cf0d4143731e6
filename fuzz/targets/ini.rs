#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| isolint_fuzz::hold("ini", bytes));
