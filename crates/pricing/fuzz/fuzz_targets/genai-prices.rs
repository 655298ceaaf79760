#![no_main]

use checks::check_import;
use pricing::import::Format;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    check_import(Format::GenaiPrices, bytes);
});
