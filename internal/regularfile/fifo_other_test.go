//go:build !unix

package regularfile

func makeFIFO(string) bool { return false }
