// Package study runs grids of trainings that ask one question, and says which of
// the study's claims its numbers bear out.
//
// It owns a study's file, the directories of its trainings and the verdicts. It
// must not know how one training goes on (package session does) nor how a page
// is drawn.
//
//	OUT/world                                           a world, where none is given
//	OUT/trainings/attention=softmax,rate=0.003/seed-1   a training of package session
package study
