//! libmosquitto's matching of one filter.

use std::ffi::{CStr, c_char, c_int};

unsafe extern "C" {
    fn mosquitto_topic_matches_sub(filter: *const c_char, topic: *const c_char, result: *mut bool) -> c_int;
}

pub fn matches(filter: &CStr, topic: &CStr) -> bool {
    let mut result = false;
    // SAFETY: both texts end with NUL and outlive the call, which only reads them and writes one bool.
    let code = unsafe { mosquitto_topic_matches_sub(filter.as_ptr(), topic.as_ptr(), &mut result) };
    code == 0 && result
}
