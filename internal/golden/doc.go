// Package golden finds and decodes the reference data under testdata/golden:
// what transformers and lm-evaluation-harness compute, kept so that the tests
// need no Python.
//
// It owns the file formats that testdata/golden/README.md describes, and the
// search for the shared data that the repository does not hold. It is for tests
// only and must not know the engine, the tasks or any other package of this
// module.
package golden
