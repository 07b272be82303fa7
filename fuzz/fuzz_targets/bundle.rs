#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| iocast_fuzz::fuzzing::bundle(data));
