#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| iocast_fuzz::fuzzing::notification_filter(data));
