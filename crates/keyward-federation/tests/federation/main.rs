//! Sign-in through `OpenID` Connect providers, honest and hostile, and the guard of outgoing requests.

mod attacks;
mod checks;
mod guard;
mod honest;
mod keys;
mod real;
mod rebinding;
mod support;
mod tls;
mod upstreams;
