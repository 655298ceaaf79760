#![no_main]

use checks::check_dialect;
use domain::wire::Dialect;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    check_dialect(Dialect::Anthropic, bytes);
});
