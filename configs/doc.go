// Package configs holds the built-in task and suite definitions, as YAML, and reads a user's own,
// which have the same form. README.md in this directory documents both.
//
// It owns what a suite is and how names are resolved. It must not run anything, read documents, or
// know of models.
package configs
