// Package realtime carries a session of a realtime model between a client and a
// provider, and bills it while it runs.
//
// It owns the two directions of the relay with their bounds, and the rule of when
// something is reserved, when it is charged, and when the session must end: by the
// turn for models that answer, by the stretch of audio for models that translate.
//
// It must never know what a token costs or where a wallet is stored (Wallet does),
// never queue what one side is too slow to take, never pass a message on that may
// cause a cost nobody reserved, and never keep what is said.
package realtime
