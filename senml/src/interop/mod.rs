//! serde, by hand: what derived code would get wrong is integer labels, decimal fractions, base64url in one format and
//! bytes in the other, duplicate labels and labels that must be understood.

mod deserialize;
mod number;
mod serialize;
