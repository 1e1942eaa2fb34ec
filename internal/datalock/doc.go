// Package datalock keeps a second writer away from a data folder.
//
// It owns one lock file in that folder and the message that a second writer
// reads. The lock is the kernel's, so it ends with the process, however that
// ends. The package must never delete the file (a waiting process could then
// lock a file that no longer has a name) and never wait for a lock.
package datalock
