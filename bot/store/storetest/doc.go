// Package storetest is the suite that every driver of bot/store must pass. It
// asserts only what the interfaces promise, through the interfaces.
package storetest
