// Package lab is where softbench's own small models come from: a world of simple
// English to learn (world), and a trainer to learn it with (train).
package lab
